"""Deviations, mean returns and betas."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from trading.calendar import SESSIONS_PER_YEAR
from trading.compilation import compiled
from trading.indicators.kernels.rows import known, placed, shared_by_two
from trading.indicators.kernels.smoothing import returns
from trading.indicators.kernels.windows import window_deviations, window_means, window_moments

if TYPE_CHECKING:
    from trading.bars import Floats


@compiled
def volatility(close: Floats, length: int, out: Floats) -> None:
    """Write the sample deviation (ddof 1) of `length` log returns, times the root of 252."""
    scale = math.sqrt(SESSIONS_PER_YEAR)
    for i in range(len(close)):
        where, x = known(close[i])
        logs = np.log(x)
        placed(scale * window_deviations(logs[1:] - logs[:-1], length, 1)[1], where, out[0, i])


@compiled
def mean_return(close: Floats, length: int, out: Floats) -> None:
    """Write the mean of `length` simple returns, times 252."""
    for i in range(len(close)):
        where, x = known(close[i])
        placed(SESSIONS_PER_YEAR * window_means(returns(x), length), where, out[0, i])


@compiled
def zscore(close: Floats, length: int, out: Floats) -> None:
    """Write the distance to the average in sample deviations (ddof 1); NaN where the close stands still."""
    for i in range(len(close)):
        where, x = known(close[i])
        means, spread = window_deviations(x, length, 1)
        result = np.full(len(x), np.nan)
        for t in range(length - 1, len(x)):
            if spread[t] > 0:
                result[t] = (x[t] - means[t]) / spread[t]
        placed(result, where, out[0, i])


@compiled
def beta(close: Floats, market: Floats, length: int, out: Floats) -> None:
    """Write the slope of `length` returns on the market's returns over the same bars; NaN where the market stood."""
    for i in range(len(close)):
        where, x, index = shared_by_two(close[i], market[i])
        own, others = returns(x), returns(index)
        squares_both = window_moments(own + others, length)[1]
        squares_apart = window_moments(own - others, length)[1]
        squares = window_moments(others, length)[1]
        result = np.full(len(own), np.nan)
        for t in range(length - 1, len(own)):
            if squares[t] > 0:
                result[t] = (squares_both[t] - squares_apart[t]) / (4 * squares[t])
        placed(result, where, out[0, i])
