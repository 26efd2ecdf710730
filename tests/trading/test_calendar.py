from __future__ import annotations

from datetime import UTC, date, datetime, time

import exchange_calendars
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading import calendar
from trading.errors import InvalidValueError

NOON = datetime(2012, 11, 23, 17, 0, tzinfo=UTC)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_hurricane_sandy_and_thanksgiving_are_no_sessions() -> None:
    found = calendar.sessions(date(2012, 10, 26), date(2012, 11, 1))
    assert found == [date(2012, 10, 26), date(2012, 10, 31), date(2012, 11, 1)]
    assert not calendar.is_session(date(2012, 11, 22))
    assert calendar.is_session(date(2012, 11, 23))


def test_sessions_agree_with_the_library_of_calendars() -> None:
    theirs = exchange_calendars.get_calendar("XNYS", start="1999-12-31", end="2013-03-04")
    ours = calendar.sessions(date(2000, 1, 1), date(2013, 3, 1))
    assert ours == [stamp.date() for stamp in theirs.sessions_in_range("2000-01-01", "2013-03-01")]


def test_an_early_close_is_at_one_in_the_afternoon() -> None:
    assert calendar.open_at(date(2012, 11, 23)) == utc("2012-11-23T14:30")
    assert calendar.close_at(date(2012, 11, 23)) == utc("2012-11-23T18:00")
    assert calendar.close_at(date(2012, 7, 2)) == utc("2012-07-02T20:00")


def test_a_holiday_has_no_open() -> None:
    with pytest.raises(InvalidValueError, match="2012-12-25"):
        calendar.open_at(date(2012, 12, 25))


def test_daily_bars_are_stamped_at_midnight_in_new_york() -> None:
    assert calendar.bar_timestamp(date(2012, 7, 2)) == utc("2012-07-02T04:00")
    assert calendar.bar_timestamp(date(2012, 12, 3)) == utc("2012-12-03T05:00")
    assert calendar.session_of(utc("2012-12-03T04:59")) == date(2012, 12, 2)


def test_a_session_is_complete_at_its_close_and_not_before() -> None:
    assert calendar.last_completed_session(utc("2012-11-23T18:00")) == date(2012, 11, 23)
    assert calendar.last_completed_session(utc("2012-11-23T17:59")) == date(2012, 11, 21)


def test_the_next_session_is_todays_until_it_opens() -> None:
    assert calendar.next_session(utc("2012-11-23T14:30")) == date(2012, 11, 23)
    assert calendar.next_session(utc("2012-11-23T14:31")) == date(2012, 11, 26)


def test_sessions_before_and_after_skip_the_weekend() -> None:
    assert calendar.session_after(date(2012, 11, 23)) == date(2012, 11, 26)
    assert calendar.session_before(date(2012, 11, 26)) == date(2012, 11, 23)
    assert calendar.session_after(date(2012, 11, 24)) == date(2012, 11, 26)


@given(st.dates(date(1990, 2, 1), date(2040, 11, 30)))
def test_before_and_after_are_inverse(day: date) -> None:
    after = calendar.session_after(day)
    assert calendar.is_session(after)
    assert calendar.session_before(after) <= day < after


def test_a_date_outside_the_calendar_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="from 1990-01-01 to 2040-12-31"):
        calendar.is_session(date(1815, 6, 18))


def test_daily_bars_are_expected_once_their_session_closed() -> None:
    expected = calendar.completed_bars("1Day", utc("2012-11-21T05:00"), NOON)
    assert expected.tolist() == [pd.Timestamp("2012-11-21T05:00Z")]
    closed = calendar.completed_bars("1Day", utc("2012-11-21T05:00"), utc("2012-11-23T18:00"))
    assert closed.tolist() == [pd.Timestamp("2012-11-21T05:00Z"), pd.Timestamp("2012-11-23T05:00Z")]


@pytest.mark.parametrize(
    ("timeframe", "bars"), [("1Min", 210), ("5Min", 42), ("15Min", 14), ("30Min", 7), ("1Hour", 4)]
)
def test_a_half_day_has_half_the_bars(timeframe: str, bars: int) -> None:
    found = calendar.completed_bars(timeframe, utc("2012-11-23T00:00"), utc("2012-11-24T00:00"))
    assert len(found) == bars
    assert found[-1] < pd.Timestamp("2012-11-23T18:00Z")


def test_a_running_bar_is_not_complete() -> None:
    found = calendar.completed_bars("15Min", utc("2012-11-23T00:00"), utc("2012-11-23T15:14"))
    assert found.tolist() == [pd.Timestamp("2012-11-23T14:30Z"), pd.Timestamp("2012-11-23T14:45Z")]


