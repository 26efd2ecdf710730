from __future__ import annotations

import asyncio
from datetime import date
from typing import TYPE_CHECKING

import pytest

from flows.data_ingestion import fetch_market_data
from flows.orchestration import close_of_day, replay, trading_cycle
from tasks import resources
from tasks.execution.simulation import coming_sessions, step_before_open
from tests.stack import forget_resources
from trading.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stack import Stack

WARM = date(2012, 6, 1)
EQUITY = "SELECT session FROM execution.equity_snapshots WHERE account = :account ORDER BY session"
FILLS = "SELECT filled_at, symbol, side, quantity, price FROM execution.fills WHERE account = :account"
COUNTS = "SELECT schemaname || '.' || relname FROM pg_stat_user_tables WHERE schemaname <> 'public' ORDER BY 1"
OBSERVATIONS = {"notification.component_health", "logging.log_entries", "logging.log_patterns"}


@pytest.fixture(autouse=True)
def own_resources(inside: Stack) -> Iterator[None]:  # noqa: ARG001 - the resources are the stack's
    yield
    forget_resources()


def rows_by_table(stack: Stack) -> dict[str, int]:
    tables = [str(row[0]) for row in stack.rows(COUNTS)]
    return {table: int(stack.scalar(f"SELECT count(*) FROM {table}")) for table in tables if table not in OBSERVATIONS}


def test_a_cycle_and_a_close_that_run_again_leave_the_same_rows(fresh_account: Stack) -> None:
    step_before_open.fn(coming_sessions.fn(1)[0])
    asyncio.run(trading_cycle())
    asyncio.run(close_of_day())
    before = rows_by_table(fresh_account)

    asyncio.run(trading_cycle())
    asyncio.run(close_of_day())

    assert rows_by_table(fresh_account) == before
    assert before["execution.orders"] > 0
    assert before["risk_management.risk_decisions"] > 0


def test_a_file_without_its_source_is_refused_before_anything_runs(fresh_account: Stack) -> None:
    with pytest.raises(InvalidValueError, match=r"path is 'x\.csv'; expected a file for source csv or parquet"):
        asyncio.run(fetch_market_data(path="x.csv"))
    assert fresh_account.scalar("SELECT count(*) FROM data_ingestion.ingestion_runs WHERE source = 'csv'") >= 0


def account() -> str:
    return resources.broker().account().number


def test_a_replay_of_the_same_sessions_gives_the_same_fills_and_equity(inside: Stack) -> None:
    seen = []
    for _ in range(2):
        inside.simulator("reset", {"start": "2012-12-13"})
        asyncio.run(replay(sessions=4, staged_last=False))
        name = account()
        curve = inside.rows(
            "SELECT session, equity FROM execution.equity_snapshots WHERE account = :a ORDER BY 1", a=name
        )
        seen.append((name, inside.rows(FILLS + " ORDER BY 1, 2", account=name), curve))

    (first, *before), (second, *after) = seen
    assert first != second
    assert before == after
    assert len(before[0]) >= 3
