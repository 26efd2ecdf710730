"""Approved decisions become orders: the intent is committed, then posted once, then the answer is recorded."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from prefect import task

from db.repositories import accounts, orders, risk
from tasks.books import note_account
from tasks.execution.intents import intent_of, refusals
from tasks.execution.posting import send
from tasks.policies import ONCE
from tasks.resources import broker, database, locks
from trading.calendar import session_after, session_of
from trading.errors import InvalidValueError
from trading.orders import OrderState
from trading.report import Report

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Row

    from trading.broker import Clock

ABANDONED = "what asked for it ended before it was sent; ask again"


@task(**ONCE)
def submit_orders(*, as_of: datetime | None) -> Report:
    """Send the approved decisions of the coming session, each exactly once.

    One submitter at a time per account, on all machines. All intents are committed before the first is posted. One
    left by a run that died is looked up before it is sent; an unanswered one stays `unknown` until it is found.

    Raises
    ------
    InvalidValueError
        `as_of` is not in the session that orders trade in now.
    """
    gateway = broker()
    clock = gateway.clock()
    if as_of is not None and session_after(session_of(as_of)) != clock.session and session_of(as_of) != clock.session:
        raise InvalidValueError("as_of", as_of.isoformat(), f"a time just before session {clock.session}")
    seen = gateway.account()
    account = seen.number
    with locks().begin() as guard:
        if not accounts.try_lock(guard, account, "submit"):
            accounts.lock(guard, account, "submit")
            clock = gateway.clock()  # the other submitter may have taken its time
        with database().begin() as connection:
            note_account(connection, seen, clock)
            fresh = _intend(connection, account, clock)
            waiting = orders.open_orders(connection, account, statuses=[OrderState.INTENT])
            ours = [row for row in waiting if row.id not in fresh]
            left = orders.ages(connection, [row.id for row in ours]) if ours else {}
            refused = refusals(connection, waiting, clock=clock)
            refused |= {row.id: ABANDONED for row in ours if row.placed_by is not None or row.replaces_id is not None}
            refused = risk.refusals(connection, account, waiting) | refused
        if waiting:
            send(waiting, account=account, clock=clock, refused=refused, left=left)
        with database().connect() as connection:
            sent = orders.by_client_id(connection, [row.client_order_id for row in waiting])
    return _report([sent[row.client_order_id] for row in waiting], clock)


def _intend(connection: Connection, account: str, clock: Clock) -> set[int]:
    """Write the intents of the approved decisions that have none; return their keys."""
    approved = orders.approved(connection, account=account, session=clock.session)
    return orders.intend(connection, [intent_of(row, account=account, clock=clock) for row in approved])


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
