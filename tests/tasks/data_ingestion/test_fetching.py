"""Fetching against the real simulator: what is asked for, what is not asked for again, and what a kill costs."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from bokeh_sampledata import stocks
from prefect.client.orchestration import get_client

from blocks.health import DATA_LIMIT
from tasks import resources
from tasks.data_ingestion.fetching import fetch_bars, fetch_chunk, finish_fetch, plan_fetch, valued
from tasks.market_data import to_row
from tasks.resources import database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stack import Stack

SYMBOLS = ["AAPL", "IBM", "MSFT"]
START, END = date(2000, 3, 1), date(2001, 12, 31)
"""Older than what a first fetch brings, so that no other test has these bars."""
WHERE = "WHERE ts < '2002-01-01'"
BARS = (
    "SELECT symbol, timeframe, ts, open, high, low, close, volume, source, quality FROM data_ingestion.bars "
    f"{WHERE} ORDER BY symbol, ts"
)
COVERED = (
    "SELECT symbols, range_start, range_end FROM data_ingestion.fetched_ranges "
    "WHERE range_start < '2002-01-01' ORDER BY 2, 1"
)
SCRIPT = f"""
import sys
from datetime import date
from tasks.data_ingestion.fetching import fetch_chunk, finish_fetch, plan_fetch
from tasks.resources import broker, database, market_data
broker().clock(), database().connect().close(), market_data()
print("ready", flush=True)
sys.stdin.readline()
plan = plan_fetch.fn({SYMBOLS!r}, timeframe="1Day", start={START!r}, end={END!r}, bars_a_chunk=60)
finish_fetch.fn(plan, [fetch_chunk.fn(plan, chunk) for chunk in plan.chunks])
""".replace("datetime.date", "date")


@pytest.fixture
def empty_past(fresh_account: Stack) -> Iterator[Stack]:
    """Yield a stack without bars before 2002, and leave it so."""
    forget(fresh_account)
    yield fresh_account
    forget(fresh_account)


def forget(stack: Stack) -> None:
    with stack.engine.begin() as connection:
        for statement in (
            f"DELETE FROM data_ingestion.bars {WHERE}",
            "DELETE FROM data_ingestion.fetched_ranges WHERE range_start < '2002-01-01'",
        ):
            connection.exec_driver_sql(statement)


def fetch(**options: Any) -> tuple[int, int]:
    """Fetch the past in small chunks; return the requests made and the bars written."""
    plan = plan_fetch.fn(SYMBOLS, timeframe="1Day", start=START, end=END, **options)
    fetched = [fetch_chunk.fn(plan, chunk) for chunk in plan.chunks]
    finish_fetch.fn(plan, fetched)
    return sum(len(part.rows) for part in fetched), sum(part.written for part in fetched)


@pytest.fixture
def fetchers(empty_past: Stack) -> Iterator[list[subprocess.Popen[str]]]:
    """Yield ten processes that fetch the past in small chunks as soon as they get a line."""
    command = [sys.executable, "-c", SCRIPT]
    piped = subprocess.PIPE
    waiting = [
        subprocess.Popen(command, env=empty_past.environment, stdin=piped, stdout=piped, text=True) for _ in range(10)
    ]
    yield waiting
    for process in waiting:
        process.kill()
        process.communicate(timeout=30)


def test_a_fetch_killed_at_ten_points_and_resumed_leaves_the_same_tables(
    empty_past: Stack, fetchers: list[subprocess.Popen[str]]
) -> None:
    fetch(bars_a_chunk=60)
    whole, covered = empty_past.rows(BARS), empty_past.rows(COVERED)
    forget(empty_past)

    for number, process in enumerate(fetchers, start=1):
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
        while process.poll() is None and len(empty_past.rows(COVERED)) < number * len(covered) / 11:
            time.sleep(0.001 * number)
        process.kill()
        process.wait(30)
    stopped_at = len(empty_past.rows(BARS))
    fetch(bars_a_chunk=60)

    assert 0 < stopped_at < len(whole) == 3 * 460
    assert empty_past.rows(BARS) == whole
    assert empty_past.rows(COVERED) == covered


def test_what_was_answered_is_not_asked_for_again_and_a_hole_is_filled(empty_past: Stack) -> None:
    first = fetch()
    again = fetch()
    with empty_past.engine.begin() as connection:
        connection.exec_driver_sql(f"DELETE FROM data_ingestion.fetched_ranges {WHERE.replace('ts', 'range_start')}")
        connection.exec_driver_sql(
            "DELETE FROM data_ingestion.bars WHERE symbol = 'IBM' AND ts BETWEEN '2000-06-05' AND '2000-06-09'"
        )
    filled = fetch()

    assert first == (1, 1380)
    assert again == (0, 0)
    assert filled == (1, 4)


def test_a_fetch_with_nothing_to_do_leaves_no_run(empty_past: Stack) -> None:
    fetch()
    before = empty_past.scalar("SELECT count(*) FROM data_ingestion.ingestion_runs")

    assert fetch() == (0, 0)
    assert empty_past.scalar("SELECT count(*) FROM data_ingestion.ingestion_runs") == before


def test_a_refresh_brings_back_what_the_broker_says(empty_past: Stack) -> None:
    fetch()
    whole = empty_past.rows(BARS)
    with empty_past.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE data_ingestion.bars SET close = close + 1 {WHERE} AND symbol = 'IBM'")

    assert fetch() == (0, 0)
    assert fetch(refresh=True) == (1, 460)
    assert empty_past.rows(BARS) == whole


def test_the_shared_budget_follows_what_the_broker_announces(inside: Stack) -> None:
    resources.data_budget.cache_clear()
    with get_client(sync_client=True) as client:
        fetch_bars.fn(["IBM"], timeframe="1Day", start=date(2001, 1, 2), end=date(2001, 1, 5))
        limit = client.read_global_concurrency_limit_by_name(DATA_LIMIT)

    assert limit.limit == 100_000
    assert limit.slot_decay_per_second == pytest.approx(100_000 / 60)
    assert database().url.port == inside.settings.postgres.port


def test_a_spin_off_is_valued_by_the_first_closes_of_both(inside: Stack) -> None:
    """As Alpaca writes it in its OpenAPI document, with symbols that the simulator has."""
    told = {"ex_date": "2001-04-03", "new_rate": 1, "new_symbol": "IBM", "process_date": "2001-04-03"}
    row = to_row("spin_offs", {**told, "source_rate": 4, "source_symbol": "MSFT"})
    parent, new = (
        float(frame.set_index("date")["close"]["2001-04-03"])
        for frame in (pd.DataFrame(stocks.MSFT), pd.DataFrame(stocks.IBM))
    )

    stored = "SELECT count(*) FROM data_ingestion.bars WHERE ts < '2002-01-01'"
    before = inside.scalar(stored)

    known = valued(resources.market_data(), row)
    unknown = valued(resources.market_data(), {**row, "new_symbol": "NOBODY"})

    assert (row["symbol"], row["shares"], row["ratio"]) == ("MSFT", 0.25, None)
    assert known["ratio"] == pytest.approx(0.25 * new / (parent + 0.25 * new))
    assert unknown["ratio"] is None
    assert inside.scalar(stored) == before
