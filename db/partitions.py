"""The partitions of the bars table, made as bars arrive: a year of daily bars, a month of any other timeframe."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import text

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sqlalchemy import Connection

CREATING = 7_216_001
"""Advisory lock held while a partition is created: two creators at once would collide."""
PARENT = "data_ingestion.bars"
DAILY = "1Day"
DECEMBER = 12


def start_of(timeframe: str, ts: datetime) -> datetime:
    """Return the start (UTC) of the period that holds an instant."""
    utc = ts.astimezone(UTC)
    return datetime(utc.year, 1 if timeframe == DAILY else utc.month, 1, tzinfo=UTC)


def end_of(timeframe: str, start: datetime) -> datetime:
    """Return the end (UTC, excluded) of the period that begins at `start`."""
    if timeframe == DAILY or start.month == DECEMBER:
        return datetime(start.year + 1, 1, 1, tzinfo=UTC)
    return datetime(start.year, start.month + 1, 1, tzinfo=UTC)


def name_of(timeframe: str, start: datetime) -> str:
    """Return the qualified name of the partition that begins at `start`."""
    month = "" if timeframe == DAILY else f"_{start.month:02d}"
    return f"{PARENT}_{timeframe.lower()}_{start.year:04d}{month}"


def periods(timeframe: str, stamps: NDArray[np.datetime64]) -> list[datetime]:
    """Return the starts of the periods that (N,) UTC datetime64 fall into, oldest first."""
    unit = "Y" if timeframe == DAILY else "M"
    starts = np.unique(stamps.astype(f"datetime64[{unit}]")).astype("datetime64[D]").tolist()
    return [datetime(day.year, day.month, day.day, tzinfo=UTC) for day in starts]


def existing(connection: Connection, timeframe: str) -> list[str]:
    """Return the names of a timeframe's partitions, oldest first."""
    statement = text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = CAST(:parent AS regclass)")
    names = sorted(connection.scalars(statement, {"parent": PARENT}))
    return [name for name in names if name.startswith(f"{PARENT}_{timeframe.lower()}_")]


def ensure(connection: Connection, timeframe: str, stamps: NDArray[np.datetime64]) -> None:
    """Create the partitions that bars at (N,) UTC datetime64 need and that do not exist yet."""
    present = set(existing(connection, timeframe))
    missing = [start for start in periods(timeframe, stamps) if name_of(timeframe, start) not in present]
    if missing:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": CREATING})
    for start in missing:
        end = end_of(timeframe, start)
        connection.execute(
            text(
                f"CREATE TABLE IF NOT EXISTS {name_of(timeframe, start)} PARTITION OF {PARENT} "
                f"FOR VALUES FROM ('{timeframe}', '{start:%Y-%m-%d} 00:00+00') "
                f"TO ('{timeframe}', '{end:%Y-%m-%d} 00:00+00')"
            )
        )
