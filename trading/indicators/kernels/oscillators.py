"""Oscillators: the strength of moves, and the close's place in its range."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trading.compilation import compiled
from trading.indicators.kernels.rows import known, placed, shared_by_three, shared_by_two
from trading.indicators.kernels.smoothing import directional, exponential, wilder
from trading.indicators.kernels.windows import window_extremes, window_means

if TYPE_CHECKING:
    from trading.bars import Floats


@compiled
def rsi(close: Floats, length: int, out: Floats) -> None:
    """Write 100 * up / (up + down) of Wilder's averages of rises and falls; 50 where nothing moved."""
    for i in range(len(close)):
        where, x = known(close[i])
        result = np.full(len(x), np.nan)
        if len(x) > length:
            up, down = 0.0, 0.0
            for t in range(1, length + 1):
                change = x[t] - x[t - 1]
                up += max(change, 0.0)
                down += max(-change, 0.0)
            alpha = 1 / length
            kept = 1 - alpha
            up, down = up * alpha, down * alpha
            result[length] = 100 * up / (up + down) if up + down > 0 else 50.0
            for t in range(length + 1, len(x)):
                change = x[t] - x[t - 1]
                up = kept * up + alpha * max(change, 0.0)
                down = kept * down + alpha * max(-change, 0.0)
                result[t] = 100 * up / (up + down) if up + down > 0 else 50.0
        placed(result, where, out[0, i])


@compiled
def macd(close: Floats, fast: int, slow: int, signal: int, out: Floats) -> None:
    """Write the fast minus the slow exponential average, its exponential average, and the difference of the two.

    Both averages are seeded at the bar where the longer has its first value.
    """
    for i in range(len(close)):
        where, x = known(close[i])
        first = max(fast, slow) - 1
        line = exponential(x, fast, first) - exponential(x, slow, first)
        smooth = np.full(len(x), np.nan)
        if len(x) > first:
            smooth[first:] = exponential(line[first:], signal, signal - 1)
        placed(line, where, out[0, i])
        placed(smooth, where, out[1, i])
        placed(line - smooth, where, out[2, i])


@compiled
def adx(high: Floats, low: Floats, length: int, out: Floats) -> None:
    """Write Wilder's average of 100 * |DI+ - DI-| / (DI+ + DI-), 0 where neither moves.

    The true range, and with it the close, cancels in the ratio of the two.
    """
    for i in range(len(high)):
        where, tops, bottoms = shared_by_two(high[i], low[i])
        size = max(len(tops) - 1, 0)
        rising, falling, index = np.zeros(size), np.zeros(size), np.zeros(size)
        for t in range(size):
            up, down = tops[t + 1] - tops[t], bottoms[t] - bottoms[t + 1]
            rising[t] = up if up > down and up > 0 else 0.0
            falling[t] = down if down > up and down > 0 else 0.0
        plus, minus = directional(rising, length), directional(falling, length)
        for t in range(length - 1, size):
            total = plus[t] + minus[t]
            index[t] = 100 * abs(plus[t] - minus[t]) / total if total > 0 else 0.0
        placed(wilder(index[length - 1 :], length), where, out[0, i])


@compiled
def stochastic(high: Floats, low: Floats, close: Floats, length: int, slowing: int, signal: int, out: Floats) -> None:
    """Write %K, the mean over `slowing` bars of the close's place in the range of `length` bars, and its mean %D.

    The place is 0 to 100, and 0 where the range is a point.
    """
    for i in range(len(close)):
        where, tops, bottoms, x = shared_by_three(high[i], low[i], close[i])
        top, bottom = window_extremes(tops, length, 1.0), window_extremes(bottoms, length, -1.0)
        first = length - 1
        place = np.zeros(max(len(x) - first, 0))
        for t in range(first, len(x)):
            if top[t] > bottom[t]:
                place[t - first] = 100 * (x[t] - bottom[t]) / (top[t] - bottom[t])
        k = window_means(place, slowing)
        placed(k, where, out[0, i])
        placed(window_means(k[slowing - 1 :], signal), where, out[1, i])


@compiled
def roc(close: Floats, length: int, out: Floats) -> None:
    """Write the change over `length` bars in percent."""
    for i in range(len(close)):
        where, x = known(close[i])
        result = np.full(len(x), np.nan)
        for t in range(length, len(x)):
            result[t] = 100 * (x[t] / x[t - length] - 1)
        placed(result, where, out[0, i])
