"""Volume of the long tail: what is traded, and on which side."""

from __future__ import annotations

from trading.indicators.entry import ema_memory
from trading.indicators.long_tail.study import RANGE_TRADED, TRADED, VOLUME, Output, bars, length, study

_PVO = (bars("fast", 12), bars("slow", 26), bars("signal", 9))
_KVO = (bars("fast", 34), bars("slow", 55), bars("signal", 13))


def _pvo_memory(fast: int, slow: int, signal: int) -> int:
    return 2 * (ema_memory(max(fast, slow)) + ema_memory(signal))


STUDIES = (
    study(
        "ad", RANGE_TRADED, (),
        Output("ad", 0, lambda: 1, "Accumulation/distribution line, in shares since the history's first bar "
               "(Chaikin), as TA-Lib's AD.", anchored=True),
        talib=False,
    ),
    study(
        "adosc", RANGE_TRADED, (bars("fast", 3), bars("slow", 10)),
        Output("adosc", 0, max, "Chaikin oscillator: fast EMA minus slow EMA of the "
               "accumulation/distribution line.", lambda f, s: 2 * ema_memory(max(f, s))),
        talib=False,
    ),
    study(
        "cmf", RANGE_TRADED, length(20),
        Output("cmf", 0, lambda n: n, "Chaikin money flow, -1 to 1: volume by the close's place in the range."),
    ),
    study(
        "efi", TRADED, length(13),
        Output("efi", 0, lambda n: n + 1, "Force index: EMA of the change times volume (Elder 1993).",
               lambda n: 1 + 2 * ema_memory(n)),
    ),
    study(
        "eom", RANGE_TRADED, length(14),
        Output("eom", 0, lambda n: n + 1, "Ease of movement: move of the middle over volume / 1e8 per range, averaged "
               "(Arms 1989)."),
    ),
    study(
        "kvo", RANGE_TRADED, _KVO,
        Output("kvo", 0, lambda f, s, g: max(f, s) + g, "Volume oscillator after Klinger: difference of two EMAs of "
               "volume signed by the typical price.", lambda f, s, g: 1 + 2 * ema_memory(max(f, s)) + g),
        Output("kvo_signal", 1, lambda f, s, g: max(f, s) + g, "EMA of the volume oscillator.",
               lambda f, s, g: 1 + 2 * (ema_memory(max(f, s)) + ema_memory(g))),
    ),
    study(
        "mfi", RANGE_TRADED, length(14),
        Output("mfi", 0, lambda n: n + 1, "Money flow index, 0-100 (Quong and Soudack 1989); a bar that did not rise "
               "is outflow."), talib=False,
    ),
    study(
        "pvo", VOLUME, _PVO,
        Output("pvo", 0, lambda f, s, g: max(f, s), "Percentage volume oscillator of EMAs.",
               lambda f, s, g: 2 * ema_memory(max(f, s))),
        Output("pvo_histogram", 1, lambda f, s, g: max(f, s) + g - 1, "PVO minus its signal line.", _pvo_memory),
        Output("pvo_signal", 2, lambda f, s, g: max(f, s) + g - 1, "EMA of the PVO.", _pvo_memory),
    ),
    study("pvol", TRADED, (), Output("pvol", 0, lambda: 1, "Close times volume, in USD.")),
    study(
        "pvr", TRADED, (),
        Output("pvr", 0, lambda: 2, "Price volume rank: 1 both rise, 2 volume falls, 3 price falls, 4 both fall."),
    ),
    study(
        "pvt", TRADED, (),
        Output("pvt", 0, lambda: 2, "Price volume trend: volume times percent change, summed since the history's first "
               "bar.", anchored=True),
    ),
    study(
        "tsv", TRADED, (*length(18), bars("signal", 10)),
        Output("tsv", 0, lambda n, s: max(n, s) + 1, "Time segmented volume: sum of volume times change (Worden)."),
        Output("tsv_signal", 1, lambda n, s: n + s, "SMA of the time segmented volume."),
        Output("tsv_ratio", 2, lambda n, s: n + s, "Time segmented volume over its SMA."),
    ),
)  # fmt: skip
