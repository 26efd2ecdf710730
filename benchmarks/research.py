"""How much faster a sweep is on two Dask workers than on one, and whether the numbers are the same.

`python -m benchmarks.research [--tries N] [--symbols N] [--json]` stores ten years of made-up daily bars in a
PostgreSQL of its own and sweeps momentum over them through the flow's task runner, on running clusters of one and of
two workers of one core each that have read the bars. Starting workers and reading bars is told apart.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from distributed import LocalCluster
from sqlalchemy import create_engine, text

from benchmarks import postgres
from benchmarks.verdicts import Figure, conclude
from trading.calendar import bar_timestamp, sessions

FIRST, LAST = date(2003, 1, 2), date(2012, 12, 31)
TARGET = 1.6


def plant(url: str, symbols: int) -> None:
    """Store the bars, one random walk a symbol, and the shipped strategies."""
    from db.repositories import ingestion, strategies
    from db.repositories.bars import write
    from trading.strategies import ACTIVE, SHIPPED

    days = sessions(FIRST, LAST)
    names = [f"S{number:03}" for number in range(symbols)]
    steps = np.random.default_rng(7).normal(0.0003, 0.015, (len(days), symbols))
    close = np.round(50 * np.exp(steps.cumsum(axis=0)), 2).T.ravel()
    stamps = pd.DatetimeIndex([bar_timestamp(day) for day in days]).as_unit("ns")
    prices = {"open": close, "high": close + 0.5, "low": close * 0.99, "close": close}
    bars = pd.DataFrame(
        {"symbol": np.repeat(names, len(days)), "ts": np.tile(stamps, symbols), **prices, "volume": 1e6}
    )
    bars["ts"] = pd.to_datetime(bars["ts"], utc=True)
    engine = create_engine(url)
    with engine.begin() as connection:
        run = ingestion.begin(connection, source="csv", timeframe="1Day", symbols=names, flow_run_id=None)
        write(connection, bars, timeframe="1Day", source="csv", run=run)
        ingestion.finish(connection, run, status="completed")
        strategies.ship(connection, SHIPPED.values(), active=ACTIVE)
    engine.dispose()


def swept(tries: int, symbols: int, *, cluster: str) -> float:
    """Return the seconds of a sweep of so many tries on a running cluster."""
    from flows.analytics import evaluate
    from flows.runners import task_runner
    from tasks.analytics.research import plan_research
    from trading.research import Design

    design = Design(parameters={"lookback": list(range(60, 60 + tries))})
    names = [f"S{number:03}" for number in range(symbols)]
    run, planned = plan_research.fn("momentum_rotation", design, symbols=names, start=date(2004, 1, 2), end=LAST)
    began = time.perf_counter()
    pool = task_runner("dask", workers=1, cluster=cluster)
    asyncio.run(evaluate(run, "momentum_rotation", planned, pool, chunk=design.chunk))
    return time.perf_counter() - began


def found(url: str) -> list[Any]:
    """Return every result, and forget it."""
    engine = create_engine(url)
    with engine.begin() as connection:
        rows = connection.execute(
            text('SELECT ordinal, parameters, "window", metrics FROM analytics.research_results ORDER BY ordinal')
        ).all()
        connection.execute(text("DELETE FROM analytics.research_runs"))
    engine.dispose()
    return [tuple(row) for row in rows]


def measure(url: str, tries: int, symbols: int) -> dict[str, Any]:
    """Return the seconds by number of workers: once to read the bars, once measured."""
    from flows.runners import ONE_CORE

    seconds, starting, results = {}, {}, {}
    for workers in (1, 2):
        local: Any = LocalCluster
        with local(n_workers=workers, threads_per_worker=1, dashboard_address="127.0.0.1:0", env=ONE_CORE) as cluster:
            starting[workers] = swept(8 * workers, symbols, cluster=cluster.scheduler_address)
            found(url)
            seconds[workers] = swept(tries, symbols, cluster=cluster.scheduler_address)
            results[workers] = found(url)
    assert len(results[1]) == tries
    return {"seconds": seconds, "starting": starting, "same": results[1] == results[2]}


def main() -> int:
    """Measure and print; the exit code is 1 where the target is missed or the numbers differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tries", type=int, default=96, help="combinations (96)")
    parser.add_argument("--symbols", type=int, default=200, help="symbols (200)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    asked = parser.parse_args()
    os.environ.setdefault("PREFECT_LOGGING_LEVEL", "WARNING")
    from prefect.settings import PREFECT_API_URL
    from prefect.testing.utilities import prefect_test_harness

    from blocks.catalogue import POSTGRES, connector

    with postgres.server() as url, prefect_test_harness():
        postgres.migrate(url)
        plant(url, asked.symbols)
        os.environ["PREFECT_API_URL"] = str(PREFECT_API_URL.value())  # for workers in processes of their own
        connector(url).save(POSTGRES)
        figures = measure(url, asked.tries, asked.symbols)
    one, two = figures["seconds"][1], figures["seconds"][2]
    shown = [
        Figure("one worker", one, "s"),
        Figure("two workers", two, "s"),
        Figure("one / two", one / two, "x", least=TARGET),
        Figure("the same numbers", float(figures["same"]), "1 = yes", least=1),
    ]
    title = f"{asked.tries} tries of momentum over {asked.symbols} symbols on Dask"
    return conclude(title, shown, as_json=asked.json, details=figures)


if __name__ == "__main__":
    sys.exit(main())
