"""Measures writing and reading bars, each beside the ways one would write first, in one run on one server.

- upsert: new minute bars from a DataFrame to commit through `write`'s upsert, beside plain ADBC ingest -> temporary
  table -> INSERT ON CONFLICT, and SQLAlchemy ORM add_all (a sample, scaled up);
- copy: the same bars through the way of `write` that is taken when nothing can collide;
- panel: daily bars of many symbols to aligned arrays, beside plain ADBC to an Arrow table and pandas.read_sql
  (to a frame, and to aligned arrays as ours);
- decision: what a step on the trading path reads, 60 bars of 5 symbols, in a warm process;
- prices: reading the same bars with bigint and with numeric prices;
- memory: a backfill in batches, and how large the process is after the batch at which it is largest.

Run it with `uv run python -m benchmarks.market_data [--rows N] [--repeats N] [--dsn URL] [--json]`. Without
--dsn it starts a PostgreSQL of its own; a database that is given loses its bars.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import psutil
import pyarrow as pa
from adbc_driver_postgresql import dbapi
from sqlalchemy import make_url, text
from sqlalchemy.orm import Session

from benchmarks.postgres import migrate, server
from benchmarks.verdicts import Figure, conclude
from db import panels, partitions
from db.engine import make_engine
from db.models.data_ingestion import Bar
from db.repositories import ingestion
from db.repositories.bars import write
from db.repositories.bars.delivery import delivered
from db.repositories.bars.writing import append, upsert
from trading.bars import FIELDS
from trading.calendar import bar_timestamp, completed_bars, sessions

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection, Engine

    from trading.bars import Panel

SYMBOLS_A_BATCH = 50
SAMPLE = 50_000
NAMES = "symbol, timeframe, ts, open, high, low, close, volume, source, quality, ingestion_run_id"
MERGE = """
INSERT INTO data_ingestion.bars (symbol, timeframe, ts, open, high, low, close, volume, source, ingestion_run_id)
SELECT symbol, '1Min', ts, round(open * 1000000)::bigint, round(high * 1000000)::bigint, round(low * 1000000)::bigint,
       round(close * 1000000)::bigint, volume::bigint, 'broker', {run}
FROM plain_bars
ON CONFLICT (symbol, timeframe, ts) DO UPDATE SET
  open = excluded.open, high = excluded.high, low = excluded.low, close = excluded.close, volume = excluded.volume,
  source = excluded.source, ingestion_run_id = excluded.ingestion_run_id
"""
SELECT = """
SELECT symbol, ts, open, high, low, close, volume FROM data_ingestion.bars
WHERE timeframe = '1Day' AND ts >= '{start}' AND ts <= '{end}' AND quality <> 'quarantined'
"""


def frame_of(symbols: int, stamps: np.ndarray[Any, np.dtype[np.datetime64]]) -> pd.DataFrame:
    """Return random walks, a bar for every symbol at every timestamp, by symbol and time."""
    chance = np.random.default_rng(7)
    bars = symbols * len(stamps)
    names = np.array([f"S{number:03d}" for number in range(symbols)], dtype=object)
    close = np.round(100 + chance.normal(0, 0.01, bars).cumsum() % 50, 4)
    return pd.DataFrame(
        {
            "symbol": np.repeat(names, len(stamps)),
            "ts": pd.DatetimeIndex(np.tile(stamps, symbols), tz="UTC"),
            "open": close,
            "high": close + 0.05,
            "low": close - 0.05,
            "close": close,
            "volume": chance.integers(100, 1_000_000, bars).astype(np.float64),
        }
    )


def minutes(rows: int) -> pd.DataFrame:
    """Return about `rows` minute bars of regular hours, of 50 symbols."""
    wanted = rows // SYMBOLS_A_BATCH
    begin = datetime(2024, 1, 2, tzinfo=UTC)
    stamps = completed_bars("1Min", begin, begin + timedelta(days=wanted // 390 * 2 + 10))[:wanted]
    return frame_of(SYMBOLS_A_BATCH, stamps.tz_localize(None).to_numpy())


def timed(action: Callable[[], Any]) -> float:
    """Return how many seconds something takes."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


