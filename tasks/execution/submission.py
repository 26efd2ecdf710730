"""Approved decisions become orders: the intent is committed, then posted once, then the answer is recorded."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from prefect import task

from db.repositories import accounts, orders, risk
from tasks.books import open_books
from tasks.execution.recording import record_broker_order, record_own
from tasks.policies import ONCE
from tasks.resources import broker, database, flow_run_id, locks
from trading.calendar import session_after, session_of
from trading.errors import BrokerError, InvalidValueError, UnavailableError
from trading.orders import OrderEvent, OrderState, client_order_id
from trading.report import Report

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Row

    from tasks.broker import Broker
    from trading.broker import BrokerOrder, Clock

DUPLICATE = 40010001
"""Alpaca's code for a client_order_id it has already: the order may be ours."""


@task(**ONCE)
def submit_orders(*, as_of: datetime | None) -> Report:
    """Send the approved decisions of the coming session, each exactly once.

    One submitter at a time per account, on all machines. An intent left by a run that died is looked up
    before it is sent; an unanswered one stays `unknown` until it is found.

    Raises
    ------
    InvalidValueError
        `as_of` is not in the session that orders trade in now.
    """
    gateway = broker()
    clock = gateway.clock()
    if as_of is not None and session_after(session_of(as_of)) != clock.session and session_of(as_of) != clock.session:
        raise InvalidValueError("as_of", as_of.isoformat(), f"a time just before session {clock.session}")
    with locks().begin() as guard:
        with database().begin() as connection:
            account = open_books(connection, gateway, clock).number
        accounts.lock(guard, account, "submit")
        with database().begin() as connection:
            ours = {row.id for row in orders.open_orders(connection, account, statuses=[OrderState.INTENT])}
            _intend(connection, account, clock)
            waiting = orders.open_orders(connection, account, statuses=[OrderState.INTENT])
        for row in waiting:
            _send(gateway, row, clock, known=row.id in ours)
        with database().connect() as connection:
            sent = orders.by_client_id(connection, [row.client_order_id for row in waiting])
    return _report([sent[row.client_order_id] for row in waiting], clock)


def _intend(connection: Connection, account: str, clock: Clock) -> None:
    orders.intend(
        connection,
        [
            {
                "account": account,
                "risk_decision_id": row.id,
                "client_order_id": client_order_id(
                    account=account,
                    strategy=row.strategy,
                    version=row.strategy_version,
                    bar_ts=row.bar_ts,
                    symbol=row.symbol,
                    side=row.side,
                ),
                "strategy": row.strategy,
                "strategy_version": row.strategy_version,
                "symbol": row.symbol,
                "side": row.side,
                "type": "market",
                "time_in_force": "day",
                "quantity": row.approved_quantity,
                "bar_ts": row.bar_ts,
                "status": OrderState.INTENT,
                "intended_at": clock.now,
                "flow_run_id": flow_run_id(),
            }
            for row in orders.approved(connection, account=account, session=clock.session)
        ],
    )


def _send(gateway: Broker, row: Row[Any], clock: Clock, *, known: bool) -> None:
    """Post one intent and record the answer; one from an earlier run is looked up first."""
    try:
        found = gateway.find(row.client_order_id) if known else None
        if found is None and (reason := _too_late(row, clock) or _refused(row)):
            _own(row, OrderEvent.WITHDRAWN, clock, reason)
            return
        answer = found or _post(gateway, row)
    except BrokerError as error:
        _own(row, OrderEvent.REJECTED, clock, str(error))
        return
    except UnavailableError as error:
        _own(row, OrderEvent.NO_ANSWER, clock, str(error))
        return
    with database().begin() as connection:
        record_broker_order(connection, row, answer)


def _refused(row: Row[Any]) -> str | None:
    """Return why the trading state, read anew before each order, lets this one not pass."""
    with database().connect() as connection:
        return risk.refusal(connection, row)


def _too_late(row: Row[Any], clock: Clock) -> str | None:
    meant_for = session_after(session_of(row.bar_ts))
    return None if meant_for >= clock.session else f"session {meant_for} is over"


def _post(gateway: Broker, row: Row[Any]) -> BrokerOrder:
    try:
        return gateway.submit(
            client_order_id=row.client_order_id,
            symbol=row.symbol,
            side=row.side,
            quantity=row.quantity,
            order_type=row.type,
            time_in_force=row.time_in_force,
            limit_price=row.limit_price,
        )
    except BrokerError as error:
        if error.code != DUPLICATE:
            raise
        found = gateway.find(row.client_order_id)
        if found is None:
            raise UnavailableError(f"order {row.client_order_id} exists at the broker but is not found yet") from error
        return found


def _own(row: Row[Any], event: OrderEvent, clock: Clock, problem: str) -> None:
    with database().begin() as connection:
        record_own(connection, row, event, key=f"{event}:{flow_run_id()}", at=clock.now, problem=problem)


def _report(rows: Sequence[Row[Any]], clock: Clock) -> Report:
    shown = [
        {
            "strategy": row.strategy,
            "order": f"{row.side} {row.quantity.normalize():f} {row.symbol}",
            "status": row.status,
            "problem": row.problem,
            "client_order_id": row.client_order_id,
        }
        for row in rows
    ]
    return Report(f"Orders for {clock.session}", {"sent": len(rows), **Counter(row.status for row in rows)}, shown)
