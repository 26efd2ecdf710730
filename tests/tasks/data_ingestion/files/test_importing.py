from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from tasks.data_ingestion.files import csv_rows, importing
from tasks.data_ingestion.files.bad_rows import BadRows
from tasks.data_ingestion.files.file_format import FileFormat
from tasks.data_ingestion.files.importing import Imported, Wanted, import_files
from trading.calendar import sessions
from trading.errors import DataError, UnknownNameError

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

HEADER = "Date,Symbol,Open,High,Low,Close,Volume\n"
BARS = (
    "SELECT symbol, ts, open::text, high::text, low::text, close::text, volume FROM data_ingestion.bars ORDER BY 1, 2"
)
RUNS = "SELECT source, symbols, bars_received, bars_written, status FROM data_ingestion.ingestion_runs ORDER BY id"


def content(symbols: tuple[str, ...] = ("AAPL", "BRK.B"), count: int = 40) -> str:
    days = sessions(date(2012, 8, 13), date(2013, 8, 13))[:count]
    rows = [f"{day},{symbol},10,12,9,{10 + at % 3},{100 + at}" for symbol in symbols for at, day in enumerate(days)]
    return HEADER + "\n".join(rows) + "\n"


def load(engine: Engine, path: Path, bad: BadRows | None = None, **said: Any) -> Imported:
    wanted = Wanted(str(path), "1Day", **said)
    return import_files(engine, wanted, form=FileFormat(), bad=bad or BadRows())


def rows(engine: Engine, statement: str) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


def test_a_file_is_written_under_one_run_and_repeating_it_changes_nothing(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    path.write_text(content())

    first = load(engine, path)
    stored = rows(engine, BARS)
    again = load(engine, path)

    assert (first.bars, first.written, again.bars, again.written) == (80, 80, 80, 0)
    assert rows(engine, BARS) == stored
    assert rows(engine, RUNS) == [
        ("csv", ["AAPL", "BRK.B"], 80, 80, "completed"),
        ("csv", ["AAPL", "BRK.B"], 80, 0, "completed"),
    ]
    assert first.first == datetime(2012, 8, 13, 4, tzinfo=UTC)


class KilledError(Exception):
    """Stands for the end of the process."""


def test_an_import_that_is_killed_and_repeated_leaves_what_one_that_was_not_does(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_rows, "BLOCK", 256)
    monkeypatch.setattr(importing, "ROWS", 5)
    path = tmp_path / "bars.csv"
    path.write_text(content())
    whole = load(engine, path).bars
    expected = rows(engine, BARS)

    for moment in range(0, 60, 12):
        with engine.begin() as connection:
            connection.execute(text("DELETE FROM data_ingestion.bars"))

        def end(_: float, bars: int, moment: int = moment) -> None:
            if bars > moment:
                raise KilledError

        with pytest.raises(KilledError):
            import_files(engine, Wanted(str(path), "1Day"), form=FileFormat(), bad=BadRows(), progress=end)
        before = len(rows(engine, BARS))
        done = load(engine, path)
        assert 0 < before < whole
        assert (done.bars, done.written) == (whole, whole - before)
        assert rows(engine, BARS) == expected
    assert [run[-1] for run in rows(engine, RUNS)] == ["completed", *(["failed", "completed"] * 5)]


def test_symbols_and_sessions_that_were_not_asked_for_are_left_out(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    path.write_text(content())

    done = load(engine, path, symbols=["BRK.B", "NONE"], start=date(2012, 8, 15), end=date(2012, 8, 17))

    assert (done.rows, done.bars, done.symbols) == (80, 3, {"BRK.B"})
    assert {row[0] for row in rows(engine, BARS)} == {"BRK.B"}


def test_of_two_rows_for_one_bar_the_later_counts_and_the_earlier_is_told(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    path.write_text(
        HEADER + "2012-08-13,A,1,1,1,1,1\n2012-08-14,A,2,2,2,2,2\n2012-08-13,A,3,3,3,3,3\n2012-08-14,A,2,2,2,2,2\n"
    )
    bad = BadRows()

    done = load(engine, path, bad)

    assert (done.bars, done.repeated) == (2, 1)
    assert [(row.line, row.reason) for row in bad.first] == [
        (2, "a later row has other figures for the same bar, and counts")
    ]
    assert [float(row[2]) for row in rows(engine, BARS)] in ([3.0, 2.0], [3_000_000.0, 2_000_000.0])


def test_many_small_files_are_written_together(engine: Engine, tmp_path: Path) -> None:
    for symbol in ("AAPL", "IBM", "MSFT"):
        (tmp_path / f"{symbol}.csv").write_text("date,o,h,l,c,v\n2012-08-13,1,1,1,1,1\n2012-08-14,1,1,1\n\n")
    shares: list[float] = []
    bad = BadRows()

    done = import_files(
        engine,
        Wanted(str(tmp_path), "1Day"),
        form=FileFormat(),
        bad=bad,
        progress=lambda share, _: shares.append(share),
    )

    assert (len(done.files), done.rows, done.bars, done.written, shares) == (3, 6, 3, 3, [1.0])
    assert [(row.path.rsplit("/", 1)[-1], row.line) for row in bad.first] == [
        ("AAPL.csv", 3), ("IBM.csv", 3), ("MSFT.csv", 3),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "said", "error", "complaint"),
    [
        ("", {}, DataError, "no bar in 0 rows"),
        ("2012-08-13,A,x,1,1,1,1\n", {}, DataError, r"no bar in 1 rows: .*bars.csv:2: open 'x' is not a number"),
        ("2012-08-13,AAPL,1,1,1,1,1\n", {"symbols": ["AAPLE"]}, UnknownNameError, "did you mean 'AAPL'"),
        ("2012-08-13,A,1,1,1,1,1\n", {"start": date(2013, 1, 2)}, DataError, "no bars from 2013-01-02 to the last"),
    ],
)
def test_an_import_without_a_bar_is_an_error_and_stores_nothing(
    engine: Engine, tmp_path: Path, *, body: str, said: dict[str, Any], error: type[Exception], complaint: str
) -> None:
    path = tmp_path / "bars.csv"
    path.write_text(HEADER + body)

    with pytest.raises(error, match=complaint):
        load(engine, path, **said)

    assert rows(engine, BARS) == []
    assert rows(engine, RUNS) == []
