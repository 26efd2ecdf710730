"""Bootstrap intervals: they hold what theory says of independent returns, and know that streaks widen them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from trading.errors import InvalidValueError
from trading.robustness.intervals import intervals


def test_independent_returns_give_the_interval_of_theory() -> None:
    returns = np.random.default_rng(5).normal(0.0005, 0.01, 2520)
    sharpe = returns.mean() / returns.std(ddof=1)

    found = intervals(returns, confidence=0.9).sharpe

    # Lo 2002, "The statistics of Sharpe ratios", eq. 9: the deviation of independent returns' ratio
    error = math.sqrt((1 + sharpe**2 / 2) / len(returns)) * math.sqrt(252)
    assert found.low == pytest.approx(sharpe * math.sqrt(252) - 1.645 * error, abs=0.15 * error)
    assert found.high == pytest.approx(sharpe * math.sqrt(252) + 1.645 * error, abs=0.15 * error)


def test_streaks_widen_the_interval() -> None:
    chance = np.random.default_rng(1)
    noise = chance.normal(0, 0.01, 1500)
    streaky = np.zeros_like(noise)
    for row in range(1, len(noise)):
        streaky[row] = 0.6 * streaky[row - 1] + noise[row]

    wide, narrow = intervals(streaky), intervals(noise)

    assert wide.block > 2 * narrow.block
    assert wide.sharpe.high - wide.sharpe.low > 1.4 * (narrow.sharpe.high - narrow.sharpe.low)


def test_the_drawdown_of_a_sure_loss_is_known_exactly() -> None:
    found = intervals(np.full(60, -0.01))

    assert found.max_drawdown.low == found.max_drawdown.high == pytest.approx(1 - 0.99**60)
    assert found.sharpe.low == found.sharpe.high == 0.0


def test_the_same_seed_gives_the_same_interval() -> None:
    returns = np.random.default_rng(2).normal(0, 0.01, 300)

    assert intervals(returns, seed=4) == intervals(returns, seed=4) != intervals(returns, seed=5)


@pytest.mark.parametrize("returns", [np.zeros(29), np.append(np.zeros(40), np.nan)])
def test_too_few_or_missing_returns_are_refused(returns: np.typing.NDArray[np.float64]) -> None:
    with pytest.raises(InvalidValueError, match="at least 30, none missing"):
        intervals(returns)
