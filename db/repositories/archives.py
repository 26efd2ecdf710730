"""The manifest of archived bars, and the reading of its Parquet files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from sqlalchemy import select, update

from db.models.data_ingestion import Archive
from db.statements import upsert

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Row


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


def read(
    connection: Connection,
    symbols: Sequence[str],
    *,
    timeframe: str,
    start: datetime | None = None,
    end: datetime | None = None,
) -> pd.DataFrame:
    """Return archived bars of `symbols` with `start` <= ts <= `end` (UTC); empty without archives."""
    frames = []
    for entry in listed(connection, timeframe=timeframe):
        if (end is not None and entry.range_start > end) or (start is not None and entry.range_end <= start):
            continue
        frame = pd.read_parquet(entry.path, filters=[("symbol", "in", list(symbols))])
        after = frame["ts"] >= (start or entry.range_start)
        before = frame["ts"] <= (end or entry.range_end)
        frames.append(frame[after & before])
    if not frames:
        return pd.DataFrame(columns=["symbol", "ts", "open", "high", "low", "close", "volume", "quality"])
    archived = pd.concat(frames, ignore_index=True)
    archived["ts"] = pd.to_datetime(archived["ts"], utc=True).astype("datetime64[ns, UTC]")
    return archived[["symbol", "ts", "open", "high", "low", "close", "volume", "quality"]]


def covering(connection: Connection, *, timeframe: str, start: datetime, end: datetime) -> Row[Any] | None:
    """Return the manifest row of exactly this range that is still archived, or None."""
    statement = select(Archive.__table__).where(
        Archive.timeframe == timeframe,
        Archive.range_start == start,
        Archive.range_end == end,
        Archive.status == "archived",
    )
    return connection.execute(statement).one_or_none()


def set_status(connection: Connection, archive: int, status: str) -> None:
    """Change what a manifest row says of its bars: archived, or restored into the table."""
    connection.execute(update(Archive).where(Archive.id == archive).values(status=status))
