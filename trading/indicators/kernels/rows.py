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
def known(row: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Return where a symbol has a bar, and its figures there."""
    where = present(row)
    return where, taken(row, where)


@compiled
def shared_by_two(a: Floats, b: Floats) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Return where both rows of a symbol have a figure, and the figures of each there."""
    where = present(a + b)
    return where, taken(a, where), taken(b, where)


@compiled
def shared_by_three(a: Floats, b: Floats, c: Floats) -> tuple[NDArray[np.int64], Floats, Floats, Floats]:
    """Return where all three rows of a symbol have a figure, and the figures of each there."""
    where = present(a + b + c)
    return where, taken(a, where), taken(b, where), taken(c, where)


@compiled
def placed(values: Floats, where: NDArray[np.int64], out: Floats) -> None:
    """Write values back to the last of the places, NaN to those before them and to where no bar is.

    So what needs a bar before it, such as a return, is handed over as it is: one value shorter.
    """
    late = len(where) - len(values)
    if len(where) == len(out):
        for i in range(late):
            out[i] = np.nan
        for i in range(len(values)):
            out[late + i] = values[i]
        return
    out[:] = np.nan
    for i in range(len(values)):
        out[where[late + i]] = values[i]


@compiled
def transposed(values: Floats, out: Floats) -> None:
    """Write the transpose of `values` to `out`, in blocks that fit the cache."""
    rows, columns = values.shape
    for top in range(0, rows, 64):
        for left in range(0, columns, 8):
            for column in range(left, min(left + 8, columns)):
                for row in range(top, min(top + 64, rows)):
                    out[column, row] = values[row, column]
