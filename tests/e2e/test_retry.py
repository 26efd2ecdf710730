"""A run of execute-trades that broke down after it had sent, and is tried again from the Prefect UI."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from prefect import get_client
from prefect.states import AwaitingRetry

from flows import steps
from tasks import resources
from tasks.execution.simulation import coming_sessions, step_before_open
from tasks.execution.submission import submit_orders
from tests.stack import forget_resources

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from tests.stack import Stack

DECIDED = """
    SELECT symbol, side, approved_quantity FROM risk_management.risk_decisions
    WHERE account = :account AND approved_quantity > 0
"""
STATUSES = "SELECT DISTINCT status FROM execution.orders WHERE account = :account"
BREAK = """
    CREATE FUNCTION execution.break_down() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN RAISE EXCEPTION 'answers cannot be written down'; END $$;
    CREATE TRIGGER break_down BEFORE UPDATE ON execution.orders
        FOR EACH ROW EXECUTE FUNCTION execution.break_down();
"""
MEND = "DROP TRIGGER break_down ON execution.orders; DROP FUNCTION execution.break_down()"

type Kind = tuple[str, str, Decimal]


@pytest.fixture
def decided(fresh_account: Stack) -> Iterator[Stack]:
    """Yield a system before an open, with decisions that wait to be sent."""
    step_before_open.fn(coming_sessions.fn(1)[0])

    def call(step: object) -> object:
        return (lambda **_: None) if step is submit_orders else steps.as_function(step)  # type: ignore[arg-type]

    steps.decide(None, call)
    yield fresh_account
    forget_resources()


@contextmanager
def answers_that_cannot_be_written_down(stack: Stack) -> Iterator[None]:
    """Let every change of an order fail in the database."""
    with stack.engine.begin() as connection:
        connection.exec_driver_sql(BREAK)
    try:
        yield
    finally:
        with stack.engine.begin() as connection:
            connection.exec_driver_sql(MEND)


def tried_again(stack: Stack, run: str) -> dict[str, Any]:
    """Do what the Retry button of the Prefect UI does, and wait for the end."""

    async def press() -> None:
        async with get_client() as client:
            await client.set_flow_run_state(UUID(run), AwaitingRetry(message="Retry from the UI"), force=True)

    asyncio.run(press())
    return stack.ended(run)


def at_the_broker(account: str) -> Counter[Kind]:
    gateway = resources.broker()
    assert gateway.account().number == account
    since = gateway.clock().now - timedelta(days=1)
    return Counter((order.symbol, order.side, order.quantity) for order in gateway.orders(since=since))


def test_a_run_that_broke_down_after_sending_is_tried_again_from_the_ui(decided: Stack) -> None:
    account = resources.broker().account().number
    intended = Counter(decided.rows(DECIDED, account=account))
    assert intended

    with answers_that_cannot_be_written_down(decided):
        answer = decided.api("POST", "/api/deployments/execute-trades/execute-trades/runs", json={"parameters": {}})
        run = answer.json()["flow_run_id"]
        broken = decided.ended(run)
    assert broken["state_type"] == "FAILED", broken
    assert decided.rows(STATUSES, account=account) == [("intent",)]
    sent_by_the_broken_run = at_the_broker(account)

    again = tried_again(decided, run)
    sent = at_the_broker(account)
    once_more = tried_again(decided, run)

    assert again["state_type"] == "COMPLETED", again
    assert once_more["state_type"] == "COMPLETED", once_more
    assert sent_by_the_broken_run
    assert sent_by_the_broken_run <= intended
    assert sent == at_the_broker(account) == intended
    assert "intent" not in {status for (status,) in decided.rows(STATUSES, account=account)}
