"""Purged cross-validation of parameters: Sharpe ratios of one backtest's returns inside and outside of each fold."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trading.calendar import SESSIONS_PER_YEAR
from trading.robustness.folds import purged_folds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trading.bars import Floats

HORIZON = 1
"""Sessions after a decision that its return is of at the least: it is filled at the next open."""
TINY = 1e-15


@dataclass(frozen=True, slots=True)
class Score:
    """Annualised Sharpe ratios of one fold; None where nothing moved."""

    train: float | None
    test: float | None


def scores(equity: Floats, *, folds: int, embargo: int = 0) -> list[Score]:
    """Return how a curve did on each fold's train part, purged and embargoed, and on its held-out part.

    Parameters
    ----------
    equity
        (T,) USD at each session's close.
    folds, embargo
        As `purged_folds`, over the T - 1 returns.

    Raises
    ------
    InvalidValueError
        There are too few sessions for the folds.
    """
    returns = equity[1:] / equity[:-1] - 1
    cut = purged_folds(len(returns), folds=folds, horizon=HORIZON, embargo=embargo)
    return [Score(_sharpe(returns[fold.train]), _sharpe(returns[fold.test])) for fold in cut]


def mean_test(found: Sequence[Score]) -> float | None:
    """Return the mean Sharpe ratio of the held-out parts; a part in which nothing moved counts as 0."""
    return float(np.mean([score.test or 0.0 for score in found])) if any(s.test is not None for s in found) else None


def _sharpe(returns: Floats) -> float | None:
    if len(returns) < 2:  # noqa: PLR2004 - a deviation needs two
        return None
    deviation = float(returns.std(ddof=1))
    return float(returns.mean()) / deviation * math.sqrt(SESSIONS_PER_YEAR) if deviation > TINY else None
