"""Windows of any series, for expressions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trading.compilation import compiled
from trading.indicators.kernels.rows import placed, present, taken
from trading.indicators.kernels.windows import window_extremes, window_sums

if TYPE_CHECKING:
    from trading.bars import Floats


@compiled
def highest(values: Floats, length: int, out: Floats) -> None:
    """Write the highest of the last `length` values."""
    for i in range(len(values)):
        where = present(values[i])
        placed(window_extremes(taken(values[i], where), length, 1.0), where, out[0, i])


@compiled
def lowest(values: Floats, length: int, out: Floats) -> None:
    """Write the lowest of the last `length` values."""
    for i in range(len(values)):
        where = present(values[i])
        placed(window_extremes(taken(values[i], where), length, -1.0), where, out[0, i])


@compiled
def total(values: Floats, length: int, out: Floats) -> None:
    """Write the sum of the last `length` values."""
    for i in range(len(values)):
        where = present(values[i])
        placed(window_sums(taken(values[i], where), length), where, out[0, i])


@compiled
def ago(values: Floats, bars: int, out: Floats) -> None:
    """Write the value `bars` bars of the symbol earlier."""
    for i in range(len(values)):
        where = present(values[i])
        x = taken(values[i], where)
        result = np.full(len(x), np.nan)
        result[bars:] = x[: max(len(x) - bars, 0)]
        placed(result, where, out[0, i])
