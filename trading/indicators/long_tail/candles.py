"""Candles and cycles of the long tail."""

from __future__ import annotations

import math

from trading.indicators.long_tail.study import BAR, CLOSE, Output, bars, faded, length, study


def _sinewave_memory(span: int, smooth: int) -> int:
    angle = 2 * math.pi / span
    high_pass = abs((1 - math.sin(angle)) / math.cos(angle))
    return span + 2 * (faded(high_pass) + faded(math.exp(-(2**0.5) * math.pi / smooth)))


STUDIES = (
    study(
        "cdl_doji", BAR, length(10),
        Output("cdl_doji", 0, lambda n: n, "100 where the body is under a tenth of the mean range of n bars, else 0."),
    ),
    study(
        "cdl_inside", BAR, (),
        Output("cdl_inside", 0, lambda: 2, "100 where the bar lies within the range of the one before, else 0."),
    ),
    study(
        "cdl_z", BAR, length(30),
        Output("cdl_z_open", 0, lambda n: n, "Open, as a distance to its average in sample deviations."),
        Output("cdl_z_high", 1, lambda n: n, "High, as a distance to its average in sample deviations."),
        Output("cdl_z_low", 2, lambda n: n, "Low, as a distance to its average in sample deviations."),
        Output("cdl_z_close", 3, lambda n: n, "Close, as a distance to its average in sample deviations."),
        ddof=1,
    ),
    study(
        "ha", BAR, (),
        Output("ha_open", 0, lambda: 1, "Heikin-Ashi open: mean of the last candle's open and close.", lambda: 31),
        Output("ha_high", 1, lambda: 1, "Heikin-Ashi high.", lambda: 31),
        Output("ha_low", 2, lambda: 1, "Heikin-Ashi low.", lambda: 31),
        Output("ha_close", 3, lambda: 1, "Heikin-Ashi close: mean of open, high, low and close."),
    ),
    study(
        "ebsw", CLOSE, (bars("length", 40, 10), bars("bars", 10, 2, 200)),
        Output(
            "ebsw", 0, lambda n, _: n + 1, "Even better sinewave, -1 to 1 (Ehlers 2013, ch. 12).", _sinewave_memory
        ),
    ),
)  # fmt: skip
