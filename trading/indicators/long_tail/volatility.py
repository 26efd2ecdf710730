"""Volatility of the long tail: ranges, channels and stops made of them."""

from __future__ import annotations

from trading.indicators.entry import ema_memory, wilder_memory
from trading.indicators.long_tail.study import BAND, BAR, CLOSE, RANGE, Output, bars, length, number, study

_ABERRATION = (*length(5), bars("atr_length", 15))
_CHANDELIER = (bars("high_length", 22), bars("low_length", 22), bars("atr_length", 14), number("multiplier", 2))
_THERMO = (*length(20), number("long", 2), number("short", 0.5))


def _aberration_warm_up(span: int, ranges: int) -> int:
    return max(span, ranges) + 1


def _aberration_memory(span: int, ranges: int) -> int:
    return max(span, 1 + wilder_memory(ranges))


def _chandelier_warm_up(high: int, low: int, ranges: int, _: float) -> int:
    return max(high, low, ranges) + 1


def _chandelier_memory(high: int, low: int, ranges: int, _: float) -> int:
    return max(high, low, 1 + wilder_memory(ranges)) + 1


def _mass_warm_up(fast: int, slow: int) -> int:
    return max(2 * min(fast, slow) + max(fast, slow) - 2, 2 * max(fast, slow) - min(fast, slow))


def _holt_winters(*_: float) -> int:
    return 900


STUDIES = (
    study(
        "aberration", RANGE, _ABERRATION,
        Output("aberration_middle", 0, _aberration_warm_up, "SMA of the typical price (Fitschen 1986).",
               lambda n, a: max(n, a) + 1),
        Output("aberration_upper", 1, _aberration_warm_up, "The SMA of the typical price plus Wilder's ATR.",
               _aberration_memory),
        Output("aberration_lower", 2, _aberration_warm_up, "The SMA of the typical price minus Wilder's ATR.",
               _aberration_memory),
    ),
    study(
        "accbands", RANGE, length(20),
        Output("accbands_lower", 0, lambda n: n, "Lower acceleration band (Headley 2002)."),
        Output("accbands_middle", 1, lambda n: n, "SMA of the close between the acceleration bands."),
        Output("accbands_upper", 2, lambda n: n, "Upper acceleration band (Headley 2002)."),
    ),
    study(
        "chandelier_exit", RANGE, _CHANDELIER,
        Output("chandelier_long", 0, _chandelier_warm_up, "Highest high minus a multiple of Wilder's ATR (Le Beau).",
               _chandelier_memory),
        Output("chandelier_short", 1, _chandelier_warm_up, "Lowest low plus a multiple of Wilder's ATR (Le Beau).",
               _chandelier_memory),
        talib=False,
    ),
    study(
        "hwc", CLOSE, (number("scalar", 1),),
        Output("hwc_middle", 0, lambda _: 1, "Holt-Winters average with level 0.2, trend 0.1 and acceleration 0.1.",
               _holt_winters),
        Output("hwc_lower", 1, lambda _: 1, "Holt-Winters average minus the deviation of its errors.",
               _holt_winters),
        Output("hwc_upper", 2, lambda _: 1, "Holt-Winters average plus the deviation of its errors.",
               _holt_winters),
        channels=False,
    ),
    study(
        "massi", BAND, (bars("fast", 9), bars("slow", 25)),
        Output("massi", 0, _mass_warm_up, "Mass index: sum of the range's EMA over the "
               "EMA of that (Dorsey 1992).", lambda f, s: 2 * ema_memory(min(f, s)) + max(f, s)),
    ),
    study(
        "natr", RANGE, length(14),
        Output("natr", 0, lambda n: n + 1, "Wilder's ATR in percent of the close.", lambda n: 1 + wilder_memory(n)),
        mamode="rma", talib=False,
    ),
    study(
        "pdist", BAR, (),
        Output("pdist", 0, lambda: 2, "Price distance: twice the range plus the gap minus the body, in USD."),
    ),
    study(
        "rvi", CLOSE, length(14),
        Output("rvi", 0, lambda n: max(2 * n - 1, n + 2), "Relative volatility index, 0-100 (Dorsey 1993).",
               lambda n: n + 2 * ema_memory(n)),
    ),
    study(
        "thermo", BAND, _THERMO,
        Output("thermo", 0, lambda n, *_: n + 1, "Elder's thermometer: how far the bar reaches beyond the last, "
               "in USD (Elder 2002).", lambda n, *_: n + 1),
        Output("thermo_average", 1, lambda n, *_: n + 1, "EMA of the thermometer.", lambda n, *_: 1 + ema_memory(n)),
        Output("thermo_calm", 2, lambda n, *_: n + 1, "1 while the thermometer is below long times its EMA, else 0.",
               lambda n, *_: 1 + ema_memory(n)),
        Output("thermo_hot", 3, lambda n, *_: n + 1, "1 while the thermometer is above short times its EMA, else 0.",
               lambda n, *_: 1 + ema_memory(n)),
    ),
    study(
        "true_range", RANGE, (),
        Output("true_range", 0, lambda: 2, "True range in USD (Wilder 1978, ch. 3)."), talib=False,
    ),
    study(
        "ui", CLOSE, length(14),
        Output("ui", 0, lambda n: 2 * n - 1, "Ulcer index: root mean square of drawdowns within n bars, in percent "
               "(Martin 1987)."),
    ),
)  # fmt: skip
