"""Averages of the close."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trading.compilation import compiled
from trading.indicators.kernels.rows import known, placed
from trading.indicators.kernels.smoothing import exponential
from trading.indicators.kernels.windows import window_means

if TYPE_CHECKING:
    from trading.bars import Floats


@compiled
def sma(close: Floats, length: int, out: Floats) -> None:
    """Write the mean of the last `length` values."""
    for i in range(len(close)):
        where, x = known(close[i])
        placed(window_means(x, length), where, out[0, i])


@compiled
def ema(close: Floats, length: int, out: Floats) -> None:
    """Write the exponential average with alpha = 2 / (length + 1), seeded with the first mean."""
    for i in range(len(close)):
        where, x = known(close[i])
        placed(exponential(x, length, length - 1), where, out[0, i])


@compiled
def wma(close: Floats, length: int, out: Floats) -> None:
    """Write the mean weighted 1, 2, ... `length` from the oldest to the newest."""
    for i in range(len(close)):
        where, x = known(close[i])
        result = np.zeros(len(x))
        for back in range(length):
            weight = (length - back) / (0.5 * length * (length + 1))
            for t in range(length - 1, len(x)):
                result[t] += weight * x[t - back]
        result[: length - 1] = np.nan
        placed(result, where, out[0, i])
