"""Bands and channels around the price, and true ranges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trading.compilation import compiled
from trading.indicators.kernels.rows import known, placed, shared_by_three, shared_by_two
from trading.indicators.kernels.smoothing import exponential, true_ranges, wilder
from trading.indicators.kernels.windows import window_deviations, window_extremes, window_means

if TYPE_CHECKING:
    from trading.bars import Floats


@compiled
def bollinger(close: Floats, length: int, deviations: float, out: Floats) -> None:
    """Write the average plus and minus `deviations` population deviations, and the average."""
    for i in range(len(close)):
        where, x = known(close[i])
        means, spread = window_deviations(x, length, 0)
        placed(means + deviations * spread, where, out[0, i])
        placed(means - deviations * spread, where, out[1, i])
        placed(means, where, out[2, i])


@compiled
def bollinger_place(close: Floats, length: int, deviations: float, out: Floats) -> None:
    """Write the width of the bands over their middle, and where the close stands from the lower (0) to the upper (1).

    The place is NaN where the bands meet.
    """
    for i in range(len(close)):
        where, x = known(close[i])
        means, spread = window_deviations(x, length, 0)
        place = np.full(len(x), np.nan)
        for t in range(length - 1, len(x)):
            if spread[t] > 0:
                place[t] = 0.5 + (x[t] - means[t]) / (2 * deviations * spread[t])
        placed(2 * deviations * spread / means, where, out[0, i])
        placed(place, where, out[1, i])


@compiled
def atr(high: Floats, low: Floats, close: Floats, length: int, out: Floats) -> None:
    """Write Wilder's average of the true range."""
    for i in range(len(close)):
        where, tops, bottoms, x = shared_by_three(high[i], low[i], close[i])
        placed(wilder(true_ranges(tops, bottoms, x), length), where, out[0, i])


@compiled
def atr_simple(high: Floats, low: Floats, close: Floats, length: int, out: Floats) -> None:
    """Write the simple mean of the true range."""
    for i in range(len(close)):
        where, tops, bottoms, x = shared_by_three(high[i], low[i], close[i])
        placed(window_means(true_ranges(tops, bottoms, x), length), where, out[0, i])


@compiled
def donchian(high: Floats, low: Floats, length: int, out: Floats) -> None:
    """Write the highest high and the lowest low of the last `length` bars, this one included, and their middle."""
    for i in range(len(high)):
        where, tops, bottoms = shared_by_two(high[i], low[i])
        top, bottom = window_extremes(tops, length, 1.0), window_extremes(bottoms, length, -1.0)
        placed(top, where, out[0, i])
        placed(bottom, where, out[1, i])
        placed((top + bottom) / 2, where, out[2, i])


@compiled
def keltner(high: Floats, low: Floats, close: Floats, length: int, bars: int, multiple: float, out: Floats) -> None:
    """Write the exponential average of the close plus and minus `multiple` average true ranges of `bars`."""
    for i in range(len(close)):
        where, tops, bottoms, x = shared_by_three(high[i], low[i], close[i])
        middle = exponential(x, length, length - 1)[1:]
        reach = multiple * wilder(true_ranges(tops, bottoms, x), bars)
        placed(middle + reach, where, out[0, i])
        placed(middle - reach, where, out[1, i])