def test_minute_bars_follow_daylight_saving_time() -> None:
    spring = calendar.completed_bars("30Min", utc("2012-03-09T00:00"), utc("2012-03-13T00:00"))
    local = spring.tz_convert("America/New_York")
    assert set(local[:1].time) | set(local[13:14].time) == {time(9, 30)}


def test_missing_runs_are_contiguous_in_the_expected_grid() -> None:
    expected = calendar.completed_bars("1Day", utc("2012-11-19T05:00"), utc("2012-11-30T22:00"))
    stored = expected[[0, 4, 5, 8]]
    assert calendar.missing_ranges(expected, stored) == [
        (utc("2012-11-20T05:00"), utc("2012-11-23T05:00")),
        (utc("2012-11-28T05:00"), utc("2012-11-29T05:00")),
    ]
    assert calendar.missing_ranges(expected, expected) == []
    assert calendar.missing_ranges(expected[:0], stored) == []


def test_month_ends_come_from_the_calendar_not_from_the_next_bar() -> None:
    days = pd.DatetimeIndex(["2012-11-29", "2012-11-30", "2012-12-24", "2012-12-31", "2012-12-30"])
    found = calendar.ends_month(days.to_numpy().astype("datetime64[D]"))
    assert found.tolist() == [False, True, False, True, False]


def instants(first: int, last: int) -> st.SearchStrategy[list[datetime]]:
    return st.lists(st.datetimes(datetime(first, 1, 1), datetime(last, 1, 1)), min_size=1)  # noqa: DTZ001 - UTC is meant


@given(stamps=instants(1990, 2040) | instants(1950, 2100))
def test_new_yorks_clocks_show_what_the_library_of_time_zones_says(stamps: list[datetime]) -> None:
    ours = calendar.wall_clock(np.array(stamps, dtype="datetime64[ns]"))
    theirs = [stamp.replace(tzinfo=UTC).astimezone(calendar.NEW_YORK).replace(tzinfo=None) for stamp in stamps]
    np.testing.assert_array_equal(ours, np.array(theirs, dtype="datetime64[ns]"))


@pytest.mark.parametrize(
    ("instant", "shown"),
    [
        ("2012-03-11T06:59:59", "2012-03-11T01:59:59"),
        ("2012-03-11T07:00:00", "2012-03-11T03:00:00"),
        ("2012-11-04T05:59:59", "2012-11-04T01:59:59"),
        ("2012-11-04T06:00:00", "2012-11-04T01:00:00"),
    ],
)
def test_the_clocks_change_at_two_in_the_night(instant: str, shown: str) -> None:
    clock = calendar.wall_clock(np.array([instant], dtype="datetime64[ns]"))
    assert clock.astype("datetime64[s]").astype(str).tolist() == [shown]


def test_consecutive_sessions_have_consecutive_numbers_and_other_days_none() -> None:
    days = np.array(
        ["2012-10-26", "2012-10-27", "2012-10-29", "2012-10-31", "1980-01-02", "2050-01-03"], "datetime64[D]"
    )
    friday, saturday, sandy, wednesday, before, after = calendar.number_sessions(days).tolist()
    assert wednesday == friday + 1
    assert (saturday, sandy, before, after) == (-1, -1, -1, -1)
    assert calendar.session_days(np.array([friday])).tolist() == [date(2012, 10, 26)]


def test_the_hours_of_numbered_sessions_know_early_closes() -> None:
    numbers = calendar.number_sessions(np.array(["2012-11-21", "2012-11-23"], "datetime64[D]"))
    opens, closes = calendar.session_hours(numbers)
    assert opens.astype("datetime64[m]").astype(str).tolist() == ["2012-11-21T14:30", "2012-11-23T14:30"]
    assert closes.astype("datetime64[m]").astype(str).tolist() == ["2012-11-21T21:00", "2012-11-23T18:00"]


def test_midnights_are_those_of_the_time_zone_database() -> None:
    days = np.arange(np.datetime64("1990-01-01"), np.datetime64("2045-01-01"))  # beyond the known clock changes too
    theirs = pd.DatetimeIndex(days).tz_localize("America/New_York").tz_convert("UTC").tz_localize(None)
    np.testing.assert_array_equal(calendar.midnights_of(days), theirs.to_numpy().astype("datetime64[ns]"))
    np.testing.assert_array_equal(calendar.midnights_of(days[:9000]), theirs[:9000].to_numpy().astype("datetime64[ns]"))
