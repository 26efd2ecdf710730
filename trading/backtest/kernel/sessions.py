"""Where the sessions of bars begin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trading.compilation import compiled

if TYPE_CHECKING:
    from trading.backtest.kernel.accounts import Integers


@compiled
def first_rows(stamps: Integers, bounds: Integers) -> Integers:
    """Return the first row at or after each bound, as `np.searchsorted` does; both are in rising order.

    A search begins where the last one ended, with a leap as long as the last session: sessions are mostly of one
    length, so most are found at the first look, and bars in between are never fetched.
    """
    count = len(stamps)
    rows = np.empty(len(bounds), np.int64)
    low, length = 0, 1
    for number in range(len(bounds)):
        bound, start = bounds[number], low
        if low < count and stamps[low] < bound:
            step = length
            while low + step <= count and stamps[low + step - 1] < bound:
                low += step
                step *= 2
            high = min(low + step - 1, count)
            if low < count and stamps[low] >= bound:
                high = low
            while low < high:
                middle = (low + high) // 2
                if stamps[middle] < bound:
                    low = middle + 1
                else:
                    high = middle
            length = low - start
        rows[number] = low
    return rows
