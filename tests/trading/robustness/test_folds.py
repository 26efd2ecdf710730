"""Folds: by hand on ten rows, and no leak whatever the lengths."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from trading.errors import InvalidValueError
from trading.robustness.folds import purged_folds, walk_forward_folds


def test_ten_rows_in_two_folds_by_hand() -> None:
    first, second = purged_folds(10, folds=2, horizon=1, embargo=1)

    # tested 0-4, which reach row 5; row 6 is embargoed
    assert (first.test.tolist(), first.train.tolist()) == ([0, 1, 2, 3, 4], [7, 8, 9])
    # tested 5-9; row 4 would be judged by row 5
    assert (second.test.tolist(), second.train.tolist()) == ([5, 6, 7, 8, 9], [0, 1, 2, 3])


@given(st.integers(4, 200), st.integers(2, 10), st.integers(0, 5), st.integers(0, 5))
def test_no_row_to_learn_on_shares_its_horizon_with_a_tested_one(
    sessions: int, folds: int, horizon: int, embargo: int
) -> None:
    assume(sessions > folds * (2 * horizon + embargo + 2))
    cut = purged_folds(sessions, folds=folds, horizon=horizon, embargo=embargo)

    assert np.concatenate([fold.test for fold in cut]).tolist() == list(range(sessions))
    for fold in cut:
        gaps = np.abs(fold.train[:, None] - fold.test[None, :])
        assert gaps.min() > horizon
        later = fold.train[fold.train > fold.test[-1]]
        assert not len(later) or later[0] - fold.test[-1] == horizon + embargo + 1


@given(st.integers(6, 100), st.integers(2, 6))
def test_without_horizon_and_embargo_they_are_plain_folds(sessions: int, folds: int) -> None:
    ours = purged_folds(sessions, folds=folds, horizon=0)

    for fold in ours:
        assert sorted([*fold.train, *fold.test]) == list(range(sessions))


@given(st.integers(2, 300), st.integers(1, 60), st.integers(1, 40), st.booleans())
def test_walking_forward_the_tested_rows_follow_without_a_gap(
    sessions: int, train: int, test: int, anchored: bool
) -> None:
    assume(sessions >= train + test)
    cut = walk_forward_folds(sessions, train=train, test=test, anchored=anchored)

    tested = np.concatenate([fold.test for fold in cut])
    assert tested.tolist() == list(range(train, train + test * len(cut)))
    assert sessions - train - test * len(cut) < test
    for fold in cut:
        assert fold.train[-1] + 1 == fold.test[0]
        assert fold.train[0] == (0 if anchored else fold.test[0] - train)


@pytest.mark.parametrize(
    ("folds", "horizon", "embargo", "told"),
    [(1, 0, 0, "folds"), (11, 0, 0, "folds"), (2, -1, 0, "horizon"), (2, 5, 0, "learn on")],
)
def test_what_leaves_nothing_is_refused(folds: int, horizon: int, embargo: int, told: str) -> None:
    with pytest.raises(InvalidValueError, match=told):
        purged_folds(10, folds=folds, horizon=horizon, embargo=embargo)


@pytest.mark.parametrize(("train", "test"), [(0, 1), (1, 0), (8, 3)])
def test_a_window_that_does_not_fit_is_refused(train: int, test: int) -> None:
    with pytest.raises(InvalidValueError):
        walk_forward_folds(10, train=train, test=test)
