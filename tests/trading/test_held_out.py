from __future__ import annotations

import math

import numpy as np
import pytest

from trading.errors import InvalidValueError
from trading.held_out import Score, mean_test, scores


def sharpe(returns: list[float]) -> float:
    """Return the ratio as a calculator would."""
    mean = sum(returns) / len(returns)
    variance = sum((value - mean) ** 2 for value in returns) / (len(returns) - 1)
    return mean / math.sqrt(variance) * math.sqrt(252)


def test_each_fold_is_judged_on_its_part_and_learned_from_the_rest_without_its_neighbours() -> None:
    """Nine returns, three folds: one return either side is purged, one more after it is embargoed."""
    made = [0.01, -0.02, 0.03, 0.01, 0.02, -0.01, 0.04, -0.03, 0.02]
    equity = np.array([100.0, *(100.0 * np.cumprod([1 + value for value in made]))])

    first, second, third = scores(equity, folds=3, embargo=1)

    assert first.test == pytest.approx(sharpe(made[0:3]))
    assert first.train == pytest.approx(sharpe(made[5:9]))  # 3 touches the part, 4 is the embargo
    assert second.test == pytest.approx(sharpe(made[3:6]))
    assert second.train == pytest.approx(sharpe([*made[0:2], made[8]]))
    assert third.test == pytest.approx(sharpe(made[6:9]))
    assert third.train == pytest.approx(sharpe(made[0:5]))
    assert mean_test([first, second, third]) == pytest.approx(
        (sharpe(made[0:3]) + sharpe(made[3:6]) + sharpe(made[6:9])) / 3
    )


def test_a_part_in_which_nothing_moved_counts_as_nothing() -> None:
    assert scores(np.full(10, 5.0), folds=3) == [Score(None, None)] * 3
    assert mean_test([Score(None, None)]) is None
    assert mean_test([Score(1.0, 2.0), Score(1.0, None)]) == 1.0


def test_too_few_sessions_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="folds"):
        scores(np.array([1.0, 2.0, 3.0]), folds=5)
