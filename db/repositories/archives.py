"""The manifest of archived bars, and moving them out of the table and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select, text, update

from db import partitions
from db.models.data_ingestion import Archive
from db.statements import upsert

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    import pyarrow as pa
    from sqlalchemy import Connection, Row

    from db.arrow import Snapshot

PATIENCE = "SET LOCAL lock_timeout = '20s'"
"""How long a partition's removal may wait for its readers, who would all queue behind it."""
BARS = """
SELECT symbol, ts, open, high, low, close, volume, quality, source, ingestion_run_id
FROM data_ingestion.bars WHERE timeframe = {timeframe} AND ts >= {start} AND ts < {end}
ORDER BY symbol, ts
"""
MANIFEST = """
SELECT path FROM data_ingestion.archives
WHERE timeframe = {timeframe} AND status = 'archived' AND range_start <= {end} AND range_end > {start}
ORDER BY range_start
"""


def record(connection: Connection, entry: Mapping[str, Any]) -> None:
    """Write a manifest row; archiving the same range again replaces it."""
    upsert(connection, Archive, [entry], keys=["timeframe", "range_start", "range_end"])


def listed(connection: Connection, *, timeframe: str, status: str = "archived") -> Sequence[Row[Any]]:
    """Return the manifest rows of a timeframe, oldest range first."""
    statement = (
        select(Archive.__table__)
        .where(Archive.timeframe == timeframe, Archive.status == status)
        .order_by(Archive.range_start)
    )
    return connection.execute(statement).all()


def paths(found: Snapshot, *, timeframe: str, start: datetime, end: datetime) -> list[str]:
    """Return the files with bars of `start` .. `end` (UTC) that are not in the table, oldest first."""
    table = found.table(MANIFEST, timeframe=timeframe, start=start, end=end)
    names: list[str] = table.column("path").to_pylist()
    return names


def covering(connection: Connection, *, timeframe: str, start: datetime, end: datetime) -> Row[Any] | None:
    """Return the manifest row of exactly this range that is still archived, or None."""
    statement = select(Archive.__table__).where(
        Archive.timeframe == timeframe,
        Archive.range_start == start,
        Archive.range_end == end,
        Archive.status == "archived",
    )
    return connection.execute(statement).one_or_none()


def previous(connection: Connection, *, timeframe: str, start: datetime, end: datetime) -> str | None:
    """Return the file that the manifest names for exactly this range, whatever became of it."""
    statement = select(Archive.path).where(
        Archive.timeframe == timeframe, Archive.range_start == start, Archive.range_end == end
    )
    return connection.execute(statement).scalar_one_or_none()


def set_status(connection: Connection, archive: int, status: str) -> None:
    """Change what a manifest row says of its bars: archived, or restored into the table."""
    connection.execute(update(Archive).where(Archive.id == archive).values(status=status))


def hold(connection: Connection, *, timeframe: str, start: datetime) -> bool:
    """Let nobody write to the period that begins at `start` until the transaction ends; False when it has no bars."""
    name = partitions.name_of(timeframe, start)
    if name not in partitions.existing(connection, timeframe):
        return False
    connection.execute(text(PATIENCE))
    connection.execute(text(f"LOCK TABLE {name} IN SHARE ROW EXCLUSIVE MODE"))
    return True


def bars(found: Snapshot, *, timeframe: str, start: datetime, end: datetime) -> Iterator[pa.RecordBatch]:
    """Yield every stored bar of `start` <= ts < `end` with its provenance, by symbol and time."""
    return found.batches(BARS, timeframe=timeframe, start=start, end=end)


def leave(connection: Connection, *, timeframe: str, start: datetime) -> None:
    """Drop the period that begins at `start` from the table; readers see it gone when the transaction commits."""
    connection.execute(text(f"DROP TABLE {partitions.name_of(timeframe, start)}"))
