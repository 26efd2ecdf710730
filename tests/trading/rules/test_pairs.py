from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from pydantic import ValidationError
from statsmodels.tsa.stattools import coint

from trading.errors import InvalidValueError
from trading.rules import Pairs
from trading.rules.pairs import estimate

if TYPE_CHECKING:
    from collections.abc import Callable

    from trading.bars import Floats, Panel


def walk(bars: int, seed: int) -> Floats:
    return np.asarray(np.random.default_rng(seed).normal(0, 0.01, bars).cumsum() + 4)


def reverting(bars: int, half_life: float, seed: int) -> Floats:
    kept = 0.5 ** (1 / half_life)
    noise, level = np.random.default_rng(seed).normal(0, 0.01, bars), 0.0
    values = []
    for shock in noise:
        level = kept * level + shock
        values.append(level)
    return np.array(values)


def test_an_estimate_finds_the_slope_the_half_life_and_the_statsmodels_p_value() -> None:
    other = walk(4000, 1)
    one = 0.5 + 1.5 * other + reverting(4000, 10, 2)
    found = estimate(one, other)
    assert found is not None
    assert found.slope == pytest.approx(1.5, abs=0.05)
    assert found.half_life == pytest.approx(10, rel=0.25)
    assert found.p_value == coint(one, other, maxlag=1, autolag=None)[1] < 0.001
    apart = estimate(walk(4000, 3), walk(4000, 4))
    assert apart is not None
    assert apart.p_value > 0.05


def test_series_that_stand_still_or_are_the_same_have_no_estimate() -> None:
    assert estimate(np.full(100, 3.0), walk(100, 1)) is None
    assert estimate(walk(100, 1), walk(100, 1)) is None


def test_the_spread_is_opened_closed_and_stopped_by_its_z_score() -> None:
    rule = Pairs(entry=2, exit=0.5, stop=4)
    scores = np.array([0.0, 2.1, 1.0, 0.4, -2.5, -1.0, -4.5, -3.0, -0.3, -2.2, 0.7, 2.0, -2.0])
    assert rule._sides(scores).tolist() == [0, -1, -1, 0, 1, 1, 0, 0, 0, 1, 0, -1, 1]


def test_a_pair_that_belongs_together_is_traded_while_it_is_apart(make_panel: Callable[..., Panel]) -> None:
    other = walk(900, 5)
    close = np.exp(np.column_stack((0.2 + other + reverting(900, 8, 6), other, walk(900, 7))))
    panel = make_panel(close)
    rule = Pairs(lookback=250, hold=1, pairs=(("S0", "S1"),))
    weights = rule.weights(panel)
    assert (weights[:, 2] == 0).all()
    open_rows = np.flatnonzero(weights[:, 0])
    assert 50 < len(open_rows) < 700
    assert (np.sign(weights[open_rows, 0]) == -np.sign(weights[open_rows, 1])).all()
    np.testing.assert_allclose(np.abs(weights[open_rows]).sum(axis=1), 1.0)
    reason, values = rule.explain(panel)[0]
    assert "S0-S1 is" in reason or "no pair" in reason
    assert values["decided_on"]
    gain = np.vstack((np.diff(close, axis=0) / close[:-1], np.zeros(3)))
    assert (weights * gain).sum() > 0.05  # it does revert


def test_a_universe_with_too_many_pairs_has_to_name_them(make_panel: Callable[..., Panel]) -> None:
    panel = make_panel(np.exp(np.random.default_rng(1).normal(0, 0.01, (120, 15)).cumsum(axis=0)))
    with pytest.raises(InvalidValueError, match=r"105 of 15 symbols.*name them in `pairs`"):
        Pairs(lookback=60).weights(panel)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"pairs": [["A", "A"]]}, "with itself"),
        ({"pairs": [["A", "B"], ["B", "A"]]}, "named twice"),
        ({"entry": 1, "exit": 2}, "must rise"),
        ({"least_half_life": 90}, "below most_half_life"),
        ({"lookback": 10}, "greater than or equal to 60"),
    ],
)
def test_impossible_rules_are_refused(content: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Pairs.model_validate(content)
