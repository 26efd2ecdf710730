"""Trend of the long tail: whether there is one, which way, and where it would end."""

from __future__ import annotations

from trading.indicators.entry import ema_memory, wilder_memory
from trading.indicators.long_tail.study import (
    BAND,
    BAR_TRADED,
    BODY,
    CLOSE,
    RANGE,
    Output,
    bars,
    length,
    number,
    study,
    turned,
)

_ALPHATREND = (*length(14), number("multiplier", 1, 0.01, 10), number("threshold", 50, 1, 99), bars("lag", 2))
_AMAT = (bars("fast", 8), bars("slow", 21), bars("lookback", 2))


def _amat_warm_up(fast: int, slow: int, lookback: int) -> int:
    return max(fast, slow) + lookback


def _amat_memory(fast: int, slow: int, lookback: int) -> int:
    return ema_memory(max(fast, slow)) + lookback


STUDIES = (
    study(
        "alphatrend", BAR_TRADED, _ALPHATREND,
        Output("alphatrend", 0, lambda n, m, t, g: 2 * n - 1 + g,
               "Trailing line at a multiple of the mean true range, on the side of the money flow index (Ozkaya).",
               turned, as_a_rule=True),
        Output("alphatrend_lagged", 1, lambda n, m, t, g: 2 * n - 1 + g, "The alphatrend lag bars before.",
               turned, as_a_rule=True),
        talib=False,
    ),
    study(
        "amat", CLOSE, _AMAT,
        Output("amat_long", 0, _amat_warm_up, "1 while the fast EMA has risen over lookback bars, else 0 "
               "(archer moving averages trends).", _amat_memory),
        Output("amat_short", 1, _amat_warm_up, "1 while the fast EMA has fallen over lookback bars, else 0.",
               _amat_memory),
    ),
    study(
        "aroon", BAND, length(14),
        Output("aroon_down", 0, lambda n: n + 1, "100 at a low of n bars, 0 when it was n bars ago (Chande 1995)."),
        Output("aroon_up", 1, lambda n: n + 1, "100 at a high of n bars, 0 when it was n bars ago (Chande 1995)."),
        Output("aroon_oscillator", 2, lambda n: n + 1, "Aroon up minus Aroon down."),
        talib=False,
    ),
    study(
        "chop", RANGE, length(14),
        Output("chop", 0, lambda n: n + 1, "Choppiness index, 0-100, high without a trend (Dreiss 1993)."),
    ),
    study(
        "cksp", RANGE, (bars("p", 10), number("x", 1)),
        Output("cksp_long", 0, lambda p, _: p + 9, "Chande-Kroll stop of a long position, over 9 bars "
               "(Chande and Kroll 1994).", lambda p, _: 10 + wilder_memory(p)),
        Output("cksp_short", 1, lambda p, _: p + 9, "Chande-Kroll stop of a short position, over 9 bars.",
               lambda p, _: 10 + wilder_memory(p)),
        tvmode=True, q=9.0,
    ),
    study(
        "decreasing", CLOSE, length(1, least=1),
        Output("decreasing", 0, lambda n: n + 1, "1 where the close is below that n bars before, else 0."),
    ),
    study(
        "dpo", CLOSE, length(20),
        Output("dpo", 0, lambda n: n + n // 2 + 1, "Close minus the SMA of n / 2 + 1 bars ago: detrended without "
               "looking ahead."),
        centered=False,
    ),
    study(
        "increasing", CLOSE, length(1, least=1),
        Output("increasing", 0, lambda n: n + 1, "1 where the close is above that n bars before, else 0."),
    ),
    study(
        "psar", BAND, (number("af0", 0.02, 0.001, 0.2), number("max_af", 0.2, 0.01, 1)),
        Output("psar", (0, 1), lambda *_: 2, "Parabolic stop and reverse (Wilder 1978, ch. 2), held beyond "
               "the last bar only, not the last two.", turned, as_a_rule=True),
        Output("psar_factor", 2, lambda *_: 2, "Acceleration factor of the parabolic stop and reverse.",
               turned, as_a_rule=True),
        Output("psar_reversal", 3, lambda *_: 2, "1 at a bar where the parabolic reverses, else 0.",
               turned, as_a_rule=True),
    ),
    study(
        "qstick", BODY, length(10),
        Output("qstick", 0, lambda n: n, "Mean of close minus open over n bars, in USD (Chande 1994)."),
    ),
    study(
        "rwi", RANGE, length(14),
        Output("rwi_high", 0, lambda n: n + 1, "Random walk index of highs: the move over that of a random walk "
               "(Poulos 1991).", lambda n: 1 + wilder_memory(n)),
        Output("rwi_low", 1, lambda n: n + 1, "Random walk index of lows.", lambda n: 1 + wilder_memory(n)),
        talib=False,
    ),
    study(
        "ttm_trend", RANGE, length(6),
        Output("ttm_trend", 0, lambda n: n, "1 above the mean middle of n bars, else -1 (Carter 2006)."),
    ),
    study(
        "vhf", CLOSE, length(28),
        Output("vhf", 0, lambda n: n + 1, "Vertical horizontal filter: range of closes over the sum of moves "
               "(White 1991)."),
    ),
    study(
        "vortex", RANGE, length(14),
        Output("vortex_plus", 0, lambda n: n + 1, "VI+: upward moves over the true range (Botes and Siepman 2010)."),
        Output("vortex_minus", 1, lambda n: n + 1, "VI-: downward moves over the true range."),
    ),
)  # fmt: skip
