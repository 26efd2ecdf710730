"""What the long tail leaves out of pandas-ta, and why."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_CORE = "the core has it"
_DEGREES = "its filter takes the cosine of degrees as if they were radians"

LEFT_OUT: Mapping[str, str] = MappingProxyType(
    {
        "adx": _CORE,
        "aobv": "differences of on-balance volume; amat says the same of any series",
        "atr": _CORE,
        "atrts": "its stop stays on the wrong side of the price after a turn",
        "bbands": _CORE,
        "cdl_pattern": "all but two of its patterns need TA-Lib",
        "cfo": "its forecast is the fitted value of a bar before, not of a bar ahead",
        "cg": "its weights run the wrong way round, so its sign is Ehlers' turned",
        "crsi": "its streak is the sign of the last change, not how long it has lasted",
        "decay": "its memory has no end: it falls by a fixed amount a bar",
        "donchian": _CORE,
        "ema": _CORE,
        "kc": _CORE,
        "long_run": "compares two series: write it as a condition",
        "macd": _CORE,
        "mama": "its phase is in radians where the formula has degrees, so it is a plain average",
        "nvi": "it has no value where volume did not fall, and its level counts from the first bar",
        "obv": _CORE,
        "pivots": "it depends on the calendar of the bars, and its demark form on the whole sample",
        "pvi": "each level is made of the first one instead of the last",
        "reflex": _DEGREES,
        "roc": _CORE,
        "rsi": _CORE,
        "short_run": "compares two series: write it as a condition",
        "sma": _CORE,
        "smc": "it fills its beginning from later bars",
        "stc": "it stands still while its MACD is below zero",
        "stoch": _CORE,
        "tos_stdevall": "it fits a line through the whole sample",
        "trendflex": _DEGREES,
        "vhm": "its deviation is the whole sample's",
        "vp": "it cuts the whole sample into parts",
        "vwap": "it depends on the calendar of the bars; the core has a rolling one",
        "wma": _CORE,
        "zigzag": "it redraws what it drew",
        "zscore": _CORE,
    }
)
"""pandas-ta's function -> why it is not in the catalogue."""
