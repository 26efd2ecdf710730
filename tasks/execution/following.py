"""Following open orders to their final state, and collecting fills."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from prefect import task

from db.repositories import accounts, orders, risk
from tasks.books import open_books
from tasks.execution.recording import record_broker_order, record_own
from tasks.policies import REPEATABLE
from tasks.resources import broker, database, flow_run_id
from trading.calendar import session_after, session_of
from trading.orders import FINAL, OrderEvent, OrderState
from trading.report import Report

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection, Row

    from tasks.broker import Broker
    from trading.broker import BrokerFill, Clock

UNKNOWN_DEADLINE = timedelta(minutes=5)
"""How long (by this machine) an order may stay unanswered and unfound before trading halts."""
OVERLAP = timedelta(days=1)
"""How far before the newest known fill fills are read again; late ones are counted once by their id."""


@task(**REPEATABLE)
def follow_orders() -> Report:
    """Look up every open order, cancel those whose session is over, and record fills, each once."""
    gateway = broker()
    clock = gateway.clock()
    with database().begin() as connection:
        account = open_books(connection, gateway, clock).number
        followed = [row for row in orders.open_orders(connection, account) if row.status != OrderState.INTENT]
    for row in followed:
        _follow(gateway, row, clock)
    new = collect_fills(gateway, account)
    with database().connect() as connection:
        now = orders.by_client_id(connection, [row.client_order_id for row in followed])
    statuses = Counter(row.status for row in now.values())
    shown = [
        {
            "order": f"{row.side} {row.quantity.normalize():f} {row.symbol}",
            "strategy": row.strategy,
            "status": row.status,
            "filled": row.filled_quantity,
            "average price": row.filled_average_price,
        }
        for row in now.values()
    ]
    return Report("Open orders followed", {"followed": len(followed), "new fills": new, **statuses}, shown)


def _follow(gateway: Broker, row: Row[Any], clock: Clock) -> None:
    found = gateway.find(row.client_order_id)
    if found is None:
        _absent(row, clock)
        return
    over = row.bar_ts is not None and session_after(session_of(row.bar_ts)) < clock.last_opened
    if over and found.status not in FINAL and row.time_in_force == "day":
        gateway.cancel(found.broker_order_id)
        found = gateway.find(row.client_order_id) or found
    with database().begin() as connection:
        record_broker_order(connection, row, found)


def _absent(row: Row[Any], clock: Clock) -> None:
    """Close an order the broker never had once its session is over; halt when it stays open too long."""
    over = row.bar_ts is not None and session_after(session_of(row.bar_ts)) < clock.session
    with database().begin() as connection:
        if over and row.status == OrderState.UNKNOWN:
            problem = "the broker never had it; its session is over"
            record_own(connection, row, OrderEvent.ABSENT, key="absent", at=clock.now, problem=problem)
        elif datetime.now(UTC) - row.recorded_at > UNKNOWN_DEADLINE:
            risk.set_trading_state(
                connection,
                account=row.account,
                state="HALTED",
                reason=f"order {row.client_order_id} was sent without an answer and is not found at the broker",
                by="manage_orders",
                at=clock.now,
                flow_run_id=flow_run_id(),
            )


def collect_fills(gateway: Broker, account: str) -> int:
    """Record the account's fills of orders we know, each once; return how many were new."""
    with database().connect() as connection:
        since = orders.last_fill_at(connection, account) or accounts.opening(connection, account).first_seen_at
    fills = gateway.fills(since=since - OVERLAP)
    with database().begin() as connection:
        known = orders.by_broker_id(connection, account, {fill.broker_order_id for fill in fills})
        rows = [_fill_row(fill, known[fill.broker_order_id]) for fill in fills if fill.broker_order_id in known]
        new = orders.record_fills(connection, rows)
        closed = [row for row in known.values() if row.status in FINAL]
        stale = _underfilled(connection, closed)
    for row in stale:
        found = gateway.find(row.client_order_id)
        if found is not None:
            with database().begin() as connection:
                record_broker_order(connection, row, found)
    return new


def _underfilled(connection: Connection, rows: Iterable[Row[Any]]) -> list[Row[Any]]:
    """Return closed orders whose fills add up to more than they say: a fill came late."""
    filled = orders.filled_quantities(connection, [row.id for row in rows])
    return [row for row in rows if filled.get(row.id, 0) > row.filled_quantity]


def _fill_row(fill: BrokerFill, order: Row[Any]) -> dict[str, Any]:
    return {
        "account": order.account,
        "order_id": order.id,
        "execution_id": fill.execution_id,
        "strategy": order.strategy,
        "symbol": fill.symbol,
        "side": fill.side,
        "quantity": fill.quantity,
        "price": fill.price,
        "filled_at": fill.at,
        "flow_run_id": flow_run_id(),
    }
