"""Indicators over panels: the catalogue, and `compute` which turns a spec such as "sma_50" into values.

An indicator works on the bars a symbol has: a missing bar is NaN in the result and does not break the
window after it. Windowed indicators (all but ema, rsi, macd, atr, adx) depend on their window alone, to the
bit, so a live panel and a backtest's longer one give the same figure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from trading import kernels
from trading.errors import InvalidValueError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from trading.bars import Field, Floats, Panel

MAX_LENGTH = 5000
"""Longest window, in bars."""


@dataclass(frozen=True, slots=True)
class Indicator:
    """An entry of the catalogue.

    Attributes
    ----------
    name
        First part of its spec.
    parameters
        Parameter names and defaults, in the order a spec gives them.
    inputs
        The fields of a bar it reads.
    warm_up
        From parameter values to the number of bars before the first value, that bar included.
    description
        What it measures, with the source of the formula.
    """

    name: str
    parameters: Mapping[str, float]
    inputs: tuple[Field, ...]
    warm_up: Callable[..., int]
    description: str
    kernel: Callable[..., Floats]


def parse(spec: str) -> tuple[Indicator, tuple[float, ...]]:
    """Return the indicator and the parameter values that a spec such as "macd_12_26_9" names.

    Raises
    ------
    UnknownNameError
        No indicator has that name; the message suggests one.
    InvalidValueError
        Too many parameters, or one that is no number in its range.
    """
    words = spec.split("_")
    size = next((i for i, word in enumerate(words) if word[:1].isdigit() or word[:1] in "-."), len(words))
    name = "_".join(words[:size])
    if name not in CATALOGUE:
        raise UnknownNameError("indicator", name or spec, CATALOGUE)
    indicator = CATALOGUE[name]
    given = words[size:]
    if len(given) > len(indicator.parameters):
        raise InvalidValueError(f"indicator {name!r}", spec, f"at most {len(indicator.parameters)} parameter(s)")
    defaults = list(indicator.parameters.items())
    values = [_number(spec, key, text) for (key, _), text in zip(defaults, given, strict=False)]
    return indicator, (*values, *(default for _, default in defaults[len(given) :]))


def compute(spec: str, panel: Panel) -> Floats:
    """Return the (T, N) values that `spec` names, NaN during warm-up and where a symbol has no bar.

    Parameters
    ----------
    spec
        Name and parameters joined by underscores: "rsi_14", "bollinger_upper_20_2"; the rest are defaults.
    panel
        The bars.

    Raises
    ------
    UnknownNameError, InvalidValueError
        As `parse`.
    """
    indicator, values = parse(spec)
    arguments = [
        int(value) if key != "deviations" else value for key, value in zip(indicator.parameters, values, strict=True)
    ]
    return compute_with(indicator.kernel, panel, indicator.inputs, *arguments)


def compute_with(kernel: Callable[..., Floats], panel: Panel, inputs: tuple[Field, ...], *arguments: float) -> Floats:
    """Return the (T, N) values of a kernel over the bars each symbol has, NaN where it has none."""
    fields = [panel.field(name) for name in inputs]
    present: NDArray[np.bool_] = ~np.any(np.isnan(np.stack(fields)), axis=0)
    result = np.full((len(panel), len(panel.symbols)), np.nan)
    for column in range(len(panel.symbols)):
        rows = present[:, column]
        if rows.any():
            series = (np.ascontiguousarray(field[rows, column]) for field in fields)
            result[rows, column] = kernel(*series, *arguments)
    return result


def warm_up(spec: str) -> int:
    """Return how many bars `spec` needs for its first value."""
    indicator, values = parse(spec)
    return int(indicator.warm_up(*values))


def _number(spec: str, key: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    whole = key == "deviations" or value.is_integer()
    if not (0 < value <= MAX_LENGTH and whole):
        kind = "a number" if key == "deviations" else "a whole number"
        raise InvalidValueError(f"{key} of indicator {spec!r}", text, f"{kind} from 1 to {MAX_LENGTH}")
    return value


_CLOSE: tuple[Field, ...] = ("close",)
_RANGE: tuple[Field, ...] = ("high", "low", "close")
_MACD = {"fast": 12, "slow": 26, "signal": 9}
_BANDS = {"length": 20, "deviations": 2}

_ENTRIES: tuple[
    tuple[Callable[..., Floats], Mapping[str, float], tuple[Field, ...], Callable[..., float], str], ...
] = (
    (kernels.sma, {"length": 20}, _CLOSE, lambda n: n, "Simple moving average."),
    (
        kernels.ema,
        {"length": 20},
        _CLOSE,
        lambda n: n,
        "Exponential moving average, alpha 2/(n+1), seeded with the SMA.",
    ),
    (
        kernels.rsi,
        {"length": 14},
        _CLOSE,
        lambda n: n + 1,
        "Relative strength index, 0-100 (Wilder 1978, ch. 6).",
    ),
    (
        kernels.macd,
        _MACD,
        _CLOSE,
        lambda f, s, _: max(f, s),
        "MACD line: fast EMA minus slow EMA (Appel 1979).",
    ),
    (
        kernels.macd_signal,
        _MACD,
        _CLOSE,
        lambda f, s, g: max(f, s) + g - 1,
        "Signal line: EMA of the MACD line.",
    ),
    (
        kernels.macd_histogram,
        _MACD,
        _CLOSE,
        lambda f, s, g: max(f, s) + g - 1,
        "MACD line minus its signal line.",
    ),
    (
        kernels.bollinger_upper,
        _BANDS,
        _CLOSE,
        lambda n, _: n,
        "Upper Bollinger band (Bollinger 2001), ddof 0.",
    ),
    (
        kernels.bollinger_lower,
        _BANDS,
        _CLOSE,
        lambda n, _: n,
        "Lower Bollinger band (Bollinger 2001), ddof 0.",
    ),
    (
        kernels.bollinger_width,
        _BANDS,
        _CLOSE,
        lambda n, _: n,
        "Width of the Bollinger bands over their middle.",
    ),
    (
        kernels.bollinger_percent,
        _BANDS,
        _CLOSE,
        lambda n, _: n,
        "%b: place of the close between the bands, 0 to 1.",
    ),
    (kernels.atr, {"length": 14}, _RANGE, lambda n: n + 1, "Average true range in USD (Wilder 1978, ch. 3)."),
    (
        kernels.adx,
        {"length": 14},
        ("high", "low"),
        lambda n: 2 * n,
        "Average directional index, 0-100 (Wilder 1978, ch. 4).",
    ),
    (kernels.roc, {"length": 20}, _CLOSE, lambda n: n + 1, "Rate of change over n bars, in percent."),
    (
        kernels.volatility,
        {"length": 20},
        _CLOSE,
        lambda n: n + 1,
        "Annualised deviation of daily log returns, ddof 1.",
    ),
    (kernels.zscore, {"length": 20}, _CLOSE, lambda n: n, "Distance to the average in sample deviations."),
    (
        kernels.dollar_volume,
        {"length": 20},
        ("close", "volume"),
        lambda n: n,
        "Mean close times volume, in USD.",
    ),
    (kernels.average_volume, {"length": 20}, ("volume",), lambda n: n, "Mean volume, in shares."),
)

CATALOGUE: Mapping[str, Indicator] = MappingProxyType(
    {
        kernel.__name__: Indicator(
            name=kernel.__name__,
            parameters=MappingProxyType(dict(parameters)),
            inputs=inputs,
            warm_up=lambda *values, _bars=bars: int(_bars(*values)),
            description=description,
            kernel=kernel,
        )
        for kernel, parameters, inputs, bars, description in _ENTRIES
    }
)
"""Every indicator by name."""

DEFAULT_INDICATORS: tuple[str, ...] = (
    "sma_20",
    "sma_50",
    "sma_200",
    "ema_20",
    "rsi_14",
    "macd_12_26_9",
    "bollinger_percent_20_2",
    "atr_14",
    "adx_14",
    "roc_126",
    "volatility_20",
    "zscore_20",
    "dollar_volume_20",
)
"""What `calculate_indicators` stores for the screener unless told otherwise."""
