"""The broker's orders against ours: unknown ones are adopted, known ones brought up to date, lost ones told of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from db.models.execution import EXTERNAL
from db.repositories import accounts, orders, reconciliation
from tasks.execution.following import OVERLAP, collect_fills
from tasks.execution.recording import broker_columns, fill_rows, record_broker_orders
from tasks.resources import database, flow_run_id
from trading.orders import FINAL, WORKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from decimal import Decimal
    from uuid import UUID

    from sqlalchemy import Connection, Row

    from tasks.broker import Broker
    from trading.broker import BrokerOrder

STRANGER = "placed outside of this system"
LOST = "the broker had it and does not any more"
UNFILLED = "the broker says more shares were filled than its list of fills has"


@dataclass(slots=True)
class Matched:
    """How many orders were compared, what was found, and from when on fills are missing."""

    checked: int = 0
    breaks: list[dict[str, Any]] = field(default_factory=list)
    missing_since: datetime | None = None


def match_orders(gateway: Broker, account: str) -> Matched:
    """Compare the broker's orders with ours since the last comparison, open ones however old."""
    with database().connect() as connection:
        since = _since(connection, account)
    listed = {order.client_order_id: order for order in gateway.orders(since=since)}
    found = Matched(checked=len(listed))
    nested = _with_exits(gateway, listed)
    with database().begin() as connection:
        accounts.lock(connection, account, "submit")
        record_broker_orders(connection, account, nested)
        known = orders.by_client_id(connection, listed)
        strangers = [order for identity, order in listed.items() if identity not in known]
        run = flow_run_id()
        orders.intend(connection, [_external(account, order, run) for order in strangers])
        changed = [listed[identity] for identity, row in known.items() if _differs(row, listed[identity])]
        record_broker_orders(connection, account, changed)
        waiting = [row for row in orders.open_orders(connection, account) if row.client_order_id not in listed]
        rows = known | orders.by_client_id(connection, [order.client_order_id for order in strangers])
        lacking = _lacking(connection, rows, {name: order.filled_quantity for name, order in listed.items()})
        found.missing_since = min((row.submitted_at or row.intended_at for row in lacking), default=None)
    found.breaks = [
        difference("order", order.client_order_id, ours="none", brokers=order.status, status="adopted", why=STRANGER)
        for order in strangers
    ]
    found.breaks += _look_up(gateway, account, waiting)
    return found


def match_fills(gateway: Broker, account: str, matched: Matched) -> tuple[int, list[dict[str, Any]]]:
    """Record the fills we missed, however old; return how many, and a break for each order that still lacks some."""
    if matched.missing_since is None:
        return 0, []
    new = collect_fills(gateway, account)
    with database().connect() as connection:
        lacking = _lacking(connection, _by_identity(orders.of_account(connection, account)))
    if lacking:
        fills = gateway.fills(since=min(row.submitted_at or row.intended_at for row in lacking) - OVERLAP)
        with database().begin() as connection:
            short = {row.broker_order_id: row for row in lacking}
            new += orders.record_fills(connection, fill_rows(fills, short))
            lacking = _lacking(connection, _by_identity(lacking))
    return new, [
        difference(
            "fill",
            row.client_order_id,
            ours="fewer fills",
            brokers=f"{row.filled_quantity.normalize():f} filled",
            status="open",
            why=UNFILLED,
        )
        for row in lacking
    ]


def difference(kind: str, subject: str, *, ours: str, brokers: str, status: str, why: str) -> dict[str, Any]:
    """Return a break as it is recorded."""
    return {
        "kind": kind,
        "subject": subject,
        "ours": ours,
        "brokers": brokers,
        "status": status,
        "explanation": why,
    }


def _since(connection: Connection, account: str) -> datetime:
    """Return from when on the broker's orders are listed: since the last comparison, and all that are open."""
    started = reconciliation.last_at(connection, account) or accounts.opening(connection, account).first_seen_at
    times = [row.submitted_at or row.intended_at for row in orders.open_orders(connection, account)]
    earliest: datetime = min([started, *times])
    return earliest - OVERLAP


def _differs(row: Row[Any], order: BrokerOrder) -> bool:
    return (row.status, row.filled_quantity, row.broker_order_id) != (
        order.status,
        order.filled_quantity,
        order.broker_order_id,
    )


def _by_identity(rows: Iterable[Row[Any]]) -> dict[str, Row[Any]]:
    return {row.client_order_id: row for row in rows}


def _lacking(
    connection: Connection, rows: Mapping[str, Row[Any]], filled: Mapping[str, Decimal] | None = None
) -> list[Row[Any]]:
    """Return the orders whose fills add up to less than was filled, by the broker's figures or by the orders' own."""
    told = {name: row.filled_quantity if filled is None else filled[name] for name, row in rows.items()}
    sums = orders.filled_quantities(connection, [row.id for name, row in rows.items() if told[name]])
    return [row for name, row in rows.items() if told[name] > sums.get(row.id, 0)]


def _look_up(gateway: Broker, account: str, waiting: Iterable[Row[Any]]) -> list[dict[str, Any]]:
    """Ask for each of our open orders that the list lacks; one that the broker had and has not is a break."""
    lost = []
    for row in waiting:
        if row.status not in WORKING:
            continue  # not sent, or sent without an answer: submission and manage-orders look for it
        order = gateway.find(row.client_order_id)
        if order is None:
            lost.append(
                difference("order", row.client_order_id, ours=row.status, brokers="none", status="open", why=LOST)
            )
            continue
        with database().begin() as connection:
            record_broker_orders(connection, account, [order])
    return lost


def _with_exits(gateway: Broker, listed: Mapping[str, BrokerOrder]) -> list[BrokerOrder]:
    """Return our entries that may be the reason for unknown orders, with the exits that the broker keeps for them."""
    with database().connect() as connection:
        known = orders.by_client_id(connection, listed)
    symbols = {order.symbol for identity, order in listed.items() if identity not in known}
    entries = [row for row in known.values() if row.order_class != "simple" and row.parent_id is None]
    return [gateway.with_legs(listed[row.client_order_id].broker_order_id) for row in entries if row.symbol in symbols]


def _external(account: str, order: BrokerOrder, run: UUID | None) -> dict[str, Any]:
    return {
        **broker_columns(order),
        "flow_run_id": run,
        "account": account,
        "strategy": EXTERNAL,
        "status": order.status,
        "filled_quantity": order.filled_quantity,
        "filled_average_price": order.filled_average_price,
        "closed_at": order.updated_at if order.status in FINAL else None,
    }
