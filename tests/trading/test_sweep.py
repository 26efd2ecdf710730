from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from trading.calendar import sessions
from trading.errors import InvalidValueError, UnknownNameError
from trading.rules import SmaCrossover
from trading.strategies import SHIPPED
from trading.sweep import evaluate, grid, walk_forward_windows, with_parameters

if TYPE_CHECKING:
    from trading.bars import Panel

CROSSOVER = SHIPPED["sma_crossover"]


def test_a_grid_is_every_combination_the_last_fastest() -> None:
    assert grid({"fast": [5, 10], "slow": [20, 30]}) == [
        {"fast": 5, "slow": 20},
        {"fast": 5, "slow": 30},
        {"fast": 10, "slow": 20},
        {"fast": 10, "slow": 30},
    ]
    assert grid({}) == [{}]
    with pytest.raises(InvalidValueError, match="values of fast"):
        grid({"fast": []})


def test_parameters_make_another_version() -> None:
    tried = with_parameters(CROSSOVER, {"fast": 10, "sizing.max_weight": 0.5, "fraction": 0.2})
    assert isinstance(tried.rule, SmaCrossover)
    assert (tried.rule.fast, tried.rule.slow) == (10, 50)
    assert (tried.sizing.max_weight, tried.sizing.fraction) == (0.5, 0.2)
    assert tried.version != CROSSOVER.version
    assert with_parameters(CROSSOVER, {}) == CROSSOVER


def test_an_unknown_parameter_gets_a_suggestion() -> None:
    with pytest.raises(UnknownNameError, match="unknown parameter 'fats'; did you mean 'fast'"):
        with_parameters(CROSSOVER, {"fats": 3})


@pytest.mark.parametrize("params", [{"fast": 50}, {"fast": 0}, {"slow": "many"}, {"max_weight": 2}])
def test_a_value_out_of_bounds_is_one_line(params: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueError, match="sma_crossover") as caught:
        with_parameters(CROSSOVER, params)
    assert "\n" not in str(caught.value)


def test_a_row_holds_parameters_version_and_metrics(real: Panel) -> None:
    row = evaluate(CROSSOVER, real.rows(slice(-400, None)), params={"fast": 10, "slow": 30})
    assert (row["fast"], row["slow"], row["strategy"]) == (10, 30, "sma_crossover")
    assert row["version"] == with_parameters(CROSSOVER, {"fast": 10, "slow": 30}).version
    assert row["trades"] > 0
    assert row["total_return"] == pytest.approx(row["final_equity"] / 100_000 - 1)


def test_windows_roll_and_never_overlap_train_with_test() -> None:
    days = sessions(date(2012, 1, 3), date(2012, 12, 31))
    windows = walk_forward_windows(days, 100, 50, 50)
    assert len(windows) == 3
    for index, window in enumerate(windows):
        assert (window.train_start, window.train_end) == (days[50 * index], days[50 * index + 99])
        assert (window.test_start, window.test_end) == (days[50 * index + 100], days[50 * index + 149])


def test_windows_that_do_not_fit_are_refused() -> None:
    days = sessions(date(2012, 1, 3), date(2012, 1, 31))
    with pytest.raises(InvalidValueError, match="at least 150 for one window"):
        walk_forward_windows(days, 100, 50, 10)
    with pytest.raises(InvalidValueError, match="step"):
        walk_forward_windows(days, 5, 5, 0)
