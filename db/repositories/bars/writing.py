"""Bars into the table: a COPY where nothing can collide, else an upsert that keeps what it replaces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
from psycopg.errors import UniqueViolation
from sqlalchemy import text

from db import partitions
from db.binary import Constant, Integers, Texts, stream
from db.repositories.bars.delivery import delivered
from trading.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import Connection as DriverConnection
    from sqlalchemy import Connection

    from db.binary import Column
    from db.repositories.bars.delivery import Delivery

COPY = """
COPY data_ingestion.bars
(symbol, timeframe, ts, open, high, low, close, volume, source, quality, ingestion_run_id) FROM STDIN (FORMAT binary)
"""
STAGE = """
CREATE TEMPORARY TABLE staged_bars
(symbol text, ts timestamptz, open bigint, high bigint, low bigint, close bigint, volume bigint, source text,
 quality text, ingestion_run_id bigint) ON COMMIT DROP
"""
FIGURES = "symbol, ts, open, high, low, close, volume"
INSERT = """
INSERT INTO data_ingestion.bars
(symbol, ts, open, high, low, close, volume, timeframe, source, quality, ingestion_run_id)
SELECT symbol, ts, open, high, low, close, volume, :timeframe, {provenance} FROM staged_bars
ON CONFLICT (symbol, timeframe, ts) DO NOTHING
"""
REVISE = """
WITH changed AS (
  SELECT bar.symbol, bar.ts, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.source, bar.quality,
         bar.ingestion_run_id AS run, staged.open AS new_open, staged.high AS new_high, staged.low AS new_low,
         staged.close AS new_close, staged.volume AS new_volume
  FROM data_ingestion.bars AS bar JOIN staged_bars AS staged USING (symbol, ts)
  WHERE bar.timeframe = :timeframe AND bar.ts BETWEEN :first AND :last
    AND (bar.open, bar.high, bar.low, bar.close, bar.volume)
        IS DISTINCT FROM (staged.open, staged.high, staged.low, staged.close, staged.volume)
    AND NOT EXISTS (
      SELECT FROM data_ingestion.quality_decisions AS decided
      WHERE decided.symbol = bar.symbol AND decided.timeframe = :timeframe AND decided.ts = bar.ts
        AND decided.decision = 'correct'
        AND (decided.old_open, decided.old_high, decided.old_low, decided.old_close, decided.old_volume)
            IS NOT DISTINCT FROM (staged.open, staged.high, staged.low, staged.close, staged.volume))
  ORDER BY bar.symbol, bar.ts
  FOR UPDATE OF bar
), kept AS (
  INSERT INTO data_ingestion.bar_revisions
  (symbol, timeframe, ts, old_open, old_high, old_low, old_close, old_volume, new_open, new_high, new_low, new_close,
   new_volume, old_source, old_quality, new_source, old_ingestion_run_id, ingestion_run_id)
  SELECT symbol, :timeframe, ts, open, high, low, close, volume, new_open, new_high, new_low, new_close, new_volume,
         source, quality, :source, run, :run
  FROM changed
)
UPDATE data_ingestion.bars AS bar
SET open = new_open, high = new_high, low = new_low, close = new_close, volume = new_volume,
    source = :source, quality = 'unchecked', ingestion_run_id = :run
FROM changed
WHERE bar.symbol = changed.symbol AND bar.timeframe = :timeframe AND bar.ts = changed.ts
  AND bar.ts BETWEEN :first AND :last
"""
OCCUPIED = """
SELECT EXISTS (SELECT FROM data_ingestion.bars
               WHERE timeframe = :timeframe AND symbol = ANY(:symbols) AND ts BETWEEN :first AND :last)
