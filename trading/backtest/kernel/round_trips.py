"""Round trips: fills matched first in first out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trading.backtest.kernel.accounts import SPLIT
from trading.compilation import compiled

if TYPE_CHECKING:
    from trading.backtest.kernel.accounts import Integers
    from trading.bars import Floats


@compiled
def pair(fills: Integers, figures: Floats, columns: int) -> tuple[Integers, Floats]:
    """Return the closed round trips of fills, first in first out per column.

    Returns
    -------
    (R, 2) the fills that opened and closed each; (R, 5) quantity (signed, as entered), entry price, exit price,
    and the share of either fill's fee, USD. A split changes the quantity and price of what is open.
    """
    count = len(fills)
    head, tail = np.full(columns, -1, np.int64), np.full(columns, -1, np.int64)
    following, left, price = np.full(count, -1, np.int64), np.zeros(count), np.zeros(count)
    whole = np.zeros(count)
    trips, values = np.empty((2 * count, 2), np.int64), np.empty((2 * count, 5))
    found = 0
    for at in range(count):
        column = fills[at, 1]
        if fills[at, 2] == SPLIT:
            lot = head[column]
            while lot >= 0:
                left[lot] *= figures[at, 0]
                whole[lot] *= figures[at, 0]
                price[lot] /= figures[at, 0]
                lot = following[lot]
            continue
        rest = figures[at, 0]
        size = abs(rest)
        while rest != 0 and head[column] >= 0 and left[head[column]] * rest < 0:
            lot = head[column]
            taken = min(abs(left[lot]), abs(rest))
            signed = taken if left[lot] > 0 else -taken
            trips[found, 0], trips[found, 1] = lot, at
            values[found, 0], values[found, 1], values[found, 2] = signed, price[lot], figures[at, 1]
            values[found, 3] = figures[lot, 2] * (taken / whole[lot])
            values[found, 4] = figures[at, 2] * (taken / size)
            found += 1
            left[lot] -= signed
            rest += signed
            if left[lot] == 0:
                head[column] = following[lot]
        if rest != 0:
            left[at], whole[at], price[at] = rest, size, figures[at, 1]
            if head[column] < 0:
                head[column] = at
            else:
                following[tail[column]] = at
            tail[column] = at
    return trips[:found], values[:found]
