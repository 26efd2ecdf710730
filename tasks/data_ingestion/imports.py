"""The step that imports files, and what it tells of them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Literal

from prefect import task

from tasks.data_ingestion.files.bad_rows import BadRows
from tasks.data_ingestion.files.file_format import FileFormat
from tasks.data_ingestion.files.importing import Wanted, import_files
from tasks.policies import REPEATABLE
from tasks.resources import database, flow_run_id
from trading.calendar import session_of
from trading.config import settings
from trading.report import Report

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tasks.data_ingestion.files.bad_rows import BadRow
    from tasks.data_ingestion.files.importing import Imported

FileSource = Literal["csv", "parquet"]


@task(**REPEATABLE)
def import_bars(
    path: str,
    *,
    source: FileSource | None,
    symbols: Sequence[str] | None,
    timeframe: str,
    start: date | None,
    end: date | None,
    form: FileFormat | None = None,
    progress: Callable[[float, int], None] | None = None,
) -> tuple[Report, Imported]:
    """Import bars from a CSV or Parquet file, a folder of them, or an fsspec URL.

    The good rows are written, the bad ones reported; more than a few of them are listed in a file in the state
    directory.

    Returns
    -------
    The report, and what was imported.

    Raises
    ------
    DataError
        Nothing can be read, or nothing of what was asked for is there.
    UnknownNameError
        None of the symbols is in the files, or a column that was named is not.
    """
    wanted = Wanted(path, timeframe, source=source, symbols=symbols, start=start, end=end)
    with BadRows(_overflow()) as bad:
        done = import_files(
            database(),
            wanted,
            form=form or FileFormat(),
            bad=bad,
            flow_run_id=flow_run_id(),
            progress=progress,
        )
        return _report(wanted, done, bad), done


def _overflow() -> Path:
    return settings().home / "imports" / f"{datetime.now(UTC):%Y%m%d-%H%M%S-%f}-bad-rows.csv"


def _report(wanted: Wanted, done: Imported, bad: BadRows) -> Report:
    figures = {
        "path": wanted.path,
        **({"files": len(done.files)} if len(done.files) > 1 else {}),
        "rows": done.rows,
        "bars": done.bars,
        "new or changed": done.written,
        "symbols": len(done.symbols),
        **({"sessions": f"{session_of(done.first)} to {session_of(done.last)}"} if done.first and done.last else {}),
        **({"repeated rows": done.repeated} if done.repeated else {}),
        "bad rows": bad.total,
    }
    several = len({row.path for row in bad.first} | done.files) > 1
    rows = [
        {**({"file": row.path} if several else {}), "line": row.line, "reason": row.reason}
        for row in sorted(bad.first, key=_place)
    ]
    return Report(f"{wanted.timeframe} bars imported", figures, rows, _notes(wanted, done, bad))


def _place(row: BadRow) -> tuple[str, int]:
    return row.path, row.line or 0


def _notes(wanted: Wanted, done: Imported, bad: BadRows) -> list[str]:
    usual = {"ts": "time", "clock": "time of day"}
    taken = [f"{column!r} as {usual.get(field, field)}" for field, column in done.columns.items()]
    notes = [f"Columns: {', '.join(taken)}."]
    if "symbol" not in done.columns:
        notes.append("Symbol from the file's name or as given.")
    if done.renamed:
        notes.append("Taken without the exchange: " + ", ".join(f"{a} as {b}" for a, b in sorted(done.renamed.items())))
    absent = [symbol for symbol in wanted.symbols or () if symbol not in done.present]
    if absent:
        notes.append(f"Not in the files: {', '.join(absent)}.")
    if bad.total > len(bad.first):
        notes.append(f"{bad.total:,} rows could not be read; they are listed in {bad.listed}")
    return notes
