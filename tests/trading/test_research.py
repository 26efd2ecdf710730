from __future__ import annotations

from datetime import date

import pytest

from trading.calendar import sessions
from trading.errors import InvalidValueError
from trading.research import Design

GRID: dict[str, list[float | int | str | bool]] = {"fast": [1, 2, 3], "slow": [10, 20], "kind": ["a", "b"]}


def test_a_draw_takes_some_of_the_grid_without_repeating_and_the_same_with_the_same_seed() -> None:
    every = Design(parameters=GRID).combinations()
    drawn = Design(parameters=GRID, draws=5, seed=3).combinations()

    assert len(every) == 12
    assert len(drawn) == len({tuple(one.items()) for one in drawn}) == 5
    assert [one for one in every if one in drawn] == drawn
    assert list(drawn[0]) == list(GRID)
    assert Design(parameters=GRID, draws=5, seed=3).combinations() == drawn
    assert Design(parameters=GRID, draws=5, seed=4).combinations() != drawn
    assert Design(parameters=GRID, draws=12).combinations() == every


def test_every_combination_may_be_drawn() -> None:
    every = Design(parameters=GRID).combinations()
    seen = [one for seed in range(80) for one in Design(parameters=GRID, draws=1, seed=seed).combinations()]
    assert all(one in seen for one in every)


def test_a_grid_of_ten_billion_is_drawn_from_and_not_tried_whole() -> None:
    wide = Design(parameters={"a": list(range(100_000)), "b": list(range(100_000))}, draws=3)
    assert len(wide.combinations()) == 3
    with pytest.raises(InvalidValueError, match="10000000000; expected at most 100,000; draw some"):
        wide.model_copy(update={"draws": None}).combinations()


def test_a_walk_forward_tries_everything_on_each_train_part() -> None:
    """Ten sessions, four to choose on, two to judge on: the folds begin at sessions 0, 2 and 4."""
    days = sessions(date(2012, 1, 3), date(2012, 1, 17))
    assert len(days) == 10
    for anchored in (False, True):
        design = Design(parameters={"fast": [1, 2]}, walk_forward=(4, 2), anchored=anchored)
        tries = design.tries(days[0], days[-1])
        spans = [(one["start"], one["train_end"], one["end"]) for one in tries[::2]]
        begins = [days[0]] * 3 if anchored else [days[0], days[2], days[4]]
        assert spans == list(zip(begins, (days[3], days[5], days[7]), (days[5], days[7], days[9]), strict=True))
        assert [one["parameters"]["fast"] for one in tries] == [1, 2] * 3
        assert [one["ordinal"] for one in tries] == list(range(6))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"walk_forward": (5, 2), "folds": 3}, "one of the two"),
        ({"anchored": True}, "a walk-forward"),
        ({"embargo": 3}, "folds to keep apart"),
    ],
)
def test_contradictions_are_refused_in_one_line(asked: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidValueError, match=said):
        Design.model_validate({"parameters": GRID, **asked})
