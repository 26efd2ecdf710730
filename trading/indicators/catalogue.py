"""The catalogue: every indicator with its parameters, inputs, warm-up and the source of its formula."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from trading.errors import InvalidValueError, UnknownNameError
from trading.indicators.core import CORE
from trading.indicators.entry import MAX_LENGTH, Indicator, Input, Parameter
from trading.indicators.long_tail import LONG_TAIL

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CATALOGUE", "DEFAULT_INDICATORS", "MAX_LENGTH", "Indicator", "Input", "Parameter", "named", "parse"]

CATALOGUE: Mapping[str, Indicator] = MappingProxyType({indicator.name: indicator for indicator in (*CORE, *LONG_TAIL)})
"""Every indicator by name, the core ones first."""

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
