from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from trading.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.tasks.data_ingestion.files.conftest import Read

    Reading = Callable[..., Read]


def rows(*times: str, header: str = "ts,o,h,l,c,v") -> str:
    return "\n".join([header, *(f"{time},1,1,1,1,1" for time in times)]) + "\n"


@pytest.mark.parametrize(
    "written",
    [
        "2012-08-13",
        "20120813",
        "2012-08-13 00:00:00",
        "2012-08-13T00:00:00-04:00",
        "2012-08-13T04:00:00Z",
        "2012-08-13 16:00:00",
        "2012-08-13T20:00:00+00:00",
        "2012/8/13",
        "13.8.2012",
        "8/13/2012",
        "1344830400",
        "1344830400000",
        "1344830400000000000",
        ' "2012-08-13" ',
    ],
)
def test_a_daily_bar_is_stamped_with_midnight_in_new_york_however_it_is_written(read: Reading, written: str) -> None:
    assert read(rows(written)).times == ["2012-08-13T04:00:00+00:00"]


def test_a_daily_bar_at_midnight_utc_is_questioned_and_read_when_the_zone_is_said(read: Reading) -> None:
    content = rows("2012-08-13T00:00:00Z")

    questioned = read(content)

    assert questioned.bars.empty
    ((line, reason),) = questioned.lines
    assert line == 2
    assert "'2012-08-13T00:00:00Z' is the evening of 2012-08-12 in New York; give --timezone UTC" in reason
    assert read(content, timezone="UTC").times == ["2012-08-13T04:00:00+00:00"]


def test_the_29th_of_february_is_a_day_in_leap_years_only(read: Reading) -> None:
    found = read(rows("2012-02-29", "2013-02-29"))

    assert found.times == ["2012-02-29T05:00:00+00:00"]
    assert found.lines == [(3, "'2013-02-29' is not a date or time")]


def test_sessions_on_both_sides_of_a_clock_change_keep_midnight_in_new_york(read: Reading) -> None:
    found = read(rows("2013-03-08", "2013-03-11", "2013-11-01", "2013-11-04"))

    assert [time[11:13] for time in found.times] == ["05", "04", "04", "05"]


def test_intraday_times_without_a_zone_are_refused_until_one_is_said(read: Reading) -> None:
    content = rows("2012-08-13 09:30", "2012-08-13 09:31")

    with pytest.raises(DataError, match=r"such as '2012-08-13 09:30' have no zone; give --timezone America/"):
        read(content, timeframe="1Min")

    assert read(content, timeframe="1Min", timezone="America/New_York").times[0] == "2012-08-13T13:30:00+00:00"
    assert read(content, timeframe="1Min", timezone="UTC").times[0] == "2012-08-13T09:30:00+00:00"


def test_intraday_times_with_offsets_are_taken_as_they_are(read: Reading) -> None:
    found = read(
        rows("2013-03-08T09:30:00-05:00", "2013-03-11 09:30:00 -0400", "2013-03-11T13:31:00Z", "2013-03-11 13:32 UTC"),
        timeframe="1Min",
    )

    assert found.times == [
        "2013-03-08T14:30:00+00:00",
        "2013-03-11T13:30:00+00:00",
        "2013-03-11T13:31:00+00:00",
        "2013-03-11T13:32:00+00:00",
    ]


def test_where_some_times_have_a_zone_the_others_are_bad_rows(read: Reading) -> None:
    content = rows("2012-08-13T13:30:00Z", "2012-08-13 09:31")

    found = read(content, timeframe="1Min")

    assert len(found.bars) == 1
    assert found.lines == [(3, "'2012-08-13 09:31' has no zone, others in the file have; give --timezone")]
    mixed = read(content, timeframe="1Min", timezone="America/New_York")
    assert mixed.times == ["2012-08-13T13:30:00+00:00", "2012-08-13T13:31:00+00:00"]


def test_times_that_a_clock_change_makes_impossible_or_double_are_bad_rows(read: Reading) -> None:
    content = rows("2013-03-10 02:30", "2013-11-03 01:30", "2013-11-04 09:30")

    found = read(content, timeframe="1Min", timezone="America/New_York")

    assert found.times == ["2013-11-04T14:30:00+00:00"]
    assert [line for line, _ in found.lines] == [2, 3]
    assert "the clocks changed; give its offset" in found.lines[0][1]


def test_a_date_and_a_time_of_day_in_two_columns_are_joined(read: Reading) -> None:
    content = "<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>\n20120813,093000,1,1,1,1,1\n20120813,0931,1,1,1,1,1\n"

    found = read(content, timeframe="1Min", timezone="America/New_York")

    assert found.times == ["2012-08-13T13:30:00+00:00", "2012-08-13T13:31:00+00:00"]


def test_dates_that_may_begin_with_the_day_or_the_month_are_not_guessed(read: Reading) -> None:
    content = rows("01/02/2012")

    with pytest.raises(DataError, match="'01/02/2012' may begin with the day or the month"):
        read(content)

    assert read(content, day_first=True).times == ["2012-02-01T05:00:00+00:00"]
    assert read(content, day_first=False).times == ["2012-01-02T05:00:00+00:00"]
    assert read(rows("01/02/2012", "13/02/2012")).times[0] == "2012-02-01T05:00:00+00:00"


def test_half_days_are_sessions_like_others(read: Reading) -> None:
    found = read(rows("2012-11-23T17:59:00Z"), timeframe="1Min")

    assert found.times == ["2012-11-23T17:59:00+00:00"]
    assert read(rows("2012-11-23")).times == ["2012-11-23T05:00:00+00:00"]