class Measured:
    """The benchmark's database and what was measured in it, in seconds."""

    def __init__(self, url: str, repeats: int) -> None:
        self.engine: Engine = make_engine(url)
        self.address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self.repeats = repeats
        with self.engine.begin() as connection:
            self.run = ingestion.begin(connection, source="broker", timeframe="1Min", symbols=[], flow_run_id=None)

    def best(self, ways: dict[str, Callable[[], Any]], *, before: Callable[[], None] | None = None) -> dict[str, float]:
        """Return the median of each way; they take turns, so that a slow minute of the machine hits them alike."""
        found: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(self.repeats):
            for name, way in ways.items():
                if before is not None:
                    before()
                found[name].append(timed(way))
        return {name: statistics.median(seconds) for name, seconds in found.items()}

    def empty(self, bars: pd.DataFrame, timeframe: str) -> None:
        """Leave the table without bars, its partitions made, and the disk quiet."""
        with self.engine.begin() as connection:
            connection.execute(text("TRUNCATE data_ingestion.bars, data_ingestion.bar_revisions"))
            partitions.ensure(connection, timeframe, bars["ts"].dt.tz_convert(None).to_numpy(dtype="datetime64[us]"))
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("CHECKPOINT"))

    def committed(self, way: Callable[[Connection], Any]) -> None:
        """Do something in a transaction of its own."""
        with self.engine.begin() as connection:
            way(connection)


def writing(measured: Measured, rows: int) -> dict[str, float]:
    """Return the seconds of the ways to write new minute bars, ORM's scaled to as many."""
    bars = minutes(rows)
    given: Any = {"timeframe": "1Min", "source": "broker", "run": measured.run}

    def plain() -> None:
        with dbapi.connect(measured.address) as connection, connection.cursor() as cursor:
            table = pa.Table.from_pandas(bars, preserve_index=False)
            cursor.adbc_ingest("plain_bars", table, mode="create", temporary=True)
            cursor.execute(MERGE.format(run=measured.run))
            connection.commit()

    def orm() -> None:
        sample: list[Any] = bars.head(SAMPLE).to_dict("records")
        with Session(measured.engine) as session:
            provenance = {"timeframe": "1Min", "source": "broker", "ingestion_run_id": measured.run}
            session.add_all([Bar(**row, **provenance) for row in sample])
            session.commit()

    ways: dict[str, Callable[[], Any]] = {
        "ours, upsert": lambda: measured.committed(lambda c: upsert(c, delivered(bars), **given)),
        "ADBC ingest, INSERT ON CONFLICT": plain,
        "ours, COPY": lambda: measured.committed(lambda c: append(c, delivered(bars), **given)),
        "ORM add_all, scaled": orm,
    }
    found = measured.best(ways, before=lambda: measured.empty(bars, "1Min"))
    found["ORM add_all, scaled"] *= len(bars) / min(SAMPLE, len(bars))
    return found


def reading(measured: Measured, symbols: int, days: int) -> dict[str, float]:
    """Return the seconds of the ways to read daily bars, and of a small reading of ours."""
    last = date(2023, 12, 29)
    chosen = sessions(last - timedelta(days=days * 1.5 + 30), last)[-days:]
    bars = frame_of(symbols, np.array([bar_timestamp(day).replace(tzinfo=None) for day in chosen], "datetime64[us]"))
    measured.empty(bars, "1Day")
    measured.committed(lambda c: write(c, bars, timeframe="1Day", source="broker", run=measured.run))
    with measured.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE data_ingestion.bars"))
    names, start, end = list(bars["symbol"].unique()), bar_timestamp(chosen[0]), bar_timestamp(chosen[-1])
    query = SELECT.format(start=start, end=end)

    def ours(some: list[str], begin: datetime) -> Panel:
        with measured.engine.connect() as connection:
            return panels.load(connection, some, timeframe="1Day", start=begin, end=end)

    def arrow() -> None:
        with dbapi.connect(measured.address) as connection, connection.cursor() as cursor:
            cursor.execute(query)
            assert len(cursor.fetch_arrow_table()) == len(bars)

    def frame() -> None:
        with measured.engine.connect() as connection:
            assert len(pd.read_sql(text(query), connection)) == len(bars)

    def aligned() -> None:
        with measured.engine.connect() as connection:
            rows = pd.read_sql(text(query), connection).set_index(["ts", "symbol"])
        for name in FIELDS:
            assert rows[name].unstack().to_numpy(dtype=np.float64).size == len(bars)  # noqa: PD010 - the quicker one

    assert ours(names, start).close.size == len(bars)
    small = bar_timestamp(chosen[-60])
    ours(names[:5], small)
    found = measured.best(
        {
            "ours, panel": lambda: ours(names, start),
            "ADBC to an Arrow table": arrow,
            "pandas.read_sql": frame,
            "pandas.read_sql, aligned": aligned,
        }
    )
    quick = [timed(lambda: ours(names[:5], small)) for _ in range(50)]
    return found | {"ours, 5 symbols x 60 bars": statistics.median(quick)}


