"""From a weight to a quantity: live decisions and backtests are sized by the same compiled lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from trading.compilation import lean

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trading.bars import Floats


METHODS = ("equal_weight", "fixed_fraction", "volatility_target", "atr_risk", "half_kelly")
EQUAL_WEIGHT, FIXED_FRACTION, VOLATILITY_TARGET, ATR_RISK, HALF_KELLY = range(5)
"""The methods of `trading.sizing`, and their numbers."""

UNDECIDED, UNPRICED, CLOSED, FLAT, UNKNOWN, KEPT, TARGET = range(7)
"""Outcomes: no decision; no price; flat and held; flat; a figure is missing; within the band; the target."""


class SizingTerms(NamedTuple):
    """A `trading.sizing.Sizing` in numbers; `unit` is how many parts a share is divided into."""

    method: int
    fraction: float
    target_volatility: float
    risk_per_trade: float
    atr_multiple: float
    max_weight: float
    rebalance_band: float
    unit: float


@lean
def exposure(terms: SizingTerms, weight: float, price: float, volatility: float, atr: float, mean: float) -> float:
    """Return the share of capital, signed, that the method gives a weight; NaN where a figure is missing."""
    if weight == 0:
        return 0.0
    if np.isnan(weight) or not (np.isfinite(price) and price > 0):
        return np.nan
    direction = 1.0 if weight > 0 else -1.0
    if terms.method == FIXED_FRACTION:
        share = direction * terms.fraction
    elif terms.method == VOLATILITY_TARGET:
        share = weight * terms.target_volatility / volatility
    elif terms.method == ATR_RISK:
        share = direction * terms.risk_per_trade * price / (terms.atr_multiple * atr)
    elif terms.method == HALF_KELLY:
        kelly = direction * mean / (volatility * volatility)
        share = np.nan if np.isnan(kelly) else weight * min(max(kelly / 2, 0.0), 1.0)
    else:
        share = weight
    return share if np.isfinite(share) else np.nan


@lean
def size_row(
    terms: SizingTerms,
    weights: Floats,
    prices: Floats,
    current: Floats,
    capital: float,
    volatility: Floats,
    atr: Floats,
    mean: Floats,
    shares: Floats,
    targets: Floats,
    outcomes: NDArray[np.int8],
) -> float:
    """Write share, raw target and outcome of each of N symbols; return the scale that keeps the total in bounds.

    All arrays are (N,); `shares` is what the method gives before caps, `targets` what the capital buys,
    rounded towards zero. See `trading.sizing.size` for the meaning.
    """
    gross = 0.0
    for column in range(len(weights)):
        share = exposure(terms, weights[column], prices[column], volatility[column], atr[column], mean[column])
        shares[column] = share
        if share == share:  # noqa: PLR0124 - not NaN
            gross += abs(min(max(share, -terms.max_weight), terms.max_weight))
    scale = 1.0 if gross <= 1.0 else 1.0 / gross
    for column in range(len(weights)):
        capped = min(max(shares[column], -terms.max_weight), terms.max_weight)
        wanted = capital * capped * scale / prices[column] if shares[column] == shares[column] else np.nan
        target = np.trunc(wanted * terms.unit) / terms.unit + 0.0  # + 0.0 makes minus zero plain
        targets[column] = target
        outcomes[column] = outcome_of(terms, weights[column], prices[column], shares[column], current[column], target)
    return scale


@lean
def outcome_of(terms: SizingTerms, weight: float, price: float, share: float, held: float, target: float) -> int:
    """Return which of the outcomes a weight comes to."""
    if np.isnan(weight):
        return UNDECIDED
    if not (np.isfinite(price) and price > 0):
        return UNPRICED
    if weight == 0:
        return CLOSED if held != 0 else FLAT
    if np.isnan(share):
        return UNKNOWN
    if held * target > 0 and abs(target - held) <= terms.rebalance_band * abs(held):
        return KEPT
    return TARGET
