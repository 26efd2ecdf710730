"""Old bars out of the table into Parquet files, and back; no bar is lost or doubled whenever it is killed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from prefect import task

from db import archive_files, archiving
from db.repositories import archives
from tasks.policies import REPEATABLE
from tasks.resources import broker, database, flow_run_id
from trading.calendar import bar_timestamp
from trading.config import settings
from trading.report import Report

if TYPE_CHECKING:
    from datetime import date, datetime

    from db.archiving import Archived


def default_target() -> str:
    """Return where files go without a target: `archive` in the state directory."""
    return str(settings().home / "archive")


@task(**REPEATABLE)
def archive_bars(*, timeframe: str, older_than: int, target: str | None) -> Report:
    """Move whole periods of bars (years of daily ones, months of others) older than `older_than` days to files."""
    cutoff = broker().clock().now - timedelta(days=older_than)
    where = target or default_target()
    with database().connect() as connection:
        due = archiving.due(connection, timeframe=timeframe, cutoff=cutoff)
    moved = [found for start, end in due if (found := _archive(timeframe, start, end, where)) is not None]
    rows = [{"from": found.start, "to": found.end, "bars": found.file.bars, "file": found.file.path} for found in moved]
    figures = {"files": len(rows), "bars moved": sum(found.file.bars for found in moved), "older than": cutoff}
    return Report(f"{timeframe} bars archived", figures, rows)


def _archive(timeframe: str, start: datetime, end: datetime, target: str) -> Archived | None:
    with database().begin() as connection:
        found = archiving.archive(
            connection, timeframe=timeframe, start=start, end=end, target=target, flow_run_id=flow_run_id()
        )
    if found is not None and found.superseded is not None:
        archive_files.remove(found.superseded)
    return found


@task(**REPEATABLE)
def restore_bars(*, timeframe: str, start: date, end: date) -> Report:
    """Bring the archives that hold sessions of `start` .. `end` back into the table; their files stay.

    Raises
    ------
    DataError
        A file does not hold what its manifest row says; nothing is restored.
    """
    with database().connect() as connection:
        listed = [
            entry
            for entry in archives.listed(connection, timeframe=timeframe)
            if entry.range_end > bar_timestamp(start) and entry.range_start <= bar_timestamp(end)
        ]
    for entry in listed:
        archive_files.verify(entry.path, bars=entry.bars, sha256=entry.sha256)
    rows = []
    for entry in listed:
        with database().begin() as connection:
            archiving.restore(connection, entry)
        rows.append({"from": entry.range_start, "to": entry.range_end, "bars": entry.bars, "file": entry.path})
    return Report(f"{timeframe} bars restored", {"files": len(rows), "bars": sum(r["bars"] for r in rows)}, rows)
