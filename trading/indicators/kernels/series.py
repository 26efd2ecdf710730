"""Windows of any series, for expressions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trading.compilation import compiled
from trading.indicators.kernels.rows import known, placed
from trading.indicators.kernels.windows import window_extremes, window_sums

if TYPE_CHECKING:
    from trading.bars import Floats


@compiled
def highest(values: Floats, length: int, out: Floats) -> None:
    """Write the highest of the last `length` values."""
    for i in range(len(values)):
        where, x = known(values[i])
        placed(window_extremes(x, length, 1.0), where, out[0, i])


@compiled
def lowest(values: Floats, length: int, out: Floats) -> None:
    """Write the lowest of the last `length` values."""
    for i in range(len(values)):
        where, x = known(values[i])
        placed(window_extremes(x, length, -1.0), where, out[0, i])


@compiled
def total(values: Floats, length: int, out: Floats) -> None:
    """Write the sum of the last `length` values."""
    for i in range(len(values)):
        where, x = known(values[i])
        placed(window_sums(x, length), where, out[0, i])


@compiled
def ago(values: Floats, bars: int, out: Floats) -> None:
    """Write the value `bars` bars of the symbol earlier."""
    for i in range(len(values)):
        where, x = known(values[i])
        placed(x[: max(len(x) - bars, 0)], where, out[0, i])
