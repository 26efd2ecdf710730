"""Raw bars: bulk writes by COPY, reads as frames from the table and the archive alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
from sqlalchemy import text

from db.models.data_ingestion import Bar
from db.partitions import ensure_years
from db.repositories import archives
from db.statements import insert_missing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from psycopg import Connection as DriverConnection
    from sqlalchemy import Connection

COLUMNS = ["symbol", "ts", "open", "high", "low", "close", "volume"]
VALUES = ("open", "high", "low", "close", "volume")

STAGE = """
CREATE TEMPORARY TABLE staged_bars
(symbol text, ts timestamptz, open numeric, high numeric, low numeric, close numeric, volume bigint) ON COMMIT DROP
"""
MERGE = """
INSERT INTO data_ingestion.bars (symbol, timeframe, ts, open, high, low, close, volume, source, ingestion_run_id)
SELECT DISTINCT ON (symbol, ts) symbol, :timeframe, ts, open, high, low, close, volume, :source, :run
FROM staged_bars ORDER BY symbol, ts
ON CONFLICT (symbol, timeframe, ts) DO UPDATE SET
  open = excluded.open, high = excluded.high, low = excluded.low, close = excluded.close,
  volume = excluded.volume, source = excluded.source, ingestion_run_id = excluded.ingestion_run_id,
  quality = 'unchecked'
WHERE (bars.open, bars.high, bars.low, bars.close, bars.volume)
  IS DISTINCT FROM (round(excluded.open, 6), round(excluded.high, 6), round(excluded.low, 6),
                    round(excluded.close, 6), excluded.volume)
"""
SELECT = """
SELECT symbol, ts, open::float8, high::float8, low::float8, close::float8, volume::float8, quality
FROM data_ingestion.bars
WHERE timeframe = :timeframe AND symbol = ANY(:symbols) AND ts >= :start AND ts <= :end
ORDER BY symbol, ts
"""


def write(connection: Connection, bars: pd.DataFrame, *, timeframe: str, source: str, run: int) -> int:
    """Upsert raw bars (`COLUMNS`, ts in UTC, any order); return how many were new or different."""
    if bars.empty:
        return 0
    ensure_years(connection, np.unique(bars["ts"].dt.year).tolist())
    connection.execute(text(STAGE))
    driver = cast("DriverConnection[Any]", connection.connection.driver_connection)
    rows = bars[COLUMNS].astype(object).where(bars[COLUMNS].notna(), None)
    with driver.cursor().copy("COPY staged_bars FROM STDIN") as copy:
        for symbol, ts, *prices, volume in rows.itertuples(index=False, name=None):
            copy.write_row((symbol, ts, *prices, None if volume is None else int(volume)))
    written = connection.execute(text(MERGE), {"timeframe": timeframe, "source": source, "run": run}).rowcount
    connection.execute(text("DROP TABLE staged_bars"))
    return written


def read(
    connection: Connection,
    symbols: Sequence[str],
    *,
    timeframe: str,
    start: datetime,
    end: datetime,
    quarantined: bool = False,
) -> pd.DataFrame:
    """Return bars with `start` <= ts <= `end` (UTC), oldest first; `COLUMNS` plus quality.

    Quarantined bars are left out unless asked for. Archived bars are read from their files.
    """
    parameters = {"timeframe": timeframe, "symbols": list(symbols), "start": start, "end": end}
    rows = connection.execute(text(SELECT), parameters).all()
    frame = pd.DataFrame(rows, columns=[*COLUMNS, "quality"])
    frame["ts"] = pd.to_datetime(frame["ts"], utc=True).astype("datetime64[ns, UTC]")
    archived = archives.read(connection, symbols, timeframe=timeframe, start=start, end=end)
    if not archived.empty:
        frame = pd.concat([archived, frame], ignore_index=True).sort_values(["symbol", "ts"], ignore_index=True)
    frame = frame.astype(dict.fromkeys(VALUES, "float64"))
    return frame if quarantined else frame[frame["quality"] != "quarantined"].reset_index(drop=True)


def stored(
    connection: Connection, symbols: Sequence[str], *, timeframe: str, start: datetime, end: datetime
) -> dict[str, pd.DatetimeIndex]:
    """Return the timestamps (UTC) stored per symbol in `start` <= ts <= `end`, archived ones included."""
    rows = connection.execute(
        text(
            "SELECT symbol, ts FROM data_ingestion.bars "
            "WHERE timeframe = :timeframe AND symbol = ANY(:symbols) AND ts BETWEEN :start AND :end"
        ),
        {"timeframe": timeframe, "symbols": list(symbols), "start": start, "end": end},
    ).all()
    frame = pd.DataFrame(rows, columns=["symbol", "ts"])
    archived = archives.read(connection, symbols, timeframe=timeframe, start=start, end=end)
    frame = pd.concat([frame, archived[["symbol", "ts"]]]) if not archived.empty else frame
    frame["ts"] = pd.to_datetime(frame["ts"], utc=True).astype("datetime64[ns, UTC]")
    groups = dict(tuple(frame.groupby("symbol")["ts"]))
    return {symbol: pd.DatetimeIndex(sorted(groups.get(symbol, ()))) for symbol in symbols}


def latest(connection: Connection, symbols: Sequence[str], *, timeframe: str) -> dict[str, datetime]:
    """Return the newest bar's timestamp (UTC) of each symbol that has one in the table."""
    rows = connection.execute(
        text(
            "SELECT symbol, max(ts) FROM data_ingestion.bars "
            "WHERE timeframe = :timeframe AND symbol = ANY(:symbols) GROUP BY symbol"
        ),
        {"timeframe": timeframe, "symbols": list(symbols)},
    )
    return dict(rows.all())


