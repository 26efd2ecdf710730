"""Recursive averages of one symbol, and the moves of its prices that are averaged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trading.compilation import compiled

if TYPE_CHECKING:
    from trading.bars import Floats


@compiled
def smoothed(x: Floats, length: int, alpha: float, first: int, seed: float) -> Floats:
    """Smooth exponentially from `seed` at index `first`: each value is alpha new and 1 - alpha old."""
    size = len(x)
    result = np.full(size, np.nan)
    if size <= first or first < length - 1:
        return result
    value, kept = seed, 1 - alpha
    result[first] = value
    for t in range(first + 1, size):
        value = kept * value + alpha * x[t]
        result[t] = value
    return result


@compiled
def mean_upto(x: Floats, length: int, first: int) -> float:
    """Return the mean of the `length` values up to index `first`."""
    total = 0.0
    for t in range(first - length + 1, min(first + 1, len(x))):
        total += x[t]
    return total / length


@compiled
def exponential(x: Floats, length: int, first: int) -> Floats:
    """Exponential average, alpha 2 / (length + 1), seeded at `first` with the mean of the `length` values to it."""
    return smoothed(x, length, 2 / (length + 1), first, mean_upto(x, length, first))


@compiled
def wilder(x: Floats, length: int) -> Floats:
    """Exponential average with alpha 1 / length, seeded with the first mean (Wilder 1978)."""
    return smoothed(x, length, 1 / length, length - 1, mean_upto(x, length, length - 1))


@compiled
def true_ranges(high: Floats, low: Floats, close: Floats) -> Floats:
    """Range of each bar from the second on, extended to the close before: (T - 1,)."""
    size = max(len(close) - 1, 0)
    result = np.empty(size)
    for t in range(size):
        top = max(close[t], high[t + 1])
        bottom = min(close[t], low[t + 1])
        result[t] = top - bottom
    return result


@compiled
def directional(moves: Floats, length: int) -> Floats:
    """Smooth as Wilder's sums do: seeded with length - 1 moves, first used one bar later."""
    size = len(moves)
    result = np.full(size, np.nan)
    if size >= length:
        value = 0.0
        for t in range(length - 1):
            value += moves[t]
        kept = 1 - 1 / length
        for t in range(length - 1, size):
            value = kept * value + moves[t]
            result[t] = value
    return result


@compiled
def returns(x: Floats) -> Floats:
    """Return simple returns: (T - 1,)."""
    size = max(len(x) - 1, 0)
    result = np.empty(size)
    for t in range(size):
        result[t] = x[t + 1] / x[t] - 1
    return result
