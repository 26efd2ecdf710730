from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from trading.errors import InvalidValueError
from trading.universes import by_dollar_volume

if TYPE_CHECKING:
    from tests.deployments.data.conftest import Data

START, END = date(2012, 8, 13), date(2012, 11, 30)


def test_symbols_are_tracked_tagged_and_listed(data: Data) -> None:
    for symbol in ("AAPL", "IBM", "BRK.B"):
        data.plant_sessions(symbol, START, END)

    assert data.run("universe", "add", "aapl", "BRK.B,IBM").output == "tracked: AAPL, BRK.B, IBM\n"
    assert data.run("universe", "tag", "AAPL", "Mega-Cap", "watch").output == "AAPL: mega-cap, watch\n"
    assert data.run("universe", "sector", "AAPL", "Technology").output == "AAPL: Technology\n"
    assert data.run("universe", "remove", "IBM").output == "not tracked: IBM\n"

    listed = data.json("universe", "list")
    assert [row["symbol"] for row in listed] == ["AAPL", "BRK.B"]
    assert listed[0]["tags"] == ["mega-cap", "watch"]
    assert listed[0]["tradable"] is False, "the broker has not told of it"
    assert [row["symbol"] for row in data.json("universe", "list", "--tag", "watch")] == ["AAPL"]
    assert [row["symbol"] for row in data.json("universe", "list", "--sector", "technology")] == ["AAPL"]
    assert len(data.json("universe", "list", "--all")) == 3
    assert data.run("universe", "tag", "AAPL").output == "AAPL: no tags\n"


def test_a_symbol_that_nobody_knows_is_not_tracked(data: Data) -> None:
    data.plant_sessions("AAPL", START, END)

    answer = data.run("universe", "add", "AAPL", "APPL")

    assert answer.exit_code == 1
    assert answer.output == "unknown symbol 'APPL'; did you mean 'AAPL'?\n"
    assert data.json("universe", "list", "--all") == []


def test_the_most_traded_are_those_of_the_day_and_not_of_the_time_after(data: Data) -> None:
    days = data.plant_sessions("AAPL", START, END)
    data.plant("LATE", days, [1.0 if day < date(2012, 10, 1) else 1e6 for day in days])

    early = data.json("universe", "top", "1", "--as-of", "2012-09-28")
    late = data.json("universe", "top", "2", "--as-of", "2012-11-30", "--track")

    assert (early["as_of"], early["symbols"][0]["symbol"]) == ("2012-09-28", "AAPL")
    assert [row["symbol"] for row in late["symbols"]] == ["LATE", "AAPL"]
    assert late["symbols"][0]["dollars a session"] == 1_000_000_000
    assert [row["symbol"] for row in data.json("universe", "list")] == ["AAPL", "LATE"]


def test_a_date_before_every_bar_is_refused(data: Data) -> None:
    data.plant_sessions("AAPL", START, END)

    answer = data.run("universe", "top", "1", "--as-of", "2011-01-03")

    assert answer.exit_code == 1
    assert "no daily bars up to 2011-01-03; the first are of 2012-08-13" in answer.output


def test_a_session_without_a_bar_counts_as_zero_dollars() -> None:
    bars = pd.DataFrame({"symbol": ["A", "A", "B"], "close": [10.0, 20.0, 30.0], "volume": [1.0, 2.0, 1.0]})

    assert by_dollar_volume(bars, top=5, sessions=2).to_dict() == {"A": 25.0, "B": 15.0}
    with pytest.raises(InvalidValueError, match="top is 0"):
        by_dollar_volume(bars, top=0, sessions=2)
