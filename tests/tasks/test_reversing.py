"""A target on the other side of what is held, from the sized target to the books, on the simulator."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from db.repositories import orders, positions, risk
from tasks.books import open_books
from tasks.data_ingestion.fetching import fetch_bars
from tasks.data_ingestion.quality import check_quality
from tasks.data_ingestion.universe import resolve_universe
from tasks.execution.following import follow_orders
from tasks.execution.positions import apply_fills
from tasks.execution.reconciliation import reconcile_books
from tasks.execution.reversing import open_reversed
from tasks.execution.simulation import step_after_close, step_before_open
from tasks.execution.submission import submit_orders
from tasks.resources import broker, database
from tasks.risk_management.limits import decide_orders
from tasks.risk_management.sizing import size_targets
from tasks.strategy_engine.signals import decide_signals, strategies_to_run
from trading.calendar import bar_timestamp, open_at, session_after

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stack import Stack

STRATEGY, SYMBOL = "sma_crossover", "IBM"


@pytest.fixture
def shorts_allowed() -> Iterator[None]:
    def allow(value: float) -> None:
        with database().begin() as connection:
            risk.set_limit(connection, "allow_short", value, by="test")

    allow(1.0)
    yield
    allow(0.0)


@pytest.fixture
def holding(before_open: date, shorts_allowed: None) -> date:  # noqa: ARG001 - for the session that follows
    """Return the session before which 100 shares are held."""
    gateway = broker()
    with database().begin() as connection:
        account = open_books(connection, gateway, gateway.clock()).number
        row = {
            "account": account,
            "client_order_id": f"hold-{account}",
            "strategy": STRATEGY,
            "symbol": SYMBOL,
            "side": "buy",
            "type": "market",
            "time_in_force": "day",
            "quantity": Decimal(100),
            "bar_ts": bar_timestamp(gateway.clock().last_completed),
            "status": "intent",
            "intended_at": gateway.clock().now,
            "recorded_at": datetime.now(UTC) - timedelta(hours=1),
        }
        orders.intend(connection, [row])
    submit_orders.fn(as_of=None)
    step_after_close.fn(before_open)
    caught_up()
    session = session_after(before_open)
    step_before_open.fn(session)
    universe = resolve_universe.fn(None)
    fetch_bars.fn(universe, timeframe="1Day", start=None, end=None)
    check_quality.fn(universe, timeframe="1Day", start=None, end=None, on_failure="quarantine")
    return session


def caught_up() -> None:
    follow_orders.fn()
    apply_fills.fn()


def decide(target: int) -> None:
    """Let the strategy want `target` shares of the symbol, and nothing new of others."""
    strategies_to_run.fn(None)
    decide_signals.fn(STRATEGY, as_of=None)
    size_targets.fn(as_of=None, method=None)
    with database().begin() as connection:
        keep = text(
            "UPDATE risk_management.sized_targets SET target_quantity = "
            "CASE WHEN symbol = :symbol AND strategy = :strategy THEN :target ELSE current_quantity END "
            "WHERE account = :account AND session = :on"
        )
        account, clock = broker().account().number, broker().clock()
        asked: dict[str, Any] = {"symbol": SYMBOL, "strategy": STRATEGY, "target": target}
        values = {**asked, "account": account, "on": clock.session}
        changed = connection.execute(keep, values).rowcount
    assert changed
    decide_orders.fn(as_of=None)


def sent(account: str, session: date) -> list[tuple[str, int, str, int]]:
    with database().connect() as connection:
        rows = [row for row in orders.of_account(connection, account) if row.risk_decision_id is not None]
    assert session
    return [(row.side, int(row.quantity), row.status, row.sequence) for row in rows]


def held(account: str) -> Decimal:
    with database().connect() as connection:
        return sum((row.quantity for row in positions.of_account(connection, account)), Decimal(0))


def test_a_position_that_turns_round_is_closed_first_and_opened_when_that_has_filled(
    inside: Stack, holding: date
) -> None:
    account = broker().account().number
    decide(-50)
    submit_orders.fn(as_of=None)
    early = open_reversed.fn()
    again = submit_orders.fn(as_of=None)

    assert (early.figures["sent"], again.figures["sent"]) == (0, 0)
    ((side, quantity, _, sequence),) = sent(account, holding)
    assert (side, quantity, sequence) == ("sell", 100, 0)

    inside.simulator("clock", {"to": (open_at(holding) + timedelta(minutes=5)).isoformat()})
    caught_up()
    assert held(account) == 0
    opened, repeated = open_reversed.fn(), open_reversed.fn()
    assert (opened.figures["sent"], repeated.figures["sent"]) == (1, 0)

    step_after_close.fn(holding)
    caught_up()
    assert sent(account, holding) == [("sell", 100, "filled", 0), ("sell", 50, "filled", 1)]
    assert held(account) == -50
    assert [(one.symbol, one.quantity) for one in broker().positions()] == [(SYMBOL, Decimal(-50))]
    assert reconcile_books.fn().figures["verdict"] == "clean"


def test_while_shorts_are_not_allowed_the_position_is_closed_and_nothing_follows(inside: Stack, holding: date) -> None:
    account = broker().account().number
    with database().begin() as connection:
        risk.set_limit(connection, "allow_short", 0.0, by="test")
    decide(-50)
    submit_orders.fn(as_of=None)
    inside.simulator("clock", {"to": (open_at(holding) + timedelta(minutes=5)).isoformat()})
    caught_up()

    assert open_reversed.fn().figures["sent"] == 0
    assert sent(account, holding) == [("sell", 100, "filled", 0)]


def test_when_the_closing_order_does_not_fill_nothing_is_opened(inside: Stack, holding: date) -> None:
    account = broker().account().number
    decide(-50)
    submit_orders.fn(as_of=None)
    with database().connect() as connection:
        row = next(row for row in orders.of_account(connection, account) if row.side == "sell")
    broker().cancel(row.broker_order_id)
    inside.simulator("clock", {"to": (open_at(holding) + timedelta(minutes=5)).isoformat()})
    caught_up()

    assert open_reversed.fn().figures["sent"] == 0
    assert sent(account, holding) == [("sell", 100, "canceled", 0)]
    assert held(account) == 100
