"""Positions that turn round: closed by one order, and opened on the other side by a second when that has filled.

Alpaca takes no order that is larger than the position it closes (the shares are not there to be sold), so a decision
from 100 shares to minus 50 is a sale of 100 and, once the broker shows them gone, another of 50.
"""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from prefect import task

from db.repositories import accounts, orders, positions, risk
from tasks.books import open_books, pending
from tasks.execution.intents import intent_of, refusals
from tasks.execution.posting import send
from tasks.policies import ONCE
from tasks.resources import broker, database, locks
from trading.orders import first_parts
from trading.report import Report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Row

    from trading.broker import Clock


def opening_intents(connection: Connection, account: str, clock: Clock) -> list[dict[str, Any]]:
    """Return the intents of a session's approved decisions that have none, none larger than what it closes."""
    rows = orders.approved(connection, account=account, session=clock.session)
    if not rows:
        return []
    held, under_way = defaultdict[str, Decimal](Decimal), defaultdict[str, Decimal](Decimal)
    for position in positions.of_account(connection, account):
        held[position.symbol] += position.quantity
    for _, symbol, quantity in pending(connection, account):
        under_way[symbol] += Decimal(str(quantity))
    parts = first_parts([(row.symbol, _signed(row)) for row in rows], held, under_way)
    return [
        intent_of(row, account=account, clock=clock, quantity=part)
        for row, part in zip(rows, parts, strict=True)
        if part
    ]


@task(**ONCE)
def open_reversed() -> Report:
    """Send the second orders of positions that turn round, each once, when the first have filled.

    The broker must show that nothing is held on the old side any more. A first order that did not fill is followed by
    no second: the next session decides anew.
    """
    gateway = broker()
    clock = gateway.clock()
    with database().begin() as connection:
        account = open_books(connection, gateway, clock).number
        waiting = orders.half_done(connection, account=account, session=clock.session)
    if not waiting:
        return Report("No position is turning round", {"sent": 0})
    with locks().begin() as guard:
        accounts.lock(guard, account, "submit")
        held = {position.symbol: position.quantity for position in gateway.positions()}
        with database().begin() as connection:
            ready = _ready(orders.half_done(connection, account=account, session=clock.session), held)
            intents = [
                intent_of(row, account=account, clock=clock, quantity=row.left, sequence=row.orders) for row in ready
            ]
            orders.intend(connection, intents)
            named = orders.by_client_id(connection, [intent["client_order_id"] for intent in intents])
            new = sorted(named.values(), key=lambda row: row.id)
            refused = refusals(connection, new, clock=clock) | risk.refusals(connection, account, new)
        if new:
            send(new, account=account, clock=clock, refused=refused, left={})
    with database().connect() as connection:
        sent = orders.by_client_id(connection, list(named))
    rows = [{"order": f"{row.side} {row.quantity.normalize():f} {row.symbol}", "status": row.status} for row in new]
    shown = [row | {"status": sent[order.client_order_id].status} for row, order in zip(rows, new, strict=True)]
    return Report("Positions turned round", {"waiting": len(waiting), "sent": len(new)}, shown)


def _signed(row: Row[Any]) -> Decimal:
    approved: Decimal = row.approved_quantity
    return approved if row.side == "buy" else -approved


def _ready(rows: Sequence[Row[Any]], held: dict[str, Decimal]) -> list[Row[Any]]:
    """Return those whose symbol the broker no longer shows on the old side."""
    return [row for row in rows if held.get(row.symbol, Decimal(0)) * _signed(row) >= 0]
