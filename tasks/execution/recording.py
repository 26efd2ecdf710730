"""Writing down what the broker says of orders, by the state table; many at a time, each report once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from db.repositories import orders
from db.repositories.orders import Change
from tasks.resources import flow_run_id
from trading.order_progress import Known, step
from trading.orders import FINAL, TRANSITIONS, OrderEvent, OrderState, next_state

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Row

    from trading.broker import BrokerFill, BrokerOrder


def record_broker_orders(connection: Connection, account: str | None, found: Sequence[BrokerOrder]) -> int:
    """Bring our orders up to the broker's; return for how many there was news.

    Our ids are unique in the whole system: without an `account` every one of them is meant. The rows are locked
    first, so that two runs never write over each other. Exits that the broker keeps for an order are entered under
    it. A report that cannot be true is written down as a problem and changes no state.
    """
    if len(found) > len(by_id := {seen.client_order_id: seen for seen in found}):
        return sum(record_broker_orders(connection, account, [seen]) for seen in found)
    rows = orders.locked(connection, account, by_id)
    news = orders.advance(
        connection, [_change(row, by_id[client_id]) for client_id, row in rows.items()], flow_run_id=flow_run_id()
    )
    for client_id, row in rows.items():
        if legs := by_id[client_id].legs:
            orders.intend(connection, [exit_row(row, leg) for leg in legs])
            record_broker_orders(connection, row.account, legs)
    return len(news)


def _change(row: Row[Any], seen: BrokerOrder) -> Change:
    by_amount = row.notional is not None
    known = Known(OrderState(row.status), None if by_amount else row.quantity, row.filled_quantity, row.seen_at)
    found = step(known, seen)
    detail = {"filled": str(seen.filled_quantity), "average_price": str(seen.filled_average_price)}
    columns: dict[str, Any] = {
        "broker_order_id": row.broker_order_id or seen.broker_order_id,
        "filled_quantity": row.filled_quantity,
        "filled_average_price": row.filled_average_price,
        "submitted_at": row.submitted_at or seen.submitted_at,
        "seen_at": row.seen_at,
        "closed_at": row.closed_at,
        "quantity": row.quantity,
        "problem": found.problem or row.problem,
    }
    if found.problem is not None:
        detail |= {"impossible": found.problem}
        return Change(row.id, found.event, found.key, found.status, seen.updated_at, detail, columns)
    columns["filled_quantity"] = found.filled
    if found.filled == seen.filled_quantity:
        columns["filled_average_price"] = seen.filled_average_price
    if found.newest:
        columns["seen_at"] = seen.updated_at
    if found.status in FINAL:
        columns["closed_at"] = row.closed_at or seen.updated_at
        columns["quantity"] = found.filled if by_amount and found.filled else row.quantity
    return Change(row.id, found.event, found.key, found.status, seen.updated_at, detail, columns)


def record_own(
    connection: Connection,
    rows: Iterable[Row[Any]],
    event: OrderEvent,
    *,
    key: str,
    at: datetime,
    problem: str | None = None,
) -> set[int]:
    """Write down an event that our own side observed of orders; those that have moved on stay as they are."""
    changes = []
    for row in orders.locked_by_key(connection, [row.id for row in rows]):
        if event not in TRANSITIONS[OrderState(row.status)]:
            continue
        status = next_state(OrderState(row.status), event)
        columns: dict[str, Any] = {"problem": problem}
        if status in FINAL:
            columns["closed_at"] = at
        changes.append(Change(row.id, event, key, status, at, {"problem": problem} if problem else {}, columns))
    return orders.advance(connection, changes, flow_run_id=flow_run_id())


def broker_columns(seen: BrokerOrder) -> dict[str, Any]:
    """Return the columns of an order that the broker's own record tells."""
    return {
        "client_order_id": seen.client_order_id,
        "broker_order_id": seen.broker_order_id,
        "symbol": seen.symbol,
        "side": seen.side,
        "type": seen.type,
        "time_in_force": seen.time_in_force,
        "quantity": seen.quantity,
        "notional": seen.notional,
        "limit_price": seen.limit_price,
        "stop_price": seen.stop_price,
        "trail_price": seen.trail_price,
        "trail_percent": seen.trail_percent,
        "extended_hours": seen.extended_hours,
        "intended_at": seen.submitted_at,
        "submitted_at": seen.submitted_at,
    }


def exit_row(entry: Row[Any], leg: BrokerOrder) -> dict[str, Any]:
    """Return the row of an exit that the broker keeps for an entry; its state comes with its first report."""
    return {
        **broker_columns(leg),
        "flow_run_id": flow_run_id(),
        "account": entry.account,
        "strategy": entry.strategy,
        "strategy_version": entry.strategy_version,
        "bar_ts": entry.bar_ts,
        "placed_by": entry.placed_by,
        "parent_id": entry.id,
        "status": OrderState.INTENT,
    }


def fill_rows(fills: Iterable[BrokerFill], known: Mapping[str, Row[Any]]) -> list[dict[str, Any]]:
    """Return the rows of the fills of orders in the books; `known` has those under the broker's ids."""
    run = flow_run_id()
    return [
        {
            "account": order.account,
            "order_id": order.id,
            "execution_id": fill.execution_id,
            "strategy": order.strategy,
            "symbol": fill.symbol,
            "side": fill.side,
            "quantity": fill.quantity,
            "price": fill.price,
            "filled_at": fill.at,
            "flow_run_id": run,
        }
        for fill in fills
        if (order := known.get(fill.broker_order_id)) is not None
    ]
