"""The bars that are there: taken out of a row before a window is counted, and put back after."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from trading.compilation import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trading.bars import Floats


@compiled
def present(row: Floats) -> NDArray[np.int64]:
    """Return the places of the bars that are there."""
    missing = 0
    for value in row:
        missing += math.isnan(value)
    if not missing:
        return np.arange(len(row))
    return np.flatnonzero(~np.isnan(row))


@compiled
def taken(row: Floats, where: NDArray[np.int64]) -> Floats:
    """Return the figures at those places."""
    return row if len(where) == len(row) else row[where]


@compiled
def placed(values: Floats, where: NDArray[np.int64], out: Floats) -> None:
    """Write values back to their places, NaN to the others."""
    if len(where) == len(out):
        out[:] = values
        return
    out[:] = np.nan
    for i in range(len(where)):
        out[where[i]] = values[i]


@compiled
def transposed(values: Floats, out: Floats) -> None:
    """Write the transpose of `values` to `out`, in blocks that fit the cache."""
    rows, columns = values.shape
    for top in range(0, rows, 64):
        for left in range(0, columns, 8):
            for column in range(left, min(left + 8, columns)):
                for row in range(top, min(top + 64, rows)):
                    out[column, row] = values[row, column]
