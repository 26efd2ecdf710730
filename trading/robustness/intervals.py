"""How wide the truth may lie around a result: intervals by the stationary block bootstrap.

Politis & Romano 1994, "The stationary bootstrap"; the mean length of blocks by Politis & White 2004, corrected by
Patton, Politis & White 2009. Blocks keep what follows what, so that streaks are in the samples too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trading.calendar import SESSIONS_PER_YEAR
from trading.errors import InvalidValueError

if TYPE_CHECKING:
    from trading.bars import Floats

REPETITIONS = 1000
TINY = 1e-15
"""A deviation below it is rounding, not risk."""
FEWEST = 30
"""Returns below which an interval would say nothing."""


@dataclass(frozen=True, slots=True)
class Interval:
    """The lower and upper end of an interval, and the share of samples it holds."""

    low: float
    high: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Intervals:
    """Annualised Sharpe ratio and maximum drawdown (zero or above), as they may have come out; `block` in sessions."""

    sharpe: Interval
    max_drawdown: Interval
    block: int


def intervals(returns: Floats, *, confidence: float = 0.9, repetitions: int = REPETITIONS, seed: int = 0) -> Intervals:
    """Return the intervals around the Sharpe ratio and the drawdown of simple returns per session, (T,).

    Raises
    ------
    InvalidValueError
        Fewer than 30 returns, or one that is missing.
    """
    if len(returns) < FEWEST or not np.isfinite(returns).all():
        raise InvalidValueError("returns", f"{len(returns)} of them", f"at least {FEWEST}, none missing")
    from arch.bootstrap import StationaryBootstrap

    block = _block(returns)
    sampled = StationaryBootstrap(block, returns, seed=seed)
    drawn = np.stack([returns[sampled.update_indices()] for _ in range(repetitions)])
    deviation = drawn.std(axis=1, ddof=1)
    mean = drawn.mean(axis=1)
    sharpe = np.divide(mean, deviation, out=np.zeros_like(mean), where=deviation > TINY) * math.sqrt(SESSIONS_PER_YEAR)
    wealth = np.cumprod(np.concatenate([np.ones((repetitions, 1)), 1 + drawn], axis=1), axis=1)
    depth = (1 - wealth / np.maximum.accumulate(wealth, axis=1)).max(axis=1)
    return Intervals(_interval(sharpe, confidence), _interval(depth, confidence), block)


def _block(returns: Floats) -> int:
    """Return the mean length of a block, in sessions: at least 1, at most a third of the sample."""
    import pandas as pd
    from arch.bootstrap import optimal_block_length

    if returns.std() == 0:
        return 1
    length = float(optimal_block_length(pd.Series(returns))["stationary"].iloc[0])
    return min(max(math.ceil(length), 1), len(returns) // 3) if math.isfinite(length) else 1


def _interval(values: Floats, confidence: float) -> Interval:
    low, high = np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(low), float(high), confidence)
