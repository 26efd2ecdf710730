from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from trading.backtest import run
from trading.bars import Panel, to_panel
from trading.calendar import bar_timestamp, sessions
from trading.errors import InvalidValueError
from trading.rules import Conditions
from trading.strategies import SHIPPED, Strategy
from trading.sweep import with_parameters
from trading.walk_forward import Step, require_rule_parameters, steps, stitched

DAYS = sessions(date(2012, 1, 3), date(2012, 1, 20))
CLOSES = [10.0, 11.0, 12.0, 10.0, 8.0, 9.0, 10.0, 12.0, 11.0, 13.0, 12.0, 14.0, 15.0]
WHOLE = Strategy(
    name="above",
    rule=Conditions(parameters={"level": 9.5}, entry="close > level"),
    sizing={"whole_shares": False, "max_weight": 1.0, "rebalance_band": 0.0},
)


def panel_of(closes: list[float]) -> Panel:
    """Return bars that open at the close before, so that an order fills at the close it was decided on."""
    opens = [closes[0], *closes[:-1]]
    stamps = [bar_timestamp(day) for day in DAYS[: len(closes)]]
    high, low = np.maximum(opens, closes), np.minimum(opens, closes)
    frame = {"symbol": "ONE", "ts": stamps, "open": opens, "high": high, "low": low, "close": closes, "volume": 1e9}
    return to_panel(pd.DataFrame(frame))


def test_each_fold_takes_the_best_of_its_train_part_and_of_equal_ones_the_first() -> None:
    one, two = ((DAYS[0], DAYS[3], DAYS[5]), (DAYS[2], DAYS[5], DAYS[7]))
    found = steps(
        [
            (two, {"level": 1}, None),
            (one, {"level": 1}, 0.5),
            (one, {"level": 2}, 1.5),
            (one, {"level": 3}, 1.5),
            (one, {"level": 4}, None),
        ]
    )
    assert found == [Step(*one, {"level": 2}, 1.5), Step(*two, None, None)]


def test_stitched_test_parts_are_one_account_as_worked_out_by_hand() -> None:
    """Two folds: level 9.5 decides on sessions 4 to 6, level 11.5 on sessions 7 to 10.

    Fold 1 buys at the first close above 9.5 (10, session 6), held into fold 2's first session (12: +20 %). There
    12 > 11.5 keeps it; 11 at session 8 (-1/12) sells; 13 at session 9 buys at 13; session 10 closes at 12 (-1/13).
    """
    chosen = [
        Step(DAYS[0], DAYS[3], DAYS[6], {"level": 9.5}, 1.0),
        Step(DAYS[3], DAYS[6], DAYS[10], {"level": 11.5}, 1.0),
    ]

    result = stitched(WHOLE, panel_of(CLOSES), chosen, capital=1000.0)

    expected = [1000.0, 1000.0, 1000.0, 1200.0, 1100.0, 1100.0, 1100.0 * 12 / 13]
    assert list(result.equity.index) == DAYS[4:11]
    assert result.equity.tolist() == pytest.approx(expected)
    assert result.metrics.total_return == pytest.approx(1.1 * 12 / 13 - 1)


def test_a_fold_with_nothing_to_choose_holds_nothing() -> None:
    chosen = [Step(DAYS[0], DAYS[3], DAYS[7], {"level": 9.5}, 1.0), Step(DAYS[4], DAYS[7], DAYS[11], None, None)]

    result = stitched(WHOLE, panel_of(CLOSES), chosen, capital=1000.0)

    # bought at 10, 12 at the end of the first fold; sold at the open after the first decision of the second, at 11
    assert result.equity.tolist() == pytest.approx([1000, 1000, 1000, 1200, 1100, 1100, 1100, 1100])


def test_the_same_choice_in_every_fold_is_the_backtest_of_that_choice(real: Panel) -> None:
    strategy = SHIPPED["sma_crossover"]
    days = [
        stamp.date()
        for stamp in pd.DatetimeIndex(real.timestamps[-400:]).tz_localize("UTC").tz_convert("America/New_York")
    ]
    same = {"fast": 10, "slow": 30}
    chosen = [Step(days[0], days[99 + at], days[199 + at], same, 1.0) for at in (0, 100, 200)]

    result = stitched(strategy, real, chosen)

    expected = run(with_parameters(strategy, same), real, start=days[100]).equity
    pd.testing.assert_series_equal(result.equity, expected)


def test_later_bars_change_nothing(real: Panel) -> None:
    days = [
        stamp.date()
        for stamp in pd.DatetimeIndex(real.timestamps[-400:]).tz_localize("UTC").tz_convert("America/New_York")
    ]
    chosen = [Step(days[0], days[99], days[199], {"fast": 10}, 1.0)]
    cut = real.up_to(bar_timestamp(days[199]))

    whole, known = (stitched(SHIPPED["sma_crossover"], panel, chosen).equity for panel in (real, cut))

    pd.testing.assert_series_equal(whole, known)


def test_a_parameter_of_the_sizing_is_refused() -> None:
    require_rule_parameters(SHIPPED["sma_crossover"], ["fast", "rule.slow"])
    for name in ("max_weight", "sizing.max_weight"):
        with pytest.raises(InvalidValueError, match="one of the rule; the sizing stays as it is"):
            require_rule_parameters(SHIPPED["sma_crossover"], ["fast", name])
