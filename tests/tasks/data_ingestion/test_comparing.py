"""Stored bars against another feed and against the daily ones, on the real system."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from db.repositories import bars as bars_repository
from db.repositories import ingestion
from tasks.data_ingestion import quality
from tasks.data_ingestion.quality import check_quality
from tasks.resources import database, market_data
from trading.calendar import bar_timestamp, completed_bars
from trading.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.stack import Stack

START, END = date(2000, 3, 1), date(2000, 5, 31)
WRONG = date(2000, 4, 4)
ISSUES = (
    "SELECT symbol, timeframe, (ts AT TIME ZONE 'America/New_York')::text, verdict, detail "
    "FROM data_ingestion.quality_issues WHERE rule = :rule AND ts < '2002-01-01' ORDER BY 1, 3"
)


@pytest.fixture
def keep(inside: Stack) -> Iterator[Callable[..., None]]:
    """Yield what stores bars before 2002, which are gone afterwards."""

    def stored(frame: pd.DataFrame, timeframe: str = "1Day") -> None:
        with database().begin() as connection:
            run = ingestion.begin(connection, source="csv", timeframe=timeframe, symbols=["IBM"], flow_run_id=None)
            bars_repository.write(connection, frame, timeframe=timeframe, source="csv", run=run)
            ingestion.finish(connection, run, status="completed")

    yield stored
    with inside.engine.begin() as connection:
        for table in ("bars", "quality_issues", "bar_revisions"):
            connection.exec_driver_sql(f"DELETE FROM data_ingestion.{table} WHERE ts < '2002-01-01'")


def served(first: date = START, last: date = END) -> pd.DataFrame:
    start, end = bar_timestamp(first), bar_timestamp(last)
    return market_data("sip").bars(["IBM"], timeframe="1Day", start=start, end=end)


def check(**changed: Any) -> Any:
    asked: dict[str, Any] = {"timeframe": "1Day", "start": START, "end": END, "on_failure": "quarantine"}
    return check_quality.fn(["IBM"], **(asked | changed))


def test_a_bar_that_another_feed_contradicts_is_quarantined_and_the_feed_s_bars_are_not_stored(
    inside: Stack, keep: Callable[..., None]
) -> None:
    bars = served()
    slight, gross = bars["ts"] == bar_timestamp(date(2000, 5, 2)), bars["ts"] == bar_timestamp(WRONG)
    true = {name: float(bars.loc[gross, name].iloc[0]) for name in ("high", "close")}
    bars.loc[slight, "high"] = (bars.loc[slight, "high"] * 1.02).round(2)
    bars.loc[gross, "high"] = 999.0
    keep(bars[bars["ts"] < bar_timestamp(date(2000, 5, 20))])
    held = inside.scalar("SELECT count(*) FROM data_ingestion.bars WHERE ts < '2002-01-01'")

    alone = check()
    none = inside.rows(ISSUES, rule="feeds_disagree")
    compared = check(compare_feed="sip")

    assert "rule feeds_disagree" not in alone.figures
    assert none == []
    assert compared.figures["rule feeds_disagree"] == 2
    found = inside.rows(ISSUES, rule="feeds_disagree")
    assert [row[1:4] for row in found] == [
        ("1Day", "2000-04-04 00:00:00", "quarantined"),
        ("1Day", "2000-05-02 00:00:00", "suspect"),
    ]
    assert found[0][4] == f"high 999, {true['high']:g} in the other feed"
    assert inside.scalar("SELECT count(*) FROM data_ingestion.bars WHERE ts < '2002-01-01'") == held


def test_more_bars_than_are_compared_at_once_are_refused_before_any_is_asked_for(
    keep: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(served())
    monkeypatch.setattr(quality, "BARS_AT_ONCE", 10)
    with pytest.raises(DataError, match="64 1Day bars are to be compared with the sip feed, 10 are allowed at once"):
        check(compare_feed="sip")


def test_minute_bars_are_held_against_the_daily_bar_that_is_stored(inside: Stack, keep: Callable[..., None]) -> None:
    daily = served(WRONG, WRONG)
    low, high = float(daily["low"].iloc[0]), float(daily["high"].iloc[0])
    first, last = float(daily["open"].iloc[0]), float(daily["close"].iloc[0])
    grid = completed_bars("1Min", bar_timestamp(WRONG), bar_timestamp(WRONG) + timedelta(days=1))
    closes = [first + (last - first) * at / (len(grid) - 1) for at in range(len(grid))]
    minutes = pd.DataFrame({"symbol": "IBM", "ts": grid, "open": closes, "close": closes, "volume": 100.0})
    minutes["high"], minutes["low"] = minutes["close"], minutes["close"]
    minutes.loc[30, "high"] = high * 1.2
    assert low < min(closes)
    keep(minutes, "1Min")

    check(timeframe="1Min", start=WRONG, end=WRONG)
    without = inside.rows(ISSUES, rule="daily_disagrees")
    keep(daily)
    check(timeframe="1Min", start=WRONG, end=WRONG)

    assert without == []
    ((symbol, timeframe, ts, verdict, detail),) = inside.rows(ISSUES, rule="daily_disagrees")
    at = datetime.fromisoformat(ts)
    assert (symbol, timeframe, at.time().isoformat(), verdict) == ("IBM", "1Min", "10:00:00", "quarantined")
    assert detail == f"high {high * 1.2:g}, {high:g} in the daily bar"
