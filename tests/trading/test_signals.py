from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest

from trading.errors import DataError
from trading.rules import SmaCrossover
from trading.signals import decide, stale
from trading.strategies import SHIPPED, Strategy

if TYPE_CHECKING:
    from collections.abc import Callable

    from trading.bars import Panel

MINE = Strategy(name="mine", rule=SmaCrossover(fast=2, slow=5))


def test_signals_are_of_the_last_bar_with_direction_and_strength(real: Panel) -> None:
    signals, undecided = decide(SHIPPED["sma_crossover"], real)
    assert undecided == []
    assert [signal.symbol for signal in signals] == ["AAPL", "FB", "GOOG", "IBM", "MSFT"]
    assert {signal.bar_ts for signal in signals} == {real.last_timestamp}
    assert [signal.direction for signal in signals] == ["flat", "flat", "long", "long", "long"]
    assert all(0 <= signal.strength <= 1 for signal in signals)
    assert signals[2].target_weight == 0.2


def test_a_symbol_without_a_fresh_bar_is_not_decided(make_panel: Callable[..., Panel]) -> None:
    close = np.column_stack((np.arange(1.0, 11.0), np.arange(1.0, 11.0)))
    close[-1, 1] = np.nan
    signals, undecided = decide(MINE, make_panel(close))
    assert [signal.symbol for signal in signals] == ["S0"]
    assert undecided[0].symbol == "S1"
    assert undecided[0].reason.startswith("no bar at 2011-01-14 05:00 UTC")


def test_a_symbol_listed_yesterday_is_not_decided(make_panel: Callable[..., Panel]) -> None:
    close = np.column_stack((np.arange(1.0, 11.0), np.full(10, np.nan)))
    close[-2:, 1] = 5.0
    signals, undecided = decide(MINE, make_panel(close))
    assert [signal.target_weight for signal in signals] == [1.0]
    assert (undecided[0].symbol, undecided[0].reason) == ("S1", "fewer than 5 bars")


def test_momentum_without_a_month_end_decides_nothing(make_panel: Callable[..., Panel]) -> None:
    signals, undecided = decide(SHIPPED["momentum_rotation"], make_panel(np.full((5, 2), 3.0)))
    assert signals == []
    assert {item.reason for item in undecided} == {"no month's end among the bars"}


def test_no_bars_at_all_is_an_error_not_a_decision(make_panel: Callable[..., Panel]) -> None:
    with pytest.raises(DataError, match="fetch market data first"):
        decide(MINE, make_panel(np.zeros((0, 2))))


def test_an_excluded_symbol_is_not_decided_and_the_others_are_ranked_without_it(
    make_panel: Callable[..., Panel],
) -> None:
    days = np.arange(300.0)
    panel = make_panel(np.column_stack((100 + 3 * days, 100 + 2 * days, 100 + days)))
    best_two = SHIPPED["momentum_rotation"]
    whole, _ = decide(best_two, panel)
    signals, undecided = decide(best_two, panel, excluded={"S0": "3 of 60 bars are quarantined"})
    assert [signal.symbol for signal in whole if signal.target_weight > 0] == ["S0", "S1"]
    assert [signal.symbol for signal in signals if signal.target_weight > 0] == ["S1", "S2"]
    assert [(item.symbol, item.reason) for item in undecided] == [("S0", "3 of 60 bars are quarantined")]


@pytest.mark.parametrize(
    ("timeframe", "bar", "now", "fresh"),
    [
        ("1Day", "2012-08-10 04:00", "2012-08-13 13:20", True),  # Friday's bar on Monday before the open
        ("1Day", "2012-08-09 04:00", "2012-08-13 13:20", False),  # Thursday's
        ("1Day", "2012-08-09 04:00", "2012-08-10 13:20", True),
        ("1Day", "2012-08-31 04:00", "2012-09-04 13:20", True),  # over Labor Day
        ("1Day", "2012-10-26 04:00", "2012-10-31 13:20", True),  # over the storm
        ("5Min", "2012-08-13 14:00", "2012-08-13 14:15", True),
        ("5Min", "2012-08-13 14:00", "2012-08-13 14:16", False),
        ("5Min", "2012-08-10 19:55", "2012-08-13 13:32", False),  # the week's last at the next one's first
    ],
)
def test_a_bar_older_than_two_timeframes_and_five_minutes_is_stale(
    timeframe: str, bar: str, now: str, *, fresh: bool
) -> None:
    at, later = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (bar, now))
    why = stale(timeframe, at, later)
    assert (why is None) == fresh
    if why:
        assert why.startswith(f"the bar of {bar} UTC is stale at {now} UTC: older than")
