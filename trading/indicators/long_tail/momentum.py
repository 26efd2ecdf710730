"""Momentum of the long tail: how fast, how far and how steadily prices move."""

from __future__ import annotations

from trading.indicators.entry import ema_memory, forgotten, wilder_memory
from trading.indicators.long_tail.study import (
    BAND,
    BAR,
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

_FAST_SLOW = (bars("fast", 12), bars("slow", 26))
_PPO = (*_FAST_SLOW, bars("signal", 9))
_TSI = (bars("fast", 13), bars("slow", 25), bars("signal", 13))
_SMI = (bars("fast", 5), bars("slow", 20), bars("signal", 5))
_KST = (*(bars(f"roc{i}", n) for i, n in enumerate((10, 15, 20, 30), 1)),
        *(bars(f"sma{i}", n) for i, n in enumerate((10, 10, 10, 15), 1)), bars("signal", 9))  # fmt: skip
_SQUEEZE = (bars("bb_length", 20), number("bb_std", 2), bars("kc_length", 20), number("kc_scalar", 1.5),
            bars("mom_length", 12), bars("mom_smooth", 6))  # fmt: skip
_SQUEEZE_PRO = (bars("bb_length", 20), number("bb_std", 2), bars("kc_length", 20),
                bars("mom_length", 12), bars("mom_smooth", 6))  # fmt: skip
_STOCHRSI = (bars("length", 14), bars("rsi_length", 14), bars("k", 3), bars("d", 3))
_TMO = (bars("tmo_length", 14), bars("calc_length", 5), bars("smooth_length", 3))
_UO = (bars("fast", 7), bars("medium", 14), bars("slow", 28))


def _tsi_warm_up(fast: int, slow: int, signal: int) -> int:
    return max(fast + slow, max(fast, slow) + signal + 1)


def _tsi_signal_warm_up(fast: int, slow: int, signal: int) -> int:
    return max(fast + slow + signal - 1, max(fast, slow) + signal + 1)


def _tsi_memory(fast: int, slow: int, _: int) -> int:
    return 1 + 2 * (ema_memory(slow) + ema_memory(fast))


def _tsi_signal_memory(fast: int, slow: int, signal: int) -> int:
    return _tsi_memory(fast, slow, signal) + ema_memory(signal)


def _kst_warm_up(*values: int) -> int:
    return max(values[i] + values[i + 4] for i in range(4))


def _squeezed(b: int, _b: float, k: int, _k: float, m: int, s: int) -> int:
    return max(b, k, m, s) + 1


def _squeezed_pro(b: int, _: float, k: int, m: int, s: int) -> int:
    return max(b, k, m, s) + 1


def _tmo_warm_up(span: int, calc: int, smooth: int) -> int:
    return span + calc + smooth - 1


def _tmo_memory(span: int, calc: int, smooth: int) -> int:
    return span + ema_memory(calc) + ema_memory(smooth)


def _qqe_warm_up(span: int, smooth: int, _: float) -> int:
    return span + smooth + 2 * (2 * span - 2) + 1


def _inertia_memory(_: int, span: int) -> int:
    return 2 * ema_memory(span) + span


STUDIES = (
    study(
        "ao", BAND, (bars("fast", 5), bars("slow", 34)),
        Output("ao", 0, max, "Awesome oscillator: difference of two SMAs of the bar's middle "
               "(Williams 1998)."),
    ),
    study(
        "apo", CLOSE, _FAST_SLOW,
        Output("apo", 0, max, "Absolute price oscillator: fast SMA minus slow SMA."), talib=False,
    ),
    study("bias", CLOSE, length(26), Output("bias", 0, lambda n: n, "Close over its SMA, minus 1.")),
    study(
        "bop", BAR, (),
        Output("bop", 0, lambda: 1, "Balance of power: (close - open) / (high - low) (Livshin 2001)."), talib=False,
    ),
    study(
        "brar", BAR, length(26),
        Output("brar_ar", 0, lambda n: n, "AR: 100 times the sum of high - open over that of open - low."),
        Output("brar_br", 1, lambda n: n + 1, "BR: 100 times the sum of high - last close over last close - low, "
               "each at least 0."),
    ),
    study(
        "cci", RANGE, length(14),
        Output("cci", 0, lambda n: n, "Commodity channel index: typical price minus its SMA, over 0.015 mean absolute "
               "deviations (Lambert 1980), as TA-Lib's CCI."),
    ),
    study(
        "cmo", CLOSE, length(14),
        Output("cmo", 0, lambda n: n + 1, "Chande momentum oscillator, -100 to 100, of sums (Chande 1994)."),
        talib=False,
    ),
    study(
        "coppock", CLOSE, (bars("length", 10), bars("fast", 11), bars("slow", 14)),
        Output("coppock", 0, lambda n, f, s: n + f + s, "WMA of the sum of two rates of change (Coppock 1962)."),
    ),
    study(
        "cti", CLOSE, length(12, least=3),
        Output("cti", 0, lambda n: n, "Correlation trend indicator: correlation of n closes with time (Ehlers 2020)."),
    ),
    study(
        "dm", BAND, length(14),
        Output("dm_plus", 0, lambda n: n, "Wilder's average of the upward moves, in USD (Wilder 1978, ch. 4).",
               lambda n: 1 + wilder_memory(n)),
        Output("dm_minus", 1, lambda n: n, "Wilder's average of the downward moves, in USD (Wilder 1978, ch. 4).",
               lambda n: 1 + wilder_memory(n)),
        talib=False,
    ),
    study(
        "er", CLOSE, length(10),
        Output("er", 0, lambda n: n + 1, "Efficiency ratio: net move over the sum of moves (Kaufman 1995)."),
    ),
    study(
        "eri", RANGE, length(13),
        Output("eri_bull", 0, lambda n: n, "Bull power: high minus the EMA of the close (Elder 1993).", ema_memory),
        Output("eri_bear", 1, lambda n: n, "Bear power: low minus the EMA of the close (Elder 1993).", ema_memory),
    ),
    study(
        "exhc", CLOSE, length(4),
        Output("exhc_down", 0, lambda n: n + 1, "Bars in a row below the close n bars before, 13 at most.",
               lambda n: n + 14),
        Output("exhc_up", 1, lambda n: n + 1, "Bars in a row above the close n bars before, 13 at most.",
               lambda n: n + 14),
        cap=13, show_all=True,
    ),
    study(
        "fisher", BAND, (*length(9), bars("signal", 1, 1)),
        Output("fisher", 0, lambda n, _: n + 1, "Fisher transform of the place in the range (Ehlers 2002).",
               lambda n, _: n + 2 * forgotten(1 / 3) + 30),
        Output("fisher_signal", 1, lambda n, s: n + 1 + s, "The Fisher transform signal bars before.",
               lambda n, s: n + s + 2 * forgotten(1 / 3) + 30),
    ),
    study(
        "inertia", CLOSE, (bars("length", 20), bars("rvi_length", 14)),
        Output("inertia", 0, lambda n, r: n + 2 * r - 2, "End of the least-squares line through the relative "
               "volatility index (Dorsey 1995).", lambda n, r: n + _inertia_memory(n, r)),
    ),
    study(
        "kdj", RANGE, (bars("length", 9), bars("signal", 3)),
        Output("kdj_k", 0, lambda n, s: n + max(s + 1, 2 * s - 2), "K: Wilder's average of the raw stochastic.",
               lambda n, s: n + wilder_memory(s)),
        Output("kdj_d", 1, lambda n, s: n + max(s + 1, 2 * s - 2), "D: Wilder's average of K.",
               lambda n, s: n + 2 * wilder_memory(s)),
        Output("kdj_j", 2, lambda n, s: n + max(s + 1, 2 * s - 2), "J: 3 K - 2 D.",
               lambda n, s: n + 2 * wilder_memory(s)),
    ),
    study(
        "kst", CLOSE, _KST,
        Output("kst", 0, _kst_warm_up, "Know sure thing: weighted sum of four smoothed rates of change (Pring 1992), "
               "times 100."),
        Output("kst_signal", 1, lambda *v: _kst_warm_up(*v) + v[8] - 1, "SMA of the know sure thing."),
    ),
    study(
        "mom", CLOSE, length(10), Output("mom", 0, lambda n: n + 1, "Change over n bars, in USD."), talib=False,
    ),
    study(
        "pgo", RANGE, length(14),
        Output("pgo", 0, lambda n: 2 * n, "Pretty good oscillator: distance to the SMA in EMAs of the ATR (Johnson).",
               lambda n: 1 + wilder_memory(n) + ema_memory(n)),
    ),
    study(
        "ppo", CLOSE, _PPO,
        Output("ppo", 0, lambda f, s, _: max(f, s), "Percentage price oscillator of SMAs, as TA-Lib's PPO."),
        Output("ppo_histogram", 1, lambda f, s, g: max(f, s) + g - 1, "PPO minus its signal line.",
               lambda f, s, g: max(f, s) + ema_memory(g)),
        Output("ppo_signal", 2, lambda f, s, g: max(f, s) + g - 1, "EMA of the PPO.",
               lambda f, s, g: max(f, s) + ema_memory(g)),
        talib=False,
    ),
    study(
        "psl", CLOSE, length(12),
        Output("psl", 0, lambda n: n + 1, "Psychological line: share of rising bars among n, in percent."),
    ),
    study(
        "qqe", CLOSE, (bars("length", 14), bars("smooth", 5), number("factor", 4.236)),
        Output("qqe", 0, _qqe_warm_up, "Quantitative qualitative estimation: trailing line of a smoothed RSI.",
               turned, as_a_rule=True),
        Output("qqe_rsi", 1, lambda n, s, _: 2 * n - 1 + s, "The smoothed RSI of the QQE.",
               lambda n, s, _: 1 + wilder_memory(n) + ema_memory(s)),
    ),
    study(
        "rsx", CLOSE, length(14),
        Output("rsx", 0, lambda n: n + 1, "RSX: Jurik's smooth RSI, as reverse-engineered.",
               lambda n: n + 5 + 8 * forgotten(3 / (n + 2)) if n > 1 else 10),
    ),
    study(
        "rvgi", BAR, (*length(14), bars("swma_length", 4, 2, 200)),
        Output("rvgi", 0, lambda n, s: n + 2 * s - 2, "Relative vigor index: smoothed body over smoothed range "
               "(Ehlers 2002)."),
        Output("rvgi_signal", 1, lambda n, s: n + 2 * s - 2, "Symmetric average of the relative vigor index."),
    ),
    study("slope", CLOSE, length(1, least=1), Output("slope", 0, lambda n: n + 1, "Change a bar over n bars, in USD.")),
    study(
        "smi", CLOSE, _SMI,
        Output("smi", 0, _tsi_warm_up, "SMI ergodic: double-smoothed change over double-smoothed size of "
               "change, -1 to 1 (Blau 1995).", _tsi_memory),
        Output("smi_signal", 1, _tsi_signal_warm_up, "EMA of the SMI ergodic.", _tsi_signal_memory),
        Output("smi_oscillator", 2, _tsi_signal_warm_up, "SMI ergodic minus its signal.",
               _tsi_signal_memory),
    ),
    study(
        "squeeze", RANGE, _SQUEEZE,
        Output("squeeze", 0, lambda b, _b, k, _k, m, s: max(b, k, m + s - 1, s) + 1, "Squeeze momentum: SMA of the "
               "change of the close (Carter 2006)."),
        Output("squeeze_on", 1, _squeezed, "1 while the Bollinger bands lie within the Keltner channel, else 0."),
        Output("squeeze_off", 2, _squeezed, "1 while the Bollinger bands lie outside the Keltner channel, else 0."),
        mamode="sma",
    ),
    study(
        "squeeze_pro", RANGE, _SQUEEZE_PRO,
        Output("squeeze_pro", 0, lambda b, _, k, m, s: max(b, k, m + s - 1, s) + 1, "Squeeze momentum: SMA of the "
               "change of the close (Carter)."),
        Output("squeeze_pro_wide", 1, _squeezed_pro, "1 while the Bollinger bands lie within 2 ranges, else 0."),
        Output("squeeze_pro_normal", 2, _squeezed_pro, "1 while the Bollinger bands lie within 1.5 ranges, else 0."),
        Output("squeeze_pro_narrow", 3, _squeezed_pro, "1 while the Bollinger bands lie within 1 range, else 0."),
        mamode="sma",
    ),
    study(
        "stochf", RANGE, (bars("k", 14), bars("d", 3)),
        Output("stochf_k", 0, lambda k, d: k + d - 1, "Fast %K, 0-100 (Lane 1984)."),
        Output("stochf_d", 1, lambda k, d: k + d - 1, "Fast %D: SMA of fast %K."),
        talib=False,
    ),
    study(
        "stochrsi", CLOSE, _STOCHRSI,
        Output("stochrsi_k", 0, lambda n, r, k, d: n + r + max(k - 1, 2), "Stochastic of the RSI, averaged "
               "(Chande and Kroll 1994).", lambda n, r, k, d: n + k + 2 * wilder_memory(r)),
        Output("stochrsi_d", 1, lambda n, r, k, d: n + r + k + d - 2, "SMA of stochrsi_k.",
               lambda n, r, k, d: n + k + d + 2 * wilder_memory(r)),
    ),
    study(
        "tmo", BODY, _TMO,
        Output("tmo", 0, _tmo_warm_up, "True momentum oscillator: smoothed count of opens below the close (Mobius).",
               _tmo_memory),
        Output("tmo_signal", 1, lambda n, c, s: _tmo_warm_up(n, c, s) + s - 1, "EMA of the true momentum oscillator.",
               lambda n, c, s: _tmo_memory(n, c, s) + ema_memory(s)),
    ),
    study(
        "trix", CLOSE, (bars("length", 30), bars("signal", 9, 1)),
        Output("trix", 0, lambda n, s: 3 * max(n, s) - 1, "Rate of change of a triple EMA, in percent (Hutson 1983).",
               lambda n, s: 3 * ema_memory(max(n, s)) + 1),
        Output("trix_signal", 1, lambda n, s: 3 * max(n, s) + min(n, s) - 2, "SMA of the TRIX.",
               lambda n, s: 3 * ema_memory(max(n, s)) + min(n, s)),
    ),
    study(
        "tsi", CLOSE, _TSI,
        Output("tsi", 0, _tsi_warm_up, "True strength index, -100 to 100 (Blau 1991).", _tsi_memory),
        Output("tsi_signal", 1, _tsi_signal_warm_up, "EMA of the true strength index.", _tsi_signal_memory),
    ),
    study(
        "uo", RANGE, _UO,
        Output("uo", 0, lambda f, m, s: max(f, m, s) + 1, "Ultimate oscillator, 0-100 (Williams 1985), as TA-Lib's "
               "ULTOSC."),
        talib=False,
    ),
    study(
        "willr", RANGE, length(14),
        Output("willr", 0, lambda n: n, "Williams %R, -100 to 0 (Williams 1973)."), talib=False,
    ),
)  # fmt: skip
