"""Averages and prices of the long tail."""

from __future__ import annotations

import math

from trading.indicators.entry import ema_memory, forgotten, wilder_memory
from trading.indicators.long_tail.study import (
    BAND,
    BAR,
    CLOSE,
    RANGE,
    TRADED,
    TURNS,
    Output,
    bars,
    faded,
    length,
    number,
    study,
    turned,
)

_SMOOTHED = "Wilder's smoothing of the close"


def _kama_memory(window: int, fast: int, slow: int) -> int:
    return window + 1 + forgotten((2 / (max(fast, slow) + 1)) ** 2)


STUDIES = (
    study(
        "alligator", CLOSE, (bars("jaw", 13), bars("teeth", 8), bars("lips", 5)),
        Output("alligator_jaw", 0, lambda *v: max(v), f"{_SMOOTHED}, not moved ahead (Williams 1995).",
               lambda j, t, p: wilder_memory(j)),
        Output("alligator_teeth", 1, lambda *v: max(v), f"{_SMOOTHED}, not moved ahead (Williams 1995).",
               lambda j, t, p: wilder_memory(t)),
        Output("alligator_lips", 2, lambda *v: max(v), f"{_SMOOTHED}, not moved ahead (Williams 1995).",
               lambda j, t, p: wilder_memory(p)),
        talib=False,
    ),
    study(
        "alma", CLOSE, (*length(9), number("sigma", 6)),
        Output("alma", 0, lambda n, _: n, "Arnaud Legoux average: Gaussian weights centred at 0.85 of the window."),
    ),
    study(
        "dema", CLOSE, length(10),
        Output("dema", 0, lambda n: 2 * n - 1, "Double EMA: 2 EMA - EMA(EMA) (Mulloy 1994).",
               lambda n: 2 * ema_memory(n)),
        talib=False,
    ),
    study(
        "fwma", CLOSE, length(10, most=200),
        Output("fwma", 0, lambda n: n, "Average weighted by the Fibonacci numbers, the newest most."),
    ),
    study(
        "hilo", RANGE, (bars("high_length", 13), bars("low_length", 21)),
        Output("hilo", 0, lambda h, low: max(h, low) + 1,
               "Gann HiLo: the mean low above the mean high of the bar before, the mean high below the mean low.",
               turned, as_a_rule=True),
    ),
    study("hl2", BAND, (), Output("hl2", 0, lambda: 1, "Mean of high and low.")),
    study("hlc3", RANGE, (), Output("hlc3", 0, lambda: 1, "Typical price: mean of high, low and close."), talib=False),
    study(
        "hma", CLOSE, length(10, least=4),
        Output("hma", 0, lambda n: n + max(math.isqrt(n) - 1, 2),
               "Hull average: WMA over sqrt(n) of 2 WMA(n/2) - WMA(n) (Hull 2005)."),
    ),
    study(
        "hwma", CLOSE, (),
        Output("hwma", 0, lambda: 1, "Holt-Winters average with level 0.2, trend 0.1 and acceleration 0.1.",
               lambda: 700),
    ),
    study(
        "ht_trendline", CLOSE, (),
        Output("ht_trendline", 0, lambda: 64, "Mean of the close over its dominant cycle (Ehlers 2001), as TA-Lib's "
               "HT_TRENDLINE.", turned, as_a_rule=True),
        talib=False,
    ),
    study(
        "ichimoku", RANGE, (bars("tenkan", 9), bars("kijun", 26), bars("senkou", 52)),
        Output("ichimoku_span_a", 0, lambda t, k, s: max(max(t, k) + k - 1, s),
               "Leading span A as drawn at this bar: computed kijun - 1 bars ago (Hosoda 1969)."),
        Output("ichimoku_span_b", 1, lambda t, k, s: max(s + k - 1, t),
               "Leading span B as drawn at this bar: computed kijun - 1 bars ago (Hosoda 1969)."),
        Output("ichimoku_conversion", 2, lambda *v: max(v), "Tenkan-sen: middle of the range of tenkan bars."),
        Output("ichimoku_base", 3, lambda *v: max(v), "Kijun-sen: middle of the range of kijun bars."),
        include_chikou=False,
    ),
    study(
        "jma", CLOSE, (*length(7, least=4), number("phase", 0, -100, 100)),
        Output("jma", 0, lambda n, _: n, "Jurik's average, as reverse-engineered.", turned, as_a_rule=True),
    ),
    study(
        "kama", CLOSE, (bars("length", 10), bars("fast", 2, 1, 30), bars("slow", 30, 1, 30)),
        Output("kama", 0, lambda *v: max(v), "Adaptive average of the efficiency ratio (Kaufman 1995).", _kama_memory),
    ),
    study(
        "linreg", CLOSE, length(14),
        Output("linreg", 0, lambda n: n, "End of the least-squares line through n closes, as TA-Lib's LINEARREG."),
        talib=False,
    ),
    study(
        "mcgd", CLOSE, length(10, most=100),
        Output("mcgd", 0, lambda n: n, "McGinley dynamic: an average that follows falls faster than rises "
               "(McGinley 1990).", turned, as_a_rule=True),
    ),
    study(
        "midpoint", CLOSE, length(14),
        Output("midpoint", 0, lambda n: n, "Middle of the highest and lowest close of n bars."), talib=False,
    ),
    study(
        "midprice", BAND, length(14),
        Output("midprice", 0, lambda n: n, "Middle of the highest high and lowest low of n bars."), talib=False,
    ),
    study("ohlc4", BAR, (), Output("ohlc4", 0, lambda: 1, "Mean of open, high, low and close.")),
    study(
        "pwma", CLOSE, length(10, most=50),
        Output("pwma", 0, lambda n: n, "Average weighted by a row of Pascal's triangle."),
    ),
    study(
        "rma", CLOSE, length(10),
        Output("rma", 0, lambda n: n, "Wilder's average, alpha 1/n, starting at the first close.", wilder_memory),
    ),
    study("sinwma", CLOSE, length(14), Output("sinwma", 0, lambda n: n, "Average weighted by half a sine wave.")),
    study(
        "smma", CLOSE, length(7),
        Output("smma", 0, lambda n: n, "Smoothed average: Wilder's, seeded with the SMA.", wilder_memory), talib=False,
    ),
    study(
        "ssf", CLOSE, length(20, most=500),
        Output("ssf", 0, lambda n: n, "Super smoother, two poles (Ehlers 2013, ch. 3).",
               lambda n: n + 2 * faded(math.exp(-math.pi * 1.414 / n))),
        everget=True,
    ),
    study(
        "ssf3", CLOSE, length(20, most=500),
        Output("ssf3", 0, lambda n: n, "Super smoother, three poles (Ehlers 2013, ch. 3).",
               lambda n: n + 2 * faded(math.exp(-math.pi / n))),
    ),
    study(
        "supertrend", RANGE, (*length(7), number("multiplier", 3, 0.1, 10)),
        Output("supertrend", 0, lambda n, _: n + 1,
               "Trailing line at a multiple of Wilder's ATR from the middle of the bar (Seban).",
               turned, as_a_rule=True),
        Output("supertrend_direction", 1, lambda n, _: n + 1, "1 above the supertrend, -1 below.",
               turned, as_a_rule=True),
    ),
    study(
        "swma", CLOSE, length(10),
        Output("swma", 0, lambda n: n, "Average weighted by a symmetric triangle."),
    ),
    study(
        "t3", CLOSE, (*length(10), number("a", 0.7, 0.01, 0.99)),
        Output("t3", 0, lambda n, _: max(6 * n - 5, 5 * n + 5), "T3: six EMAs (Tillson 1998).",
               lambda n, _: 6 * ema_memory(n)),
        talib=False,
    ),
    study(
        "tema", CLOSE, length(10),
        Output("tema", 0, lambda n: 3 * n, "Triple EMA (Mulloy 1994).", lambda n: 3 * ema_memory(n)), talib=False,
    ),
    study(
        "trima", CLOSE, length(10),
        Output("trima", 0, lambda n: 2 * round((n + 1) / 2) - 1,
               "Triangular average: the SMA of an SMA, both over half the length; TA-Lib's for odd lengths."),
        talib=False,
    ),
    study(
        "vidya", CLOSE, length(14),
        Output("vidya", 0, lambda n: n + 1,
               "Variable EMA, its alpha scaled by Chande's momentum (Chande 1992); starts at 0, so give it its memory.",
               lambda n: TURNS + math.ceil(20 * n**1.5), as_a_rule=True),
        talib=False,
    ),
    study(
        "vwma", TRADED, length(10),
        Output("vwma", 0, lambda n: n, "Mean close of n bars weighted by volume."),
    ),
    study(
        "wcp", RANGE, (),
        Output("wcp", 0, lambda: 1, "Weighted close: (high + low + 2 close) / 4."),
    ),
    study(
        "zlma", CLOSE, length(10),
        Output("zlma", 0, lambda n: n, "EMA of the close moved on by its change over the EMA's lag (Ehlers 2010).",
               lambda n: n // 2 + ema_memory(n)),
    ),
)  # fmt: skip
