from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pandas as pd

from trading.calendar import bar_timestamp, completed_bars
from trading.gaps import find_gaps

if TYPE_CHECKING:
    from tests.deployments.data.conftest import Data

START, END = date(2012, 10, 22), date(2012, 11, 30)


def test_missing_bars_are_shown_as_ranges_and_the_closed_exchange_is_none(data: Data) -> None:
    data.plant_sessions("AAPL", START, END)
    data.plant_sessions("IBM", START, END, without=[date(2012, 11, 7), date(2012, 11, 8), date(2012, 11, 23)])

    shown = data.run("gaps").output

    assert "IBM     2012-11-07  2012-11-08     2" in shown
    assert "IBM     2012-11-23  2012-11-23     1" in shown
    assert "2012-10-29" not in shown, "the exchange was closed for the storm"
    assert "3 1Day bars missing in 2 gaps of 1 symbols; 1 symbols are complete, 2012-10-22 to 2012-11-30" in shown


def test_a_symbol_that_ends_early_and_one_that_begins_late_are_told_apart(data: Data) -> None:
    data.plant_sessions("AAPL", START, END)
    data.plant_sessions("OLD", START, date(2012, 11, 28))
    data.plant_sessions("NEW", date(2012, 11, 26), END)

    shown = data.run("gaps").output

    assert "OLD     2012-11-29  2012-11-30     2  nothing after it" in shown
    assert "NEW" not in shown
    assert "NEW" in data.run("gaps", "--start", "2012-11-20").output


def test_gaps_for_programs_name_first_and_last_bar_in_utc(data: Data) -> None:
    data.plant_sessions("AAPL", START, END, without=[date(2012, 11, 1)])

    found = data.json("gaps", "--symbols", "AAPL")

    assert found["gaps"] == [
        {
            "symbol": "AAPL",
            "first": "2012-11-01T04:00:00+00:00",
            "last": "2012-11-01T04:00:00+00:00",
            "bars": 1,
            "ends": True,
        }
    ]


def test_a_symbol_without_bars_is_refused_with_a_suggestion(data: Data) -> None:
    data.plant_sessions("AAPL", START, END)

    answer = data.run("gaps", "--symbols", "APPL")

    assert answer.exit_code == 1
    assert answer.output == "unknown symbol with 1Day bars 'APPL'; did you mean 'AAPL'?\n"


def test_missing_minutes_of_a_half_day_are_counted_to_its_close() -> None:
    expected = completed_bars("1Min", bar_timestamp(date(2012, 11, 23)), bar_timestamp(date(2012, 11, 24)))

    (gap,) = find_gaps("IBM", expected, expected[:200])

    assert (gap.bars, gap.ends) == (10, False)
    assert gap.last == pd.Timestamp("2012-11-23 12:59", tz="America/New_York")
