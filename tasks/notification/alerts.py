"""What happened to orders becomes messages, once each."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from prefect import task

from db.repositories import messages, orders, risk
from tasks.books import open_books
from tasks.policies import REPEATABLE
from tasks.resources import broker, channels, database, flow_run_id
from trading.orders import OrderEvent
from trading.report import Report

if TYPE_CHECKING:
    from sqlalchemy import Row

RECENT = timedelta(days=7)
IMPOSSIBLE = "impossible"
"""Where an event keeps why the broker's report cannot be true."""
TROUBLE = {
    OrderEvent.REJECTED: "rejected",
    OrderEvent.CANCELED: "cancelled",
    OrderEvent.EXPIRED: "expired unfilled",
    OrderEvent.NO_ANSWER: "sent without an answer",
    OrderEvent.ABSENT: "never reached the broker",
    OrderEvent.WITHDRAWN: "withdrawn before it was sent",
}


@task(**REPEATABLE)
def post_trade_alerts(*, since: datetime | None) -> Report:
    """Put fills, order trouble and refused decisions since a broker time (default: a week) into the outbox."""
    gateway = broker()
    clock = gateway.clock()
    begin = since or clock.now - RECENT
    with database().begin() as connection:
        account = open_books(connection, gateway, clock).number
        rows = [_fill(row) for row in orders.fills(connection, account) if row.filled_at >= begin]
        rows += [
            _event(row)
            for row in orders.events_since(connection, account, since=begin)
            if row.event in TROUBLE or IMPOSSIBLE in row.detail
        ]
        rows += [_decision(row) for row in risk.curtailed(connection, account, since=begin.date())]
        shared = {"kind": "trade", "flow_run_id": flow_run_id()}
        new = messages.post(connection, [{**shared, **row} for row in rows], channels=channels().names())
    shown = [{"at": row["at"], "severity": row["severity"], "subject": row["subject"]} for row in rows]
    return Report("Trade alerts", {"since": begin, "new messages": new}, shown)


def _fill(row: Row[Any]) -> dict[str, Any]:
    verb = "Bought" if row.side == "buy" else "Sold"
    quantity, price = f"{row.quantity.normalize():f}", f"{row.price:,.2f}"
    return {
        "key": f"fill:{row.account}:{row.execution_id}",
        "severity": "info",
        "subject": f"{verb} {quantity} {row.symbol} at {price}",
        "body": f"{row.strategy}: {row.side} {quantity} {row.symbol} at {price} USD, account {row.account}.",
        "at": row.filled_at,
    }


def _event(row: Row[Any]) -> dict[str, Any]:
    impossible = row.detail.get(IMPOSSIBLE)
    what = "reported as it cannot be" if impossible else TROUBLE[OrderEvent(row.event)]
    order = f"{row.side} {row.quantity.normalize():f} {row.symbol}"
    return {
        "key": f"order-event:{row.id}",
        "severity": "critical" if impossible else "warning",
        "subject": f"Order {what}: {order}",
        "body": f"{row.strategy}: {order} was {what}. {impossible or row.problem or ''} ({row.client_order_id})",
        "at": row.at,
    }


def _decision(row: Row[Any]) -> dict[str, Any]:
    why = "; ".join(check["sentence"] for check in row.checks if check["outcome"] != "pass")
    order = f"{row.side} {row.requested_quantity.normalize():f} {row.symbol}"
    return {
        "key": f"decision:{row.id}",
        "severity": "info",
        "subject": f"Risk {row.verdict} {order}",
        "body": f"{row.strategy}: {order}, approved {row.approved_quantity.normalize():f}. {why}",
        "at": row.created_at,
    }
