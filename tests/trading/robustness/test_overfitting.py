"""The probability of overfitting against a plain reading of the paper, by hand, and on noise and skill."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata

from trading.errors import InvalidValueError
from trading.robustness.overfitting import overfitting


def plainly(returns: np.typing.NDArray[np.float64], blocks: int) -> tuple[float, float]:
    """Follow the paper's section 2.2 step by step."""
    parts = np.array_split(returns, blocks)
    below, lost = [], []
    for chosen in combinations(range(blocks), blocks // 2):
        inside = np.concatenate([parts[i] for i in chosen])
        outside = np.concatenate([parts[i] for i in range(blocks) if i not in chosen])
        best = int(np.argmax(inside.mean(axis=0) / inside.std(axis=0, ddof=1)))
        performance = outside.mean(axis=0) / outside.std(axis=0, ddof=1)
        omega = rankdata(performance)[best] / (returns.shape[1] + 1)
        below.append(np.log(omega / (1 - omega)) <= 0)
        lost.append(outside[:, best].sum() < 0)
    return float(np.mean(below)), float(np.mean(lost))


@given(st.integers(0, 10_000), st.integers(2, 9), st.sampled_from([2, 4, 6, 8]), st.integers(3, 20))
@settings(max_examples=40, deadline=None)
def test_the_papers_steps_give_the_same(seed: int, tries: int, blocks: int, length: int) -> None:
    returns = np.random.default_rng(seed).normal(0.0004, 0.01, (blocks * length, tries))

    found = overfitting(returns, blocks=blocks)

    assert (found.probability, found.loss) == pytest.approx(plainly(returns, blocks))


def test_two_tries_that_take_turns_are_overfitted_for_certain() -> None:
    # two blocks: the first try wins the first half (mean .01), the second the second; each is last outside
    first, second = [0.02, 0.00], [-0.02, 0.00]
    returns = np.array([[*pair] for pair in zip(first + second, second + first, strict=True)])

    found = overfitting(returns, blocks=2)

    assert (found.probability, found.loss, found.combinations) == (1.0, 1.0, 2)


def test_the_best_of_noise_is_luck_and_the_best_of_skill_is_not() -> None:
    chance = np.random.default_rng(3)
    noise = chance.normal(0, 0.01, (1600, 60))
    skilled = noise.copy()
    skilled[:, 7] += 0.003

    assert (
        0.3 < np.mean([overfitting(chance.normal(0, 0.01, (800, 40)), blocks=10).probability for _ in range(8)]) < 0.7
    )
    assert overfitting(skilled).probability == 0.0
    assert overfitting(skilled).combinations == 12_870


@pytest.mark.parametrize(
    ("returns", "blocks", "told"),
    [
        (np.zeros((100, 1)), 4, "tries"),
        (np.zeros((100, 3)), 5, "blocks"),
        (np.zeros((7, 3)), 4, "blocks"),
        (np.full((100, 3), np.nan), 4, "returns"),
    ],
)
def test_what_cannot_be_judged_is_refused(returns: np.typing.NDArray[np.float64], blocks: int, told: str) -> None:
    with pytest.raises(InvalidValueError, match=told):
        overfitting(returns, blocks=blocks)


def test_tries_that_never_trade_are_all_alike() -> None:
    found = overfitting(np.zeros((64, 5)), blocks=4)

    assert (found.probability, found.loss) == (1.0, 0.0)