def judge(
    connection: Connection,
    *,
    timeframe: str,
    symbols: Sequence[str],
    start: datetime,
    end: datetime,
    verdicts: dict[str, list[tuple[str, datetime]]],
) -> int:
    """Mark a checked range good, then the bars of `verdicts` (suspect, quarantined); return rows changed."""
    changed = connection.execute(
        text(
            "UPDATE data_ingestion.bars SET quality = 'good' WHERE timeframe = :timeframe AND symbol = ANY(:symbols) "
            "AND ts BETWEEN :start AND :end AND quality = 'unchecked'"
        ),
        {"timeframe": timeframe, "symbols": list(symbols), "start": start, "end": end},
    ).rowcount
    for verdict, bars in verdicts.items():
        changed += connection.execute(
            text(
                "UPDATE data_ingestion.bars SET quality = :verdict WHERE timeframe = :timeframe "
                "AND (symbol, ts) IN (SELECT * FROM unnest(CAST(:symbols AS text[]), CAST(:times AS timestamptz[]))) "
                "AND quality <> :verdict"
            ),
            {
                "verdict": verdict,
                "timeframe": timeframe,
                "symbols": [symbol for symbol, _ in bars],
                "times": [ts for _, ts in bars],
            },
        ).rowcount
    return changed


def take(connection: Connection, *, timeframe: str, start: datetime, end: datetime) -> pd.DataFrame:
    """Return every bar of a timeframe in `start` <= ts < `end` with its provenance, locked for removal."""
    rows = connection.execute(
        text(
            "SELECT symbol, ts, open, high, low, close, volume, quality, source, ingestion_run_id "
            "FROM data_ingestion.bars WHERE timeframe = :timeframe AND ts >= :start AND ts < :end "
            "ORDER BY symbol, ts FOR UPDATE"
        ),
        {"timeframe": timeframe, "start": start, "end": end},
    )
    return pd.DataFrame(rows.all(), columns=list(rows.keys()))


def drop(connection: Connection, *, timeframe: str, start: datetime, end: datetime) -> int:
    """Delete every bar of a timeframe in `start` <= ts < `end`; return how many."""
    return connection.execute(
        text("DELETE FROM data_ingestion.bars WHERE timeframe = :timeframe AND ts >= :start AND ts < :end"),
        {"timeframe": timeframe, "start": start, "end": end},
    ).rowcount


def first_unchecked(connection: Connection, symbols: Sequence[str], *, timeframe: str) -> datetime | None:
    """Return the oldest bar (UTC) of `symbols` that no rule has looked at, or None."""
    statement = text(
        "SELECT min(ts) FROM data_ingestion.bars "
        "WHERE timeframe = :timeframe AND symbol = ANY(:symbols) AND quality = 'unchecked'"
    )
    return cast("datetime | None", connection.scalar(statement, {"timeframe": timeframe, "symbols": list(symbols)}))


def oldest(connection: Connection, *, timeframe: str) -> datetime | None:
    """Return the oldest bar (UTC) of a timeframe in the table, or None."""
    statement = text("SELECT min(ts) FROM data_ingestion.bars WHERE timeframe = :timeframe")
    return cast("datetime | None", connection.scalar(statement, {"timeframe": timeframe}))


def put_back(connection: Connection, bars: pd.DataFrame, *, timeframe: str) -> int:
    """Insert archived bars with their provenance where the table has none; return how many."""
    ensure_years(connection, np.unique(bars["ts"].dt.year).tolist())
    rows = bars.astype(object).where(bars.notna(), None).assign(timeframe=timeframe)
    return insert_missing(connection, Bar, cast("list[dict[str, Any]]", rows.to_dict("records")))
