from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from trading.adjustment import CashDividend, to_actions
from trading.backtest import run
from trading.calendar import session_of
from trading.errors import InvalidValueError, UnknownNameError
from trading.rules import SmaCrossover
from trading.strategies import SHIPPED
from trading.sweep import evaluate, grid, with_parameters

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


def test_a_try_receives_the_dividends_of_what_it_holds(real: Panel) -> None:
    panel = real.rows(slice(-400, None))
    day = session_of(panel.last_timestamp)
    paid = to_actions([CashDividend(symbol, day, Decimal("2.5"), special=True) for symbol in panel.symbols])
    without, with_them = (evaluate(CROSSOVER, panel, actions=actions)["final_equity"] for actions in (None, paid))

    held = run(CROSSOVER, panel.rows(slice(0, -1))).fills
    shares = held["quantity"].where(held["side"] == "buy", -held["quantity"]).sum()
    assert shares > 0
    assert with_them - without == pytest.approx(2.5 * shares)
