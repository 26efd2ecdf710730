"""Cancelling and replacing an order: asked for, then looked up, since a fill may come in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from db.repositories import orders
from tasks.broker import NOT_FOUND
from tasks.execution.intents import terms_columns, terms_of
from tasks.execution.recording import record_broker_orders, record_own
from tasks.resources import database, flow_run_id
from trading.errors import BrokerError, UnavailableError
from trading.order_terms import OrderTerms, OrderTermsError, order_terms, written
from trading.orders import FINAL, OrderEvent, OrderState, client_order_id

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import Row

    from tasks.broker import Broker
    from trading.broker import Clock

UNREPLACEABLE = frozenset(
    {
        OrderState.INTENT,
        OrderState.UNKNOWN,
        OrderState.ACCEPTED,
        OrderState.PENDING_NEW,
        OrderState.PENDING_CANCEL,
        OrderState.PENDING_REPLACE,
    }
)
"""States in which Alpaca refuses a replacement."""
SENT_AS = {
    "quantity": "qty",
    "limit_price": "limit_price",
    "stop_price": "stop_price",
    "trail_price": "trail",
    "trail_percent": "trail",
    "time_in_force": "time_in_force",
}
"""What may be changed, and Alpaca's name for it."""


def cancel(gateway: Broker, row: Row[Any], clock: Clock) -> Row[Any]:
    """Ask for an order's cancellation, write down what became of it, and return it.

    An order the broker never had, and that had its time to arrive, is closed as absent: so a person settles one
    that was sent without an answer.
    """
    found = gateway.find(row.client_order_id)
    if found is not None and found.status not in FINAL:
        gateway.cancel(found.broker_order_id)
        found = gateway.find(row.client_order_id) or found
    with database().begin() as connection:
        if found is not None:
            record_broker_orders(connection, row.account, [found])
        elif row.status == OrderState.UNKNOWN:
            problem = "not at the broker when its cancellation was asked for"
            record_own(connection, [row], OrderEvent.ABSENT, key="absent", at=clock.now, problem=problem)
        return orders.locked_by_key(connection, [row.id])[0]


def replaced_terms(row: Row[Any], changes: Mapping[str, Any]) -> OrderTerms:
    """Return an order's terms with some of them changed.

    Raises
    ------
    OrderTermsError
        The order cannot be replaced, or not so.
    """
    name = f"order {row.id}"
    if row.status in FINAL:
        raise OrderTermsError(f"{name} is {row.status}: there is nothing to replace")
    if row.status in UNREPLACEABLE:
        raise OrderTermsError(f"{name} is {row.status}: the broker replaces an order when it is new or partly filled")
    if row.notional is not None:
        raise OrderTermsError(f"{name} is by amount, which cannot be replaced; cancel it and place another")
    if row.parent_id is None and row.order_class in {"bracket", "oco", "oto"} and "quantity" in changes:
        raise OrderTermsError(f"{name} has exits of the same size; cancel it and place another")
    quantity = changes.get("quantity")
    if quantity is not None and quantity <= row.filled_quantity:
        raise OrderTermsError(
            f"{name} has filled {written(row.filled_quantity)} shares; a replacement is for more than that"
        )
    before = terms_of(row).model_dump()
    if all(before[key] == value for key, value in changes.items()):
        raise OrderTermsError(f"{name} has these terms already: {terms_of(row).words()}")
    return order_terms(**{**before, **changes})


def replace(gateway: Broker, row: Row[Any], terms: OrderTerms, clock: Clock, *, by: str | None = None) -> Row[Any]:
    """Write the replacement's intent down, ask for it once, and return its row as it is then.

    The caller holds the account's submit lock. The new order is a row of its own; the old one closes when the
    broker says so, and a fill that comes in between is the old one's. Refused, the replacement is rejected with
    the broker's words and the old order stands.
    """
    intent = _replacement(row, terms, clock, by)
    with database().begin() as connection:
        intent["sequence"] = max(row.sequence, orders.last_sequence(connection, row.risk_decision_id or 0)) + 1
        intent["client_order_id"] = successor_id(row, intent["sequence"], clock.now)
        orders.intend(connection, [intent])
        new = orders.by_client_id(connection, [intent["client_order_id"]])[intent["client_order_id"]]
    event, problem, answer = OrderEvent.NO_ANSWER, "", None
    try:
        answer = gateway.replace(row.broker_order_id, _sent(row, terms), client_order_id=new.client_order_id)
    except BrokerError as error:
        event = OrderEvent.NO_ANSWER if error.status == NOT_FOUND else OrderEvent.REJECTED
        problem = str(error)
    except UnavailableError as error:
        problem = str(error)
    old = gateway.find(row.client_order_id)
    with database().begin() as connection:
        record_broker_orders(connection, row.account, [seen for seen in (answer, old) if seen is not None])
        if answer is None:
            key = f"{event}:{flow_run_id()}"
            record_own(connection, [new], event, key=key, at=clock.now, problem=problem)
        return orders.locked_by_key(connection, [new.id])[0]


def _sent(row: Row[Any], terms: OrderTerms) -> dict[str, str]:
    """Return what of an order changes, in Alpaca's names."""
    before = terms_of(row).model_dump()
    after = terms.model_dump()
    return {
        sent: after[name] if name == "time_in_force" else written(after[name])
        for name, sent in SENT_AS.items()
        if after[name] != before[name] and after[name] is not None
    }


def _replacement(row: Row[Any], terms: OrderTerms, clock: Clock, by: str | None) -> dict[str, Any]:
    return {
        **terms_columns(terms),
        "account": row.account,
        "risk_decision_id": row.risk_decision_id,
        "strategy": row.strategy,
        "strategy_version": row.strategy_version,
        "bar_ts": row.bar_ts,
        "parent_id": row.parent_id,
        "replaces_id": row.id,
        "placed_by": by or row.placed_by,
        "status": OrderState.INTENT,
        "intended_at": clock.now,
        "flow_run_id": flow_run_id(),
    }


def successor_id(row: Row[Any], sequence: int, moment: datetime) -> str:
    """Return the client_order_id of what takes an order's place; `moment` stands for an order by hand's bar."""
    return client_order_id(
        account=row.account,
        strategy=row.strategy,
        version=row.client_order_id,
        bar_ts=row.bar_ts or moment,
        symbol=row.symbol,
        side=row.side,
        sequence=sequence,
    )
