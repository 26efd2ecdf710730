"""The step that imports files, and what it tells of them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Literal

from prefect import task

from tasks.data_ingestion.files.bad_rows import BadRows
from tasks.data_ingestion.files.file_format import FileFormat
from tasks.data_ingestion.files.importing import Wanted, import_files
from tasks.data_ingestion.files.levels import WHAT_TO_DO, sentence
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
    from trading.bars import Timeframe

SHOWN = 20

FileSource = Literal["csv", "parquet"]


@task(**REPEATABLE)
def import_bars(
    path: str,
    *,
    source: FileSource | None,
    symbols: Sequence[str] | None,
    timeframe: Timeframe,
    start: date | None,
    end: date | None,
    form: FileFormat | None = None,
    trusted: Sequence[str] = (),
    progress: Callable[[float, int], None] | None = None,
) -> tuple[Report, Imported]:
    """Import bars from a CSV or Parquet file, a folder of them, or an fsspec URL.

    The good rows are written, the bad ones reported; more than a few of them are listed in a file in the state
    directory. Symbols whose prices are on another level than what is stored are refused, but for `trusted` ones.

    Returns
    -------
    The report, and what was imported.

    Raises
    ------
    DataError
        Nothing can be read, nothing of what was asked for is there, or every symbol is refused.
    UnknownNameError
        None of the symbols is in the files, or a column that was named is not.
    """
    wanted = Wanted(path, timeframe, source=source, symbols=symbols, start=start, end=end, trusted=trusted)
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
        **({"refused symbols": len(done.refused)} if done.refused else {}),
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
    notes += _refusals(done)
    if bad.total > len(bad.first):
        notes.append(f"{bad.total:,} rows could not be read; they are listed in {bad.listed}")
    return notes


def _refusals(done: Imported) -> list[str]:
    """Return a line for each refused symbol, and what to do about them."""
    if not done.refused:
        return []
    more = [f"... and {len(done.refused) - SHOWN:,} more symbols."] if len(done.refused) > SHOWN else []
    return [*(f"Not imported: {sentence(one)}." for one in done.refused[:SHOWN]), *more, WHAT_TO_DO]