"""


def write(connection: Connection, bars: pd.DataFrame, *, timeframe: str, source: str, run: int) -> int:
    """Store raw bars of one batch; return how many were new or different.

    A stored bar that is delivered with other figures is replaced, and its old figures go to the revisions,
    unless a person corrected exactly the figures that are delivered again.

    Parameters
    ----------
    bars
        Columns symbol, ts (timezone-aware), open, high, low, close (USD), volume (shares), in any order of rows.
    run
        The ingestion run that brought them.

    Raises
    ------
    DataError
        A bar cannot be stored, or there is no such run.
    """
    if bars.empty:
        return 0
    _require_run(connection, run)
    batch = delivered(bars)
    partitions.ensure(connection, timeframe, batch.times)
    if not _occupied(connection, batch, timeframe):
        written = append(connection, batch, timeframe=timeframe, source=source, run=run)
        if written is not None:
            return written
    return upsert(connection, batch, timeframe=timeframe, source=source, run=run)


def append(connection: Connection, batch: Delivery, *, timeframe: str, source: str, run: int) -> int | None:
    """COPY bars into the table and return how many; None, and nothing written, when one is there already.

    The primary key is the judge: another writer may have been faster since anybody looked.
    """
    columns: tuple[Column, ...] = (
        batch.symbols, Constant(timeframe), batch.stamps, *batch.figures,
        Constant(source), Constant("unchecked"), Constant(run),
    )  # fmt: skip
    try:
        with connection.begin_nested():
            _copy(connection, COPY, columns, len(batch))
    except UniqueViolation:
        return None
    return len(batch)


def upsert(connection: Connection, batch: Delivery, *, timeframe: str, source: str, run: int) -> int:
    """Insert the bars that are new and revise those that differ; return how many that were."""
    connection.execute(text(STAGE))
    _copy(connection, f"COPY staged_bars ({FIGURES}) FROM STDIN (FORMAT binary)", _figures(batch), len(batch))
    values: dict[str, Any] = {"timeframe": timeframe, "source": source, "run": run}
    written = connection.execute(text(INSERT.format(provenance=":source, 'unchecked', :run")), values).rowcount
    if written < len(batch):
        connection.execute(text("ANALYZE staged_bars"))
        first, last = batch.span
        written += connection.execute(text(REVISE), {**values, "first": first, "last": last}).rowcount
    connection.execute(text("DROP TABLE staged_bars"))
    return written


def put_back(connection: Connection, bars: pd.DataFrame, *, timeframe: str) -> int:
    """Insert archived bars with their provenance where the table has none; return how many."""
    batch = delivered(bars)
    partitions.ensure(connection, timeframe, batch.times)
    provenance = bars[["source", "quality", "ingestion_run_id"]].iloc[batch.rows]
    runs = Integers(provenance["ingestion_run_id"].to_numpy(dtype=np.int64))
    columns: tuple[Column, ...] = (*_figures(batch), _texts(provenance["source"]), _texts(provenance["quality"]), runs)
    connection.execute(text(STAGE))
    _copy(connection, "COPY staged_bars FROM STDIN (FORMAT binary)", columns, len(batch))
    statement = INSERT.format(provenance="source, quality, ingestion_run_id")
    written = connection.execute(text(statement), {"timeframe": timeframe}).rowcount
    connection.execute(text("DROP TABLE staged_bars"))
    return written


def _figures(batch: Delivery) -> tuple[Column, ...]:
    return (batch.symbols, batch.stamps, *batch.figures)


def _texts(values: pd.Series[Any]) -> Texts:
    codes, names = pd.factorize(values)
    return Texts(codes.astype(np.int64), tuple(map(str, names)))


def _copy(connection: Connection, statement: str, columns: Sequence[Column], rows: int) -> None:
    driver = cast("DriverConnection[Any]", connection.connection.driver_connection)
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for block in stream(columns, rows):
            copy.write(block)


def _occupied(connection: Connection, batch: Delivery, timeframe: str) -> bool:
    first, last = batch.span
    values = {"timeframe": timeframe, "symbols": list(batch.symbols.names), "first": first, "last": last}
    return bool(connection.scalar(text(OCCUPIED), values))


def _require_run(connection: Connection, run: int) -> None:
    """Hold the run while its bars are written, in place of a foreign key on every bar."""
    statement = text("SELECT id FROM data_ingestion.ingestion_runs WHERE id = :run FOR KEY SHARE")
    if connection.scalar(statement, {"run": run}) is None:
        raise DataError(f"ingestion run {run}: there is none; begin one before writing bars")
