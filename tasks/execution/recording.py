"""Writing down what the broker says of an order, by the state table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from db.repositories import orders
from tasks.resources import flow_run_id
from trading.orders import FINAL, IllegalTransitionError, OrderEvent, OrderState, event_of, next_state

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Row

    from trading.broker import BrokerOrder


def record_broker_order(connection: Connection, row: Row[Any], found: BrokerOrder) -> bool:
    """Bring our order up to the broker's; return whether anything was new.

    A step the state table does not know is written down as a problem and changes no state.
    """
    event = event_of(found.status)
    key = f"{found.status}:{found.filled_quantity.normalize():f}:{found.updated_at.isoformat()}"
    figures: dict[str, Any] = {
        "broker_order_id": found.broker_order_id,
        "filled_quantity": found.filled_quantity,
        "filled_average_price": found.filled_average_price,
        "submitted_at": row.submitted_at or found.submitted_at,
    }
    try:
        status = next_state(OrderState(row.status), event)
    except IllegalTransitionError as error:
        status, figures = OrderState(row.status), {"problem": str(error)}
    if status in FINAL and row.closed_at is None:
        figures["closed_at"] = found.updated_at
    return orders.advance(
        connection,
        row.id,
        event=event,
        key=key,
        status=status,
        at=found.updated_at,
        flow_run_id=flow_run_id(),
        detail={"filled": str(found.filled_quantity), "average_price": str(found.filled_average_price)},
        **figures,
    )


def record_own(
    connection: Connection,
    row: Row[Any],
    event: OrderEvent,
    *,
    key: str,
    at: datetime,
    problem: str | None = None,
) -> None:
    """Write down an event that our own side observed."""
    status = next_state(OrderState(row.status), event)
    closed = {"closed_at": at} if status in FINAL else {}
    orders.advance(
        connection,
        row.id,
        event=event,
        key=key,
        status=status,
        at=at,
        flow_run_id=flow_run_id(),
        detail={"problem": problem} if problem else {},
        problem=problem,
        **closed,
    )
