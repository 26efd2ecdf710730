"""The catalogue: every indicator with its parameters, inputs, warm-up and the source of its formula."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from trading.errors import InvalidValueError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


MAX_LENGTH = 5000
"""Longest window, in bars."""

SETTLED = 1e-9
"""What may be left of the seed's influence on a recursive average when its `memory` is over."""

Input = Literal["open", "high", "low", "close", "volume", "market"]
"""A field of a bar, or `market`: the index of equal shares of the panel's symbols, 1 at its first bar."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter with its default and its bounds, both included; whole unless said otherwise."""

    name: str
    default: float
    least: float = 1
    most: float = MAX_LENGTH
    whole: bool = True

    def checked(self, value: float, owner: str) -> float:
        """Return the value; InvalidValueError, in the name of `owner`, when it is none of this parameter's."""
        if not (self.least <= value <= self.most) or (self.whole and not float(value).is_integer()):
            kind = "a whole number" if self.whole else "a number"
            raise InvalidValueError(f"{self.name} of {owner}", value, f"{kind} from {self.least:g} to {self.most:g}")
        return int(value) if self.whole else float(value)


@dataclass(frozen=True, slots=True)
class Indicator:
    """An entry of the catalogue.

    Attributes
    ----------
    name
        First part of its spec.
    parameters
        In the order a spec gives them.
    inputs
        What it reads of every bar.
    warm_up
        From parameter values to the number of bars before the first value, that bar included.
    memory
        From parameter values to the number of bars after which the value no longer depends on where the history
        starts, to `SETTLED`; for windowed indicators it is the warm-up, and exact.
    description
        What it measures, in which unit, with the source of the formula.
    kernel, output
        The compiled function, and which of its results this is.
    anchored
        Whether the level depends on where the history starts for ever; no strategy may read it.
    """

    name: str
    parameters: tuple[Parameter, ...]
    inputs: tuple[Input, ...]
    warm_up: Callable[..., int]
    memory: Callable[..., int]
    description: str
    kernel: str
    output: int = 0
    anchored: bool = False


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
    indicator = named("_".join(words[:size]) or spec)
    given = words[size:]
    if len(given) > len(indicator.parameters):
        expected = f"at most {len(indicator.parameters)} parameter(s)"
        raise InvalidValueError(f"indicator {indicator.name!r}", spec, expected)
    owner = f"indicator {spec!r}"
    values = [
        parameter.checked(_number(parameter, text, owner), owner)
        for parameter, text in zip(indicator.parameters, given, strict=False)
    ]
    return indicator, (*values, *(parameter.default for parameter in indicator.parameters[len(given) :]))


def named(name: str) -> Indicator:
    """Return the indicator of that name; UnknownNameError, with a suggestion, when there is none."""
    if name not in CATALOGUE:
        raise UnknownNameError("indicator", name, CATALOGUE)
    return CATALOGUE[name]


def _number(parameter: Parameter, text: str, owner: str) -> float:
    try:
        return float(text)
    except ValueError:
        kind = "a whole number" if parameter.whole else "a number"
        raise InvalidValueError(
            f"{parameter.name} of {owner}", text, f"{kind} from {parameter.least:g} to {parameter.most:g}"
        ) from None


def forgotten(alpha: float) -> int:
    """Return after how many bars an exponential average has forgotten its seed, to `SETTLED`."""
    return 0 if alpha >= 1 else math.ceil(math.log(SETTLED) / math.log(1 - alpha))


def _ema_memory(length: int) -> int:
    return length + forgotten(2 / (length + 1))


def _wilder_memory(length: int) -> int:
    return length + forgotten(1 / length)


def _macd_memory(fast: int, slow: int, signal: int) -> int:
    return _ema_memory(max(fast, slow)) + _ema_memory(signal)


def _keltner_memory(length: int, bars: int, _: float) -> int:
    return max(_ema_memory(length), 1 + _wilder_memory(bars))


def _length(default: float) -> tuple[Parameter, ...]:
    return (Parameter("length", default),)


