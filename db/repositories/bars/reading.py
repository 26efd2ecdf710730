"""Stored and archived bars, as Arrow columns and as frames."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, cast

from sqlalchemy import text

from db import archive_files, partitions
from db.arrow import snapshot
from db.models.base import MICRO
from db.repositories import archives

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd
    import pyarrow as pa
    from sqlalchemy import Connection

    from db.arrow import Snapshot

COLUMNS = ["symbol", "ts", "open", "high", "low", "close", "volume"]
PRICES = ("open", "high", "low", "close")
FIRST, LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
STORED = """
SELECT {columns} FROM data_ingestion.bars
WHERE timeframe = {{timeframe}} AND symbol = ANY({{symbols}}::text[]) AND ts >= {{start}} AND ts <= {{end}}
"""
EDGE = """
WITH RECURSIVE names (symbol) AS (
  (SELECT symbol FROM {partition} ORDER BY symbol LIMIT 1)
  UNION ALL
  SELECT (SELECT symbol FROM {partition} WHERE symbol > names.symbol ORDER BY symbol LIMIT 1)
  FROM names WHERE symbol IS NOT NULL
)
SELECT {which}((SELECT {which}(ts) FROM {partition} AS bar
                WHERE bar.symbol = names.symbol AND bar.timeframe = (SELECT timeframe FROM {partition} LIMIT 1)))
FROM names WHERE symbol IS NOT NULL
"""
"""The first or last bar of a partition by one step into the primary key per symbol, not by reading them all."""
NEIGHBOURS = """
SELECT bar.* FROM unnest({{symbols}}::text[], {{firsts}}::timestamptz[], {{lasts}}::timestamptz[])
  AS asked (symbol, first, last)
CROSS JOIN LATERAL (
  (SELECT {columns} FROM data_ingestion.bars AS bar
   WHERE bar.symbol = asked.symbol AND timeframe = {{timeframe}} AND ts < asked.first AND quality <> 'quarantined'
   ORDER BY ts DESC LIMIT {{before}})
  UNION ALL
  (SELECT {columns} FROM data_ingestion.bars AS bar
   WHERE bar.symbol = asked.symbol AND timeframe = {{timeframe}} AND ts > asked.last AND quality <> 'quarantined'
   ORDER BY ts LIMIT {{after}})
) AS bar
ORDER BY symbol, ts
"""
USABLE = "AND quality <> 'quarantined'"


def stored_batches(
    found: Snapshot, symbols: Sequence[str], *, timeframe: str, start: datetime, end: datetime
) -> Iterator[pa.RecordBatch]:
    """Yield usable bars of the table in any order, prices in millionths of a dollar."""
    statement = STORED.format(columns=", ".join(COLUMNS)) + USABLE
    return found.batches(statement, symbols=list(symbols), timeframe=timeframe, start=start, end=end)


def archived_tables(
    found: Snapshot, symbols: Sequence[str], *, timeframe: str, start: datetime, end: datetime, columns: Sequence[str]
) -> Iterator[pa.Table]:
    """Yield the archived bars of each file, quarantined ones included, prices in dollars."""
    for path in archives.paths(found, timeframe=timeframe, start=start, end=end):
        yield archive_files.read(path, symbols, start=start, end=end, columns=columns)


def read(
    connection: Connection,
    symbols: Sequence[str],
    *,
    timeframe: str,
    start: datetime,
    end: datetime,
    quarantined: bool = False,
) -> pd.DataFrame:
    """Return committed bars with `start` <= ts <= `end` (UTC) by symbol and time; `COLUMNS` plus quality.

    Quarantined bars are left out unless asked for. Archived bars are read from their files; where the
    table has the bar too, the table's counts.
    """
    import pandas as pd

    columns = [*COLUMNS, "quality"]
    statement = STORED.format(columns=", ".join(columns)) + "ORDER BY symbol, ts"
    values: dict[str, Any] = {"symbols": list(symbols), "timeframe": timeframe, "start": start, "end": end}
    with snapshot(connection) as found:
        frame = _dollars(_frame(found.table(statement, **values)))
        filed = [
            _frame(table)
            for table in archived_tables(found, symbols, timeframe=timeframe, start=start, end=end, columns=columns)
            if len(table)
        ]
    if filed:
        frame = pd.concat([*filed, frame]).drop_duplicates(["symbol", "ts"], keep="last")
        frame = frame.sort_values(["symbol", "ts"], ignore_index=True)
    return frame if quarantined else frame[frame["quality"] != "quarantined"].reset_index(drop=True)


def stored(
    connection: Connection, symbols: Sequence[str], *, timeframe: str, start: datetime = FIRST, end: datetime = LAST
) -> dict[str, pd.DatetimeIndex]:
    """Return the timestamps (UTC) stored per symbol in `start` <= ts <= `end`, archived ones included."""
    import pandas as pd

    columns = ["symbol", "ts"]
    values: dict[str, Any] = {"symbols": list(symbols), "timeframe": timeframe, "start": start, "end": end}
    with snapshot(connection) as found:
        tables = [found.table(STORED.format(columns="symbol, ts"), **values)]
        tables += archived_tables(found, symbols, timeframe=timeframe, start=start, end=end, columns=columns)
    frame = pd.concat([_frame(table) for table in tables]).drop_duplicates().sort_values(columns, ignore_index=True)
    times = pd.DatetimeIndex(frame["ts"])
    names = frame["symbol"].to_numpy(dtype=object)
    low, high = names.searchsorted(list(symbols)), names.searchsorted(list(symbols), side="right")
    return {symbol: times[begin:end] for symbol, begin, end in zip(symbols, low, high, strict=True)}


def latest(connection: Connection, symbols: Sequence[str], *, timeframe: str) -> dict[str, datetime]:
    """Return the newest bar's timestamp (UTC) of each symbol that has one in the table."""
    statement = text(
        "SELECT symbol, (SELECT max(ts) FROM data_ingestion.bars AS bar "
        "WHERE bar.symbol = asked.symbol AND bar.timeframe = :timeframe) AS ts "
        "FROM unnest(CAST(:symbols AS text[])) AS asked (symbol)"
    )
    rows = connection.execute(statement, {"timeframe": timeframe, "symbols": list(symbols)})
    return {row.symbol: row.ts for row in rows if row.ts is not None}


