from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from simulator.sessions import midnight
from trading.errors import DataError

if TYPE_CHECKING:
    from simulator.market import Market


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_the_day_after_thanksgiving_closes_at_one(market: Market) -> None:
    assert market.sessions.close_of(date(2012, 11, 23)) == at("2012-11-23T18:00:00")


def test_hurricane_sandy_closed_the_exchange(market: Market) -> None:
    assert market.sessions.between(date(2012, 10, 26), date(2012, 10, 31)) == (date(2012, 10, 26), date(2012, 10, 31))


def test_the_open_is_inside_a_session_and_the_close_is_not(market: Market) -> None:
    assert market.sessions.current(at("2012-12-03T14:30:00")) == date(2012, 12, 3)
    assert market.sessions.current(at("2012-12-03T20:59:59")) == date(2012, 12, 3)
    assert market.sessions.current(at("2012-12-03T21:00:00")) is None


def test_an_order_after_the_close_belongs_to_the_next_session(market: Market) -> None:
    assert market.sessions.trading_day(at("2012-11-30T20:59:59")) == date(2012, 11, 30)
    assert market.sessions.trading_day(at("2012-11-30T21:00:00")) == date(2012, 12, 3)


def test_events_leave_out_their_start_and_include_their_end(market: Market) -> None:
    events = list(market.sessions.events(at("2012-11-30T21:00:00"), at("2012-12-04T14:30:00")))
    assert [(event.kind, event.day) for event in events] == [
        ("open", date(2012, 12, 3)),
        ("close", date(2012, 12, 3)),
        ("open", date(2012, 12, 4)),
    ]
    assert [event.kind for event in market.sessions.events(at("2012-12-03T14:30:00"), at("2012-12-03T21:00:00"))] == [
        "close"
    ]


def test_midnight_in_new_york_follows_daylight_saving() -> None:
    assert midnight(date(2012, 7, 2)) == at("2012-07-02T04:00:00")
    assert midnight(date(2012, 12, 3)) == at("2012-12-03T05:00:00")


def test_before_the_calendar_nothing_has_closed(market: Market) -> None:
    with pytest.raises(DataError, match="the calendar starts"):
        market.sessions.last_closed(at("1990-01-01T00:00:00"))
