"""The arithmetic of indicators: each kernel takes the bars of one symbol, oldest first, without gaps.

Definitions are fixed here rather than borrowed, because libraries disagree on seeds and degrees of freedom:
averages are seeded with the simple mean of their first window (as TA-Lib does), Bollinger bands use the
population deviation. Every result is as long as its input, NaN until its window is full.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from trading.bars import Floats

SESSIONS_PER_YEAR = 252
"""Bars per year used to annualise daily figures."""


def _windows(values: Floats, length: int) -> Floats:
    return np.lib.stride_tricks.sliding_window_view(values, length)


def _rolling(values: Floats, length: int, reduce: Callable[[Floats], Floats]) -> Floats:
    result = np.full(len(values), np.nan)
    if len(values) >= length:
        result[length - 1 :] = reduce(_windows(values, length))
    return result


def sma(close: Floats, length: int) -> Floats:
    """Return the mean of the last `length` values."""
    return _rolling(close, length, lambda windows: windows.mean(axis=-1))


def _deviation(values: Floats, length: int, ddof: int) -> Floats:
    if length <= ddof:
        return np.full(len(values), np.nan)
    return _rolling(values, length, lambda windows: windows.std(axis=-1, ddof=ddof))


def _smoothed(values: Floats, length: int, alpha: float) -> Floats:
    """Smooth exponentially, seeded with the mean of the first `length` values at index length - 1."""
    import pandas as pd

    result = np.full(len(values), np.nan)
    if len(values) >= length:
        seeded = np.concatenate(([values[:length].mean()], values[length:]))
        result[length - 1 :] = pd.Series(seeded).ewm(alpha=alpha, adjust=False).mean().to_numpy()
    return result


def ema(close: Floats, length: int) -> Floats:
    """Return the exponential average with alpha = 2 / (length + 1)."""
    return _smoothed(close, length, 2 / (length + 1))


def wilder(values: Floats, length: int) -> Floats:
    """Return Wilder's average, alpha = 1 / length (Wilder 1978)."""
    return _smoothed(values, length, 1 / length)


def _after_first(values: Floats, bars: int = 1) -> Floats:
    return np.concatenate((np.full(bars, np.nan), values))


def rsi(close: Floats, length: int) -> Floats:
    """Return 100 * up / (up + down) of Wilder's averages of rises and falls; 50 where nothing moved."""
    change = np.diff(close)
    rises, falls = wilder(np.maximum(change, 0), length), wilder(np.maximum(-change, 0), length)
    total = rises + falls
    with np.errstate(invalid="ignore", divide="ignore"):
        return _after_first(np.where(total == 0, 50.0, 100 * rises / total))


def macd(close: Floats, fast: int, slow: int, signal: int) -> Floats:  # noqa: ARG001 - one spec for three lines
    """Return the fast minus the slow exponential average."""
    return ema(close, fast) - ema(close, slow)


def macd_signal(close: Floats, fast: int, slow: int, signal: int) -> Floats:
    """Return the exponential average of the MACD line, seeded at its first value."""
    line = macd(close, fast, slow, signal)
    start = max(fast, slow) - 1
    if len(line) <= start:
        return line
    return _after_first(ema(line[start:], signal), start)


def macd_histogram(close: Floats, fast: int, slow: int, signal: int) -> Floats:
    """Return the MACD line minus its signal."""
    return macd(close, fast, slow, signal) - macd_signal(close, fast, slow, signal)


def bollinger_upper(close: Floats, length: int, deviations: float) -> Floats:
    """Return the average plus `deviations` population deviations."""
    return sma(close, length) + deviations * _deviation(close, length, 0)


def bollinger_lower(close: Floats, length: int, deviations: float) -> Floats:
    """Return the average minus `deviations` population deviations."""
    return sma(close, length) - deviations * _deviation(close, length, 0)


def bollinger_width(close: Floats, length: int, deviations: float) -> Floats:
    """Return the distance of the bands over their middle."""
    return 2 * deviations * _deviation(close, length, 0) / sma(close, length)


def bollinger_percent(close: Floats, length: int, deviations: float) -> Floats:
    """Return where the close stands between the lower (0) and the upper (1) band; NaN when they meet."""
    lower = bollinger_lower(close, length, deviations)
    span = bollinger_upper(close, length, deviations) - lower
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(span > 0, (close - lower) / span, np.nan)


def true_range(high: Floats, low: Floats, close: Floats) -> Floats:
    """Return, from the second bar on, the range of each bar extended to the previous close: (T - 1,)."""
    previous = close[:-1]
    spread: Floats = np.maximum(high[1:], previous) - np.minimum(low[1:], previous)
    return spread


def atr(high: Floats, low: Floats, close: Floats, length: int) -> Floats:
    """Return Wilder's average of the true range."""
    return _after_first(wilder(true_range(high, low, close), length))


def atr_simple(high: Floats, low: Floats, close: Floats, length: int) -> Floats:
    """Return the simple mean of the true range, which depends on its window alone."""
    return _after_first(sma(true_range(high, low, close), length))


def adx(high: Floats, low: Floats, length: int) -> Floats:
    """Return Wilder's average of 100 * |DI+ - DI-| / (DI+ + DI-); 0 where neither moves."""
    up, down = np.diff(high), -np.diff(low)
    rising = np.where((up > down) & (up > 0), up, 0.0)
    falling = np.where((down > up) & (down > 0), down, 0.0)
    plus, minus = _directional(rising, length), _directional(falling, length)
    total = plus + minus  # the true range, and with it the close, cancels in the ratio of the two
    with np.errstate(invalid="ignore", divide="ignore"):
        index = np.where(total == 0, 0.0, 100 * np.abs(plus - minus) / total)
    start = length - 1
    return _after_first(wilder(index[start:], length), start + 1) if len(index) > start else _after_first(index)


def _directional(moves: Floats, length: int) -> Floats:
    """Smooth as Wilder's sums do: seeded with length - 1 moves, first used one bar later."""
    import pandas as pd

    result = np.full(len(moves), np.nan)
    if len(moves) >= length:
        seeded = np.concatenate(([moves[: length - 1].sum() / length], moves[length - 1 :]))
        result[length - 1 :] = pd.Series(seeded).ewm(alpha=1 / length, adjust=False).mean().to_numpy()[1:]
    return result


def roc(close: Floats, length: int) -> Floats:
    """Return the change over `length` bars in percent."""
    return _after_first(100 * (close[length:] / close[:-length] - 1), min(length, len(close)))


def volatility(close: Floats, length: int) -> Floats:
    """Return the sample deviation (ddof 1) of `length` log returns, times the root of 252."""
    returns = np.diff(np.log(close))
    return _after_first(_deviation(returns, length, 1) * math.sqrt(SESSIONS_PER_YEAR))


def mean_return(close: Floats, length: int) -> Floats:
    """Return the mean of `length` simple returns, times 252."""
    return _after_first(sma(np.diff(close) / close[:-1], length) * SESSIONS_PER_YEAR)


def zscore(close: Floats, length: int) -> Floats:
    """Return the distance to the average in sample deviations (ddof 1); NaN where the close stands still."""
    deviation = _deviation(close, length, 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(deviation > 0, (close - sma(close, length)) / deviation, np.nan)


def dollar_volume(close: Floats, volume: Floats, length: int) -> Floats:
    """Return the mean of close times volume, in USD."""
    return sma(close * volume, length)


def average_volume(volume: Floats, length: int) -> Floats:
    """Return the mean volume, in shares."""
    return sma(volume, length)
