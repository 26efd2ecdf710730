"""Orders that wait too long are cancelled, given another limit, or closed out at the market before the close."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from db.repositories import accounts, orders, risk
from tasks.execution import changing
from tasks.execution.intents import terms_columns
from tasks.execution.posting import send
from tasks.resources import database, flow_run_id, locks
from trading.errors import TradingError
from trading.order_policy import StalePolicy, Waiting, due
from trading.order_terms import order_terms
from trading.orders import FINAL, OrderState

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from sqlalchemy import Row

    from tasks.broker import Broker
    from trading.broker import Clock
    from trading.order_policy import Measure

CONFIRMED_WITHIN = 5.0
"""Seconds a cancellation may take before its remainder is given up."""
PAUSE = 0.25


def take_measures(
    gateway: Broker, account: str, rows: Iterable[Row[Any]], policy: StalePolicy, clock: Clock
) -> list[str]:
    """Do what a policy asks for orders as they are now; return a line about each that was touched."""
    asked = [(row, measure) for row in rows if (measure := _due(row, policy, clock)) is not None]
    if not asked:
        return []
    with locks().begin() as guard:
        accounts.lock(guard, account, "submit")
        return [_take(gateway, row, measure, clock) for row, measure in asked]


def _due(row: Row[Any], policy: StalePolicy, clock: Clock) -> Measure | None:
    if row.order_class != "simple" or row.parent_id is not None or row.submitted_at is None:
        return None
    reprices = row.sequence if row.replaces_id is not None else 0
    state = OrderState(row.status)
    return due(Waiting(row.type, row.side, state, row.limit_price, row.submitted_at, reprices), policy, clock)


def _take(gateway: Broker, row: Row[Any], measure: Measure, clock: Clock) -> str:
    name = f"{row.side} {row.quantity.normalize():f} {row.symbol} (order {row.id}) {measure.why}"
    if measure.action == "reprice":
        try:
            terms = changing.replaced_terms(row, {"limit_price": measure.limit_price})
        except TradingError as error:
            return f"{name}: {error}"
        new = changing.replace(gateway, row, terms, clock)
        return f"{name}: limit {measure.limit_price}, order {new.id} is {new.status}"
    after = _cancelled(gateway, row, clock)
    if measure.action == "cancel" or after.status == OrderState.FILLED:
        return f"{name}: {after.status}"
    if after.status not in FINAL:
        return f"{name}: its cancellation is not confirmed; the remainder is not sent"
    return f"{name}: {_close_out(after, clock)}"


def _cancelled(gateway: Broker, row: Row[Any], clock: Clock) -> Row[Any]:
    """Cancel an order and wait a moment for what becomes of it."""
    deadline = time.monotonic() + CONFIRMED_WITHIN
    after = changing.cancel(gateway, row, clock)
    while after.status not in FINAL and time.monotonic() < deadline:
        time.sleep(PAUSE)
        after = changing.cancel(gateway, row, clock)
    return after


def _close_out(row: Row[Any], clock: Clock) -> str:
    """Send what a cancelled order left unfilled as a market order of the same decision."""
    left: Decimal = row.quantity - row.filled_quantity
    if left <= 0:
        return str(row.status)
    terms = order_terms(symbol=row.symbol, side=row.side, quantity=left)
    with database().begin() as connection:
        sequence = max(row.sequence, orders.last_sequence(connection, row.risk_decision_id or 0)) + 1
        identity = changing.successor_id(row, sequence, row.intended_at)
        intent = {
            **terms_columns(terms),
            "account": row.account,
            "risk_decision_id": row.risk_decision_id,
            "client_order_id": identity,
            "strategy": row.strategy,
            "strategy_version": row.strategy_version,
            "bar_ts": row.bar_ts,
            "placed_by": row.placed_by,
            "sequence": sequence,
            "status": OrderState.INTENT,
            "intended_at": clock.now,
            "flow_run_id": flow_run_id(),
        }
        orders.intend(connection, [intent])
        new = orders.by_client_id(connection, [identity])[identity]
        refused = risk.refusals(connection, row.account, [new])
    send([new], account=row.account, clock=clock, refused=refused, left={})
    with database().connect() as connection:
        sent = orders.by_client_id(connection, [identity])[identity]
    return f"{left.normalize():f} at the market, order {sent.id} is {sent.status}"
