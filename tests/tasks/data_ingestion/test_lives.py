"""Lives from files and from what the broker tells, and how the checks go by them, on the real system."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from db.repositories import bars as bars_repository
from db.repositories import ingestion
from db.repositories.lives import lives
from tasks.data_ingestion.lives import derive_lives, import_lives
from tasks.data_ingestion.quality import check_quality
from tasks.resources import database
from trading.calendar import bar_timestamp, sessions
from trading.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.stack import Stack


@pytest.fixture(autouse=True)
def none_left(inside: Stack) -> Iterator[None]:
    yield
    with inside.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM data_ingestion.symbol_lives")
        connection.exec_driver_sql("DELETE FROM data_ingestion.corporate_actions WHERE kind = 'rename'")


def recorded() -> list[tuple[str, date, date | None, str, str | None]]:
    with database().connect() as connection:
        return [(life.symbol, life.first_day, life.last_day, life.reason, life.name) for life in lives(connection)]


def test_a_file_of_lives_is_recorded_and_can_be_imported_again(tmp_path: Path) -> None:
    path = tmp_path / "lives.csv"
    path.write_text(
        "Ticker,Listed,Delisted,Name,Renamed To\n"
        "META,2021-06-30,2022-01-28,Roundhill,\nfb,2012-05-18,2022-06-08,Facebook,META\n"
    )

    report = import_lives.fn(str(path))
    first = recorded()
    import_lives.fn(str(path))

    assert report.figures["lives"] == 2
    assert first == recorded()
    assert first == [
        ("FB", date(2012, 5, 18), date(2022, 6, 8), "renamed", "Facebook"),
        ("META", date(2021, 6, 30), date(2022, 1, 28), "delisted", "Roundhill"),
        ("META", date(2022, 6, 9), None, "listed", None),
    ]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("listed\n2012-05-18\n", "no column for symbol; it has listed"),
        ("symbol,listed\nFB,2012-02-30\n", "row 1: listed '2012-02-30' is not a date"),
        ("symbol,listed\nFB,2012-05-18\n,2012-05-18\n", "row 2: no symbol"),
        ("symbol,renamed_to\nFB,META\n", "row 1: renamed_to needs delisted"),
        ("symbol,listed,delisted\nFB,2012-05-18,2011-05-18\n", "FB: last day is '2011-05-18'.*; nothing was stored"),
        ("", "not readable as csv"),
    ],
)
def test_a_file_that_makes_no_sense_is_one_line_and_nothing_is_stored(
    tmp_path: Path, content: str, complaint: str
) -> None:
    path = tmp_path / "lives.csv"
    path.write_text(content)

    with pytest.raises(DataError, match=complaint) as caught:
        import_lives.fn(str(path))

    assert "\n" not in str(caught.value)
    assert recorded() == []


def test_the_stored_renames_become_lives(inside: Stack) -> None:
    row = {"symbol": "LIFEOLD", "new_symbol": "LIFENEW", "kind": "rename", "ratio": None, "cash": None}
    with inside.engine.begin() as connection:
        run = ingestion.begin(connection, source="broker", timeframe="1Day", symbols=[], flow_run_id=None)
        rows = [{**row, "ex_date": date(2012, 6, 1), "source": "broker", "ingestion_run_id": run}]
        ingestion.record_actions(connection, rows)

    report = derive_lives.fn()

    assert report.notes == ["LIFEOLD is called LIFENEW from 2012-06-01 on"]
    assert [life[0] for life in recorded()] == ["LIFENEW", "LIFEOLD"]


def test_two_companies_under_a_ticker_are_checked_each_by_itself(inside: Stack, tmp_path: Path) -> None:
    sold, taken = date(2009, 11, 20), date(2010, 6, 1)
    days = [day for day in sessions(date(2009, 1, 2), date(2010, 12, 31)) if day <= sold or day >= taken]
    closes = [(20.0 if day <= sold else 90.0) + at % 3 / 10 for at, day in enumerate(days)]
    volumes = [1_000_000.0 + 1000 * (at % 7) for at in range(len(days))]
    frame = pd.DataFrame(
        {"symbol": "LIFETWO", "ts": pd.DatetimeIndex([bar_timestamp(day) for day in days]).as_unit("ns")}
    )
    frame = frame.assign(**dict.fromkeys(("open", "high", "low", "close"), closes), volume=volumes)
    with inside.engine.begin() as connection:
        run = ingestion.begin(connection, source="csv", timeframe="1Day", symbols=["LIFETWO"], flow_run_id=None)
        bars_repository.write(connection, frame, timeframe="1Day", source="csv", run=run)
    asked: dict[str, Any] = {"timeframe": "1Day", "start": days[0], "end": days[-1], "on_failure": "warn"}

    before = check_quality.fn(["LIFETWO"], **asked)
    path = tmp_path / "lives.csv"
    path.write_text(f"symbol,listed,delisted\nLIFETWO,,{sold}\nLIFETWO,{taken},\n")
    import_lives.fn(str(path))
    after = check_quality.fn(["LIFETWO"], **asked)

    assert before.figures["rule missing_sessions"] == len(sessions(sold, taken)) - 2
    assert before.figures["rule reused_tickers"] == 1
    assert after.figures["issues"] == 0
    assert inside.scalar("SELECT count(*) FROM data_ingestion.quality_issues WHERE symbol LIKE 'LIFETWO%'") == 0
