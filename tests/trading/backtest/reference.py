"""Backtests written a second time, plainly, to compare with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trading.bars import Floats


def average(close: Floats, length: int) -> Floats:
    """Return the simple moving average, NaN until its window is full."""
    result = np.full(len(close), np.nan)
    for row in range(length - 1, len(close)):
        result[row] = close[row - length + 1 : row + 1].mean()
    return result


def crossings(fast: Floats, slow: Floats) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return where the fast average comes above the slow one, and where it comes below."""
    above, below = np.zeros(len(fast), dtype=bool), np.zeros(len(fast), dtype=bool)
    above[1:] = (fast[:-1] < slow[:-1]) & (fast[1:] > slow[1:])
    below[1:] = (fast[:-1] > slow[:-1]) & (fast[1:] < slow[1:])
    return above, below


def long_or_flat(
    opens: Floats, closes: Floats, entries: NDArray[np.bool_], exits: NDArray[np.bool_], *, cash: float, fee: float
) -> Floats:
    """Return the equity at each close of an account that is all in, in fractions of shares, or out.

    What is decided at a close fills at the next open; `fee` is a fraction of the notional.
    """
    shares, equity = 0.0, np.empty(len(opens))
    for row in range(len(opens)):
        if row and entries[row - 1] and shares == 0:
            shares, cash = cash / (opens[row] * (1 + fee)), 0.0
        elif row and exits[row - 1] and shares > 0:
            shares, cash = 0.0, shares * opens[row] * (1 - fee)
        equity[row] = cash + shares * closes[row]
    return equity
