"""Minute bars over the websocket in a run of the deployment, by the worker, while the simulator's clock moves."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.stack import MINUTES_OF
from trading.calendar import open_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stack import Stack

RUNS = "/api/deployments/fetch-market-data/fetch-market-data/runs"
STORED = "SELECT ts, close, volume FROM data_ingestion.bars WHERE timeframe = '1Min' ORDER BY ts"
OPEN = open_at(MINUTES_OF)


@pytest.fixture
def in_session(fresh_account: Stack) -> Iterator[Stack]:
    """Yield a system two minutes after the open of the session that has minutes, and leave none of them behind."""
    move(fresh_account, OPEN + timedelta(minutes=2))
    yield fresh_account
    with fresh_account.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM data_ingestion.bars WHERE timeframe = '1Min'")
        connection.exec_driver_sql("DELETE FROM data_ingestion.fetched_ranges WHERE timeframe = '1Min'")


def move(stack: Stack, to: datetime) -> None:
    stack.simulator("clock", {"to": to.isoformat()})


def run_of(stack: Stack, until: datetime) -> str:
    parameters = {"mode": "stream", "timeframe": "1Min", "symbols": ["IBM"], "until": until.isoformat()}
    answer = stack.api("POST", RUNS, json={"parameters": parameters})
    assert answer.is_success, answer.text
    run: str = answer.json()["flow_run_id"]
    return run


def wait_for_bars(stack: Stack, count: int) -> None:
    deadline = time.monotonic() + 60
    while len(stack.rows(STORED)) < count:
        assert time.monotonic() < deadline, f"{len(stack.rows(STORED))} of {count} bars"
        time.sleep(0.2)


def test_a_streaming_run_stores_each_minute_as_it_ends(in_session: Stack) -> None:
    until = OPEN + timedelta(minutes=9)
    run = run_of(in_session, until)
    for minute in range(3, 9):
        wait_for_bars(in_session, minute - 1)
        move(in_session, OPEN + timedelta(minutes=minute))
    wait_for_bars(in_session, 8)
    move(in_session, until)
    state = in_session.ended(run)

    expected = [
        ((OPEN + timedelta(minutes=minute)).astimezone(UTC), 189_000_000 + 10_000 * minute) for minute in range(9)
    ]
    assert state["state_type"] == "COMPLETED", state
    assert [(ts, close) for ts, close, _ in in_session.rows(STORED)] == expected


def test_a_streaming_run_that_is_cancelled_keeps_what_it_received(in_session: Stack) -> None:
    run = run_of(in_session, OPEN + timedelta(hours=6))
    for minute in range(3, 6):
        wait_for_bars(in_session, minute - 1)
        move(in_session, OPEN + timedelta(minutes=minute))
    wait_for_bars(in_session, 5)
    cancelled = in_session.run(sys.executable, "-m", "prefect", "flow-run", "cancel", run)

    assert cancelled.returncode == 0, cancelled.stderr
    assert in_session.ended(run)["state_type"] == "CANCELLED"
    assert len(in_session.rows(STORED)) == 5