def prices(measured: Measured, rows: int) -> dict[str, float]:
    """Return the seconds to read minute bars through ADBC with prices as bigint and as numeric."""
    bars = minutes(rows)
    measured.empty(bars, "1Min")
    measured.committed(lambda c: write(c, bars, timeframe="1Min", source="broker", run=measured.run))
    numeric = ", ".join(f"({name} / 1000000.0)::numeric(18, 6) AS {name}" for name in ("open", "high", "low", "close"))
    copied = NAMES.replace("open, high, low, close", numeric)
    with measured.engine.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS public.whole_bars, public.numeric_bars"))
        connection.execute(text(f"CREATE TABLE public.whole_bars AS SELECT {NAMES} FROM data_ingestion.bars"))
        connection.execute(text(f"CREATE TABLE public.numeric_bars AS SELECT {copied} FROM data_ingestion.bars"))

    def read(table: str) -> None:
        with dbapi.connect(measured.address) as connection, connection.cursor() as cursor:
            cursor.execute(f"SELECT symbol, ts, open, high, low, close, volume FROM public.{table}")
            assert len(cursor.fetch_arrow_table()) == len(bars)

    read("whole_bars")
    read("numeric_bars")
    found = measured.best(
        {"read, prices bigint": lambda: read("whole_bars"), "read, prices numeric": lambda: read("numeric_bars")}
    )
    measured.committed(lambda c: c.execute(text("DROP TABLE public.whole_bars, public.numeric_bars")))
    return found


def backfill(measured: Measured, rows: int, batch: int) -> dict[str, float]:
    """Return what writing `rows` bars in batches takes, in seconds, and adds to the process, in MiB."""
    measured.empty(minutes(batch), "1Min")
    process = psutil.Process()
    largest = process.memory_info().rss
    began = time.perf_counter()
    for number in range(rows // batch):
        bars = minutes(batch)
        bars["ts"] += pd.Timedelta(days=366 * (number % 5))
        bars["symbol"] = f"B{number}" + bars["symbol"]
        with measured.engine.begin() as connection:
            write(connection, bars, timeframe="1Min", source="broker", run=measured.run)
        largest = max(largest, process.memory_info().rss)
    return {"backfill": time.perf_counter() - began, "backfill, MiB of the process": largest / 2**20}


def ratios(found: dict[str, float]) -> list[Figure]:
    """Return the figures the targets are set in."""
    upsert, panel = found["ours, upsert"], found["ours, panel"]
    return [
        Figure("upsert / plain ADBC", found["ADBC ingest, INSERT ON CONFLICT"] / upsert, "x", least=0.9),
        Figure("upsert / ORM add_all", found["ORM add_all, scaled"] / upsert, "x", least=12),
        Figure("COPY / upsert", upsert / found["ours, COPY"], "x", least=1.6),
        Figure("panel / plain ADBC", found["ADBC to an Arrow table"] / panel, "x", least=0.8),
        Figure("panel / pandas.read_sql", found["pandas.read_sql"] / panel, "x", least=7),
        Figure("panel / read_sql, aligned", found["pandas.read_sql, aligned"] / panel, "x"),
        Figure("bigint / numeric, reading", found["read, prices numeric"] / found["read, prices bigint"], "x"),
    ]


def main() -> int:
    """Print the tables, or with `--json` the figures; the exit code is 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000, help="minute bars written (default: a million)")
    parser.add_argument("--symbols", type=int, default=500, help="symbols of the panel")
    parser.add_argument("--sessions", type=int, default=2520, help="sessions of the panel")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each way; the median counts")
    parser.add_argument("--backfill", type=int, default=0, help="bars to write in batches while memory is watched")
    parser.add_argument("--dsn", help="SQLAlchemy URL of a database whose bars may go; default: a server of its own")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    asked = parser.parse_args()
    with ExitStack() as stack:
        url = asked.dsn or stack.enter_context(server())
        migrate(url)
        measured = Measured(url, asked.repeats)
        found = writing(measured, asked.rows)
        found |= reading(measured, asked.symbols, asked.sessions)
        found |= prices(measured, asked.rows)
        if asked.backfill:
            found |= backfill(measured, asked.backfill, 250_000)
        measured.engine.dispose()
    if not asked.json:
        for name, seconds in found.items():
            print(f"{name:36} {seconds:10.4f} {'MiB' if 'MiB' in name else 's'}")
    title = f"{asked.rows:,} bars written, {asked.symbols} x {asked.sessions:,} read"
    return conclude(title, ratios(found), as_json=asked.json, seconds=found)


if __name__ == "__main__":
    sys.exit(main())
