"""Windows of one symbol: sums, deviations and extremes, put together from windows of half the length.

They take log2(length) passes, and each window depends on its own values alone, to the bit.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from trading.compilation import compiled

if TYPE_CHECKING:
    from trading.bars import Floats


STILL = 1e-14
"""A deviation below this fraction of the mean is rounding, and counts as none."""


@compiled
def added(one: Floats, other: Floats, out: Floats) -> None:
    """Write the sums; views with indices from 0 on, so that the processor adds several at a time."""
    for t in range(len(out)):
        out[t] = one[t] + other[t]


@compiled
def joined(  # two windows next to each other: sums, squared deviations, and how many values are in each
    sum_a: Floats, square_a: Floats, a: int, sum_b: Floats, square_b: Floats, b: int, sums: Floats, squares: Floats
) -> None:
    """Write the sums and squared deviations of both windows together (Chan, Golub & LeVeque 1979, eq. 2.1)."""
    left, right, share = 1 / a, 1 / b, a * b / (a + b)
    for t in range(len(sums)):
        apart = sum_a[t] * left - sum_b[t] * right
        squares[t] = square_a[t] + square_b[t] + apart * apart * share
        sums[t] = sum_a[t] + sum_b[t]


@compiled
def window_sums(x: Floats, length: int) -> Floats:
    """Sum of the last `length` values; NaN before there are as many."""
    size = len(x)
    result = np.full(size, np.nan)
    if size < length:
        return result
    total, block, spare = np.zeros(size), x.copy(), np.empty(size)
    covered, width, rest = 0, 1, length
    while rest:
        if rest & 1:
            added(total[covered:], block[: size - covered], total[covered:])
            covered += width
        rest >>= 1
        if rest:
            added(block[width:], block[: size - width], spare[width:])
            spare[:width] = block[:width]
            block, spare = spare, block
            width *= 2
    result[length - 1 :] = total[length - 1 :]
    return result


@compiled
def window_means(x: Floats, length: int) -> Floats:
    """Mean of the last `length` values; NaN before there are as many."""
    return window_sums(x, length) / length


@compiled
def window_moments(x: Floats, length: int) -> tuple[Floats, Floats]:
    """Sum of each window, and its squared deviations from the mean (Chan, Golub & LeVeque 1979, eq. 2.1)."""
    size = len(x)
    sums, squares = np.full(size, np.nan), np.full(size, np.nan)
    if size < length:
        return sums, squares
    total, about = np.zeros(size), np.zeros(size)
    block, spread = x.copy(), np.zeros(size)
    spare, wider = np.empty(size), np.empty(size)
    covered, width, rest = 0, 1, length
    while rest:
        if rest & 1:
            if covered == 0:
                total[:] = block
                about[:] = spread
            else:
                new, old = total[covered:], about[covered:]
                joined(new, old, covered, block[: size - covered], spread[: size - covered], width, new, old)
            covered += width
        rest >>= 1
        if rest:
            left, right = size - width, width
            joined(
                block[right:], spread[right:], width, block[:left], spread[:left], width, spare[right:], wider[right:]
            )
            spare[:width] = block[:width]
            wider[:width] = spread[:width]
            block, spare = spare, block
            spread, wider = wider, spread
            width *= 2
    sums[length - 1 :] = total[length - 1 :]
    squares[length - 1 :] = about[length - 1 :]
    return sums, squares


@compiled
def window_deviations(x: Floats, length: int, ddof: int) -> tuple[Floats, Floats]:
    """Mean and standard deviation of each window; 0 where it stands still, NaN when length <= ddof."""
    sums, squares = window_moments(x, length)
    means = sums / length
    if length <= ddof:
        return means, np.full(len(x), np.nan)
    for t in range(length - 1, len(x)):
        floor = STILL * means[t]
        variance = squares[t] / (length - ddof)
        squares[t] = math.sqrt(variance) if variance > floor * floor else 0.0
    return means, squares


@compiled
def window_extremes(x: Floats, length: int, sign: float) -> Floats:
    """Return the highest (sign 1) or the lowest (sign -1) of the last `length` values."""
    size = len(x)
    result = np.full(size, np.nan)
    if size < length:
        return result
    block, spare, width = x * sign, np.empty(size), 1
    while 2 * width <= length:
        for t in range(width, size):
            one, other = block[t], block[t - width]
            spare[t] = max(other, one)
        spare[:width] = block[:width]
        block, spare = spare, block
        width *= 2
    shift = length - width
    for t in range(length - 1, size):
        one, other = block[t], block[t - shift]
        result[t] = sign * (max(other, one))
    return result