def neighbours(
    connection: Connection, spans: Mapping[str, tuple[datetime, datetime]], *, timeframe: str, before: int, after: int
) -> pd.DataFrame:
    """Return the usable bars of the table next to spans of time: `COLUMNS`, by symbol and time.

    Parameters
    ----------
    spans
        Symbol -> first and last timestamp (UTC) of what lies between.
    before, after
        The most bars per symbol on each side.
    """
    values: dict[str, Any] = {"timeframe": timeframe, "before": before, "after": after, "symbols": list(spans)}
    values |= {"firsts": [span[0] for span in spans.values()], "lasts": [span[1] for span in spans.values()]}
    with snapshot(connection) as found:
        return _dollars(_frame(found.table(NEIGHBOURS.format(columns=", ".join(COLUMNS)), **values)))


def oldest(connection: Connection, *, timeframe: str) -> datetime | None:
    """Return the oldest bar (UTC) of a timeframe in the table, or None."""
    found = (_edge(connection, name, "min") for name in partitions.existing(connection, timeframe))
    return next((ts for ts in found if ts is not None), None)


def newest(connection: Connection, *, timeframe: str) -> datetime | None:
    """Return the newest bar (UTC) of a timeframe in the table, or None."""
    found = (_edge(connection, name, "max") for name in reversed(partitions.existing(connection, timeframe)))
    return next((ts for ts in found if ts is not None), None)


def _edge(connection: Connection, partition: str, which: Literal["min", "max"]) -> datetime | None:
    return cast("datetime | None", connection.scalar(text(EDGE.format(partition=partition, which=which))))


def _frame(table: pa.Table) -> pd.DataFrame:
    import pandas as pd

    frame: pd.DataFrame = table.to_pandas()
    frame["ts"] = pd.to_datetime(frame["ts"], utc=True).astype("datetime64[ns, UTC]")
    return frame.astype(dict.fromkeys((*PRICES, "volume"), "float64")) if "open" in frame else frame


def _dollars(frame: pd.DataFrame) -> pd.DataFrame:
    for name in PRICES:
        frame[name] /= MICRO
    return frame
