from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from trading.calendar import session_dates
from trading.rules import Ranking
from trading.strategies import SHIPPED, Strategy, explanations, target_weights

if TYPE_CHECKING:
    from collections.abc import Callable

    from trading.bars import Panel


def test_low_volatility_agrees_with_pandas(real: Panel) -> None:
    close = real.frame("close")
    deviation = close.apply(np.log).diff().rolling(126).std()
    days = pd.Series(session_dates(real.timestamps), index=close.index)
    ends = days.groupby(days.dt.to_period("M")).transform("max") == days
    ends.iloc[-1] = False  # 2013-03-01 is the first session of March, not its last
    chosen = (deviation.rank(axis=1) <= 2).astype(float) / 2
    expected = chosen.where(ends, np.nan).ffill().fillna(0.0)
    np.testing.assert_array_equal(target_weights(SHIPPED["low_volatility"], real), expected.to_numpy())


def test_the_lowest_are_sold_short_and_a_filter_leaves_symbols_out(make_panel: Callable[..., Panel]) -> None:
    panel = make_panel([[10.0, 10.0, 10.0, 10.0], [14.0, 13.0, 12.0, 11.0]])
    rule = Ranking(score="roc(close, 1)", hold=1, short=1, rebalance="daily")
    assert rule.weights(panel)[-1].tolist() == [0.5, 0.0, 0.0, -0.5]
    picky = Ranking(score="roc(close, 1)", where="close < 14", hold=1, short=1, rebalance="daily")
    assert picky.weights(panel)[-1].tolist() == [0.0, 0.5, 0.0, -0.5]
    assert picky.explain(panel)[0][0].startswith("not ranked on 2011-01-04: close < 14 does not hold, with")
    reason, values = rule.explain(panel)[3]
    assert reason == "rank 4 of 4 on 2011-01-04 with roc(close, 1) 10.00: short 50.0% of capital"
    assert values["strength"] == 1.0


def test_a_symbol_is_never_long_and_short_at_once(make_panel: Callable[..., Panel]) -> None:
    panel = make_panel([[10.0, 10.0], [14.0, 13.0]])
    rule = Ranking(score="roc(close, 1)", hold=2, short=2, rebalance="daily")
    assert rule.weights(panel)[-1].tolist() == [0.25, 0.25]


def test_a_weekly_rule_decides_at_each_weeks_last_close(make_panel: Callable[..., Panel]) -> None:
    rising = np.column_stack((np.arange(1.0, 13.0), np.arange(12.0, 0.0, -1.0)))
    strategy = Strategy(name="mine", rule=Ranking(score="roc(close, 1)", hold=1, rebalance="weekly"))
    weights = target_weights(strategy, make_panel(rising))
    days = session_dates(make_panel(rising).timestamps)
    assert days[np.flatnonzero(weights[:, 0])[0]] == np.datetime64("2011-01-07")  # a Friday
    assert explanations(strategy, make_panel(rising[:3]))[0][0] == "no weekly decision among the bars"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"score": "close > 3"}, "score: column 1: this is a condition"),
        ({"score": "rank(close)", "where": "rank(close)"}, "where: column 1: this is a number"),
        ({"score": "close", "hold": 0}, "hold at least one"),
        ({"score": "close", "rebalance": "hourly"}, "daily"),
    ],
)
def test_impossible_rules_are_refused(content: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Ranking.model_validate(content)