_CLOSE: tuple[Input, ...] = ("close",)
_BAND: tuple[Input, ...] = ("high", "low")
_RANGE: tuple[Input, ...] = ("high", "low", "close")
_TRADED: tuple[Input, ...] = ("close", "volume")
_MACD = (Parameter("fast", 12), Parameter("slow", 26), Parameter("signal", 9))
_BANDS = (*_length(20), Parameter("deviations", 2, least=0.01, most=100, whole=False))
_STOCHASTIC = (*_length(14), Parameter("slowing", 3), Parameter("signal", 3))
_KELTNER = (
    *_length(20),
    Parameter("atr_length", 10),
    Parameter("multiple", 2, least=0.01, most=100, whole=False),
)


def _entry(
    name: str,
    parameters: tuple[Parameter, ...],
    inputs: tuple[Input, ...],
    warm_up: Callable[..., int],
    description: str,
    *,
    memory: Callable[..., int] | None = None,
    kernel: str | None = None,
    output: int = 0,
    anchored: bool = False,
) -> Indicator:
    return Indicator(
        name, parameters, inputs, warm_up, memory or warm_up, description, kernel or name, output, anchored
    )


_ENTRIES = (
    _entry("sma", _length(20), _CLOSE, lambda n: n, "Simple moving average."),
    _entry(
        "ema",
        _length(20),
        _CLOSE,
        lambda n: n,
        "Exponential moving average, alpha 2/(n+1), seeded with the SMA, as TA-Lib's EMA.",
        memory=_ema_memory,
    ),
    _entry("wma", _length(20), _CLOSE, lambda n: n, "Weighted moving average, weights 1 (oldest) to n (newest)."),
    _entry(
        "rsi",
        _length(14),
        _CLOSE,
        lambda n: n + 1,
        "Relative strength index, 0-100 (Wilder 1978, ch. 6), seeded with means; 50 where nothing moved.",
        memory=lambda n: 1 + _wilder_memory(n),
    ),
    _entry(
        "macd",
        _MACD,
        _CLOSE,
        lambda f, s, _: max(f, s),
        "MACD line: fast EMA minus slow EMA (Appel 1979), both seeded at the slow one's first bar, as TA-Lib's MACD.",
        memory=_macd_memory,
    ),
    _entry(
        "macd_signal",
        _MACD,
        _CLOSE,
        lambda f, s, g: max(f, s) + g - 1,
        "Signal line: EMA of the MACD line.",
        memory=_macd_memory,
        kernel="macd",
        output=1,
    ),
    _entry(
        "macd_histogram",
        _MACD,
        _CLOSE,
        lambda f, s, g: max(f, s) + g - 1,
        "MACD line minus its signal line.",
        memory=_macd_memory,
        kernel="macd",
        output=2,
    ),
    _entry(
        "bollinger_upper",
        _BANDS,
        _CLOSE,
        lambda n, _: n,
        "Upper Bollinger band (Bollinger 2001), ddof 0.",
        kernel="bollinger",
    ),
    _entry(
        "bollinger_lower",
        _BANDS,
        _CLOSE,
        lambda n, _: n,
        "Lower Bollinger band (Bollinger 2001), ddof 0.",
        kernel="bollinger",
        output=1,
    ),
    _entry(
        "bollinger_width",
        _BANDS,
        _CLOSE,
        lambda n, _: n,
        "Width of the Bollinger bands over their middle.",
        kernel="bollinger_place",
    ),
    _entry(
        "bollinger_percent",
        _BANDS,
        _CLOSE,
        lambda n, _: n,
        "%b: place of the close between the bands, 0 to 1.",
        kernel="bollinger_place",
        output=1,
    ),
    _entry(
        "atr",
        _length(14),
        _RANGE,
        lambda n: n + 1,
        "Average true range in USD (Wilder 1978, ch. 3), seeded with the mean of the first n ranges.",
        memory=lambda n: 1 + _wilder_memory(n),
    ),
    _entry("atr_simple", _length(14), _RANGE, lambda n: n + 1, "Simple mean of the true range in USD."),
    _entry(
        "adx",
        _length(14),
        _BAND,
        lambda n: 2 * n,
        "Average directional index, 0-100 (Wilder 1978, ch. 4), seeds as TA-Lib's ADX.",
        memory=lambda n: 1 + 2 * _wilder_memory(n),
    ),
    _entry(
        "stochastic_k",
        _STOCHASTIC,
        _RANGE,
        lambda n, s, _: n + s - 1,
        "Slow %K, 0-100 (Lane 1984): close within the range of n bars, averaged; 0 where the range is a point.",
        kernel="stochastic",
    ),
    _entry(
        "stochastic_d",
        _STOCHASTIC,
        _RANGE,
        lambda n, s, d: n + s + d - 2,
        "Slow %D: simple average of slow %K.",
        kernel="stochastic",
        output=1,
    ),
    _entry(
        "donchian_upper",
        _length(20),
        _BAND,
        lambda n: n,
        "Highest high of the last n bars, this one included (Donchian 1960).",
        kernel="donchian",
    ),
    _entry(
        "donchian_lower",
        _length(20),
        _BAND,
        lambda n: n,
        "Lowest low of the last n bars, this one included (Donchian 1960).",
        kernel="donchian",
        output=1,
    ),
    _entry(
        "donchian_middle",
        _length(20),
        _BAND,
        lambda n: n,
        "Middle of the Donchian channel.",
        kernel="donchian",
        output=2,
    ),
    _entry(
        "keltner_upper",
        _KELTNER,
        _RANGE,
        lambda n, a, _: max(n, a + 1),
        "EMA of the close plus a multiple of Wilder's ATR (Keltner 1960 as revised by Raschke).",
        memory=_keltner_memory,
        kernel="keltner",
    ),
    _entry(
        "keltner_lower",
        _KELTNER,
        _RANGE,
        lambda n, a, _: max(n, a + 1),
        "EMA of the close minus a multiple of Wilder's ATR (Keltner 1960 as revised by Raschke).",
        memory=_keltner_memory,
        kernel="keltner",
        output=1,
    ),
    _entry("roc", _length(20), _CLOSE, lambda n: n + 1, "Rate of change over n bars, in percent."),
    _entry(
        "obv",
        (),
        _TRADED,
        lambda: 1,
        "On-balance volume (Granville 1963), in shares since the history's first bar, as TA-Lib's OBV.",
        anchored=True,
    ),
    _entry(
        "obv_change",
        _length(20),
        _TRADED,
        lambda n: n + 1,
        "Change of on-balance volume over n bars, in shares (Granville 1963).",
    ),
    _entry(
        "vwap",
        _length(20),
        ("high", "low", "close", "volume"),
        lambda n: n,
        "Volume-weighted mean of (high + low + close) / 3 over n bars, in USD.",
    ),
    _entry("volatility", _length(20), _CLOSE, lambda n: n + 1, "Annualised deviation of daily log returns, ddof 1."),
    _entry("mean_return", _length(126), _CLOSE, lambda n: n + 1, "Mean of n simple daily returns, times 252."),
    _entry(
        "zscore",
        (Parameter("length", 20, least=2),),
        _CLOSE,
        lambda n: n,
        "Distance to the average in sample deviations.",
    ),
    _entry(
        "beta",
        (Parameter("length", 60, least=2),),
        ("close", "market"),
        lambda n: n + 1,
        "Slope of n returns on those of equal shares of the universe (Sharpe 1963, eq. 1), as TA-Lib's BETA.",
    ),
    _entry("dollar_volume", _length(20), _TRADED, lambda n: n, "Mean close times volume, in USD."),
    _entry("average_volume", _length(20), ("volume",), lambda n: n, "Mean volume, in shares.", kernel="sma"),
)

CATALOGUE: Mapping[str, Indicator] = MappingProxyType({indicator.name: indicator for indicator in _ENTRIES})
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
