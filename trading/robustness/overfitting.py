"""The probability of backtest overfitting, by combinatorially symmetric cross-validation.

Bailey, Borwein, Lopez de Prado & Zhu 2017, "The probability of backtest overfitting", Journal of Computational
Finance 20 (4): the best of many tries on one half of the time, and where it stands among them on the other half.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from trading.errors import InvalidValueError

if TYPE_CHECKING:
    from trading.bars import Floats

BLOCKS = 16
"""Blocks the time is cut into: 12,870 ways to choose half of them, as in the paper."""


@dataclass(frozen=True, slots=True)
class Overfitting:
    """What the combinations show.

    Attributes
    ----------
    probability
        Share of combinations in which the best try of one half is in the lower half of the tries on the other.
    loss
        Share of combinations in which it loses money there.
    combinations
        How many there were.
    """

    probability: float
    loss: float
    combinations: int


def overfitting(returns: Floats, *, blocks: int = BLOCKS) -> Overfitting:
    """Return the probability that choosing the best try by its Sharpe ratio is choosing by luck.

    Parameters
    ----------
    returns
        (T, N) simple returns per session of N tries over the same T sessions.
    blocks
        Even number of consecutive blocks of equal length; the first sessions that do not fill one are left out.

    Raises
    ------
    InvalidValueError
        Fewer than two tries, an odd number of blocks, blocks of fewer than two sessions, or a return missing.
    """
    sessions, tries = returns.shape
    if tries < 2:  # noqa: PLR2004 - there is nothing to choose from
        raise InvalidValueError("tries", tries, "at least 2 to choose the best of")
    if blocks < 2 or blocks % 2 or sessions < 2 * blocks:  # noqa: PLR2004 - two halves; a deviation needs two values
        raise InvalidValueError("blocks", blocks, f"an even number, at most half of the {sessions} sessions")
    if not np.isfinite(returns).all():
        raise InvalidValueError("returns", "a value that is missing", "a return of every try in every session")
    length = sessions // blocks
    cut = returns[sessions - length * blocks :].reshape(blocks, length, tries)
    chosen = _halves(blocks)
    inside, outside = (_sharpe(half, cut) for half in (chosen, ~chosen))
    rows = np.arange(len(chosen))
    best = inside.argmax(axis=1)
    theirs = outside[rows, best][:, None]
    rank = (outside < theirs).sum(axis=1) + ((outside == theirs).sum(axis=1) + 1) / 2
    relative = rank / (tries + 1)
    gains = (~chosen).astype(np.float64) @ cut.sum(axis=1)
    return Overfitting(
        probability=float((relative <= 0.5).mean()),  # noqa: PLR2004 - the logit of a half is zero
        loss=float((gains[rows, best] < 0).mean()),
        combinations=len(chosen),
    )


def _halves(blocks: int) -> np.typing.NDArray[np.bool_]:
    """Return (combinations, blocks), which blocks each choice of half of them has."""
    picks = np.array(list(combinations(range(blocks), blocks // 2)))
    chosen = np.zeros((len(picks), blocks), dtype=np.bool_)
    np.put_along_axis(chosen, picks, values=True, axis=1)
    return chosen


def _sharpe(chosen: np.typing.NDArray[np.bool_], cut: Floats) -> Floats:
    """Return (combinations, N) Sharpe ratios per session over the chosen blocks; 0 where nothing moved."""
    weights = chosen.astype(np.float64)
    count = chosen[0].sum() * cut.shape[1]
    mean = weights @ cut.sum(axis=1) / count
    # around each try's own mean, so that the squares do not cancel
    centre = cut.mean(axis=(0, 1))
    squares = weights @ ((cut - centre) ** 2).sum(axis=1)
    variance = np.maximum(squares / count - (mean - centre) ** 2, 0.0) * count / (count - 1)
    deviation = np.sqrt(variance)
    ratio: Floats = np.divide(mean, deviation, out=np.zeros_like(mean), where=deviation > np.finfo(np.float64).eps)
    return ratio
