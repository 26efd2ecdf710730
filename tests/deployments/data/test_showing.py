from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from deployments.data.display import cell, sparkline
from trading.calendar import bar_timestamp

if TYPE_CHECKING:
    from tests.deployments.data.conftest import Data

START, END = date(2012, 1, 3), date(2012, 12, 31)
SPLIT = """
INSERT INTO data_ingestion.corporate_actions (symbol, kind, ex_date, ratio, source, ingestion_run_id)
SELECT 'AAPL', 'split', '2012-12-28', 2.0, 'broker', min(id) FROM data_ingestion.ingestion_runs
"""


def test_the_newest_bars_are_shown_with_their_quality(data: Data) -> None:
    data.plant_sessions("AAPL", START, END)

    shown = data.run("show", "aapl", "--last", "3").output

    assert [line.split()[0] for line in shown.splitlines()[:4]] == ["ts", "2012-12-27", "2012-12-28", "2012-12-31"]
    assert "unchecked" in shown
    assert "AAPL 1Day, 3 bars, as traded, close +0.58%" in shown


def test_many_bars_are_looked_for_as_far_back_as_they_go(data: Data) -> None:
    days = data.plant_sessions("AAPL", START, END)

    found = data.json("show", "AAPL", "--last", "1000")["bars"]

    assert [bar["ts"] for bar in found] == [bar_timestamp(day).isoformat() for day in days]
    assert found[0]["volume"] == 1000


def test_a_range_is_shown_whole(data: Data) -> None:
    data.plant_sessions("AAPL", START, END)

    found = data.json("show", "AAPL", "--start", "2012-02-27", "--end", "2012-03-01")["bars"]

    assert [bar["ts"][:10] for bar in found] == ["2012-02-27", "2012-02-28", "2012-02-29", "2012-03-01"]


def test_adjusted_bars_have_the_splits_up_to_the_last_one_divided_out(data: Data) -> None:
    data.plant("AAPL", [date(2012, 12, 26), date(2012, 12, 27), date(2012, 12, 28)], [200.0, 202.0, 101.5])
    data.rows(SPLIT + " RETURNING id")

    raw = data.json("show", "AAPL")["bars"]
    adjusted = data.json("show", "AAPL", "--adjusted")["bars"]
    before = data.json("show", "AAPL", "--adjusted", "--start", "2012-12-26", "--end", "2012-12-27")["bars"]

    assert [bar["close"] for bar in raw] == [200.0, 202.0, 101.5]
    assert [(bar["close"], bar["volume"]) for bar in adjusted] == [(100.0, 2000), (101.0, 2000), (101.5, 1000)]
    assert [bar["close"] for bar in before] == [200.0, 202.0], "nothing of the future"


def test_a_range_without_bars_is_said_so(data: Data) -> None:
    data.plant_sessions("AAPL", START, END)

    shown = data.run("show", "AAPL", "--start", "2013-01-02", "--end", "2013-01-31").output

    assert shown == "no 1Day bars of AAPL in that range; it has 2012-01-03 to 2012-12-31\n"


def test_a_line_of_closes_rises_from_the_lowest_to_the_highest() -> None:
    assert sparkline([1.0, 2.0, 3.0, float("nan"), 8.0]) in {"▁▂▃█", "_.-#"}
    assert len(sparkline([float(value) for value in range(1000)], width=60)) <= 60
    assert sparkline([]) == ""
    assert len(set(sparkline([5.0, 5.0]))) == 1


def test_instants_are_shown_in_new_york_and_daily_bars_as_their_session() -> None:
    midnight = bar_timestamp(date(2013, 3, 11))

    assert cell(midnight) == "2013-03-11"
    assert cell(midnight.replace(hour=13, minute=30)) == "2013-03-11 09:30"
    assert cell(1234.5) == "1,234.5"
