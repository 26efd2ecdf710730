"""The account the books are kept for, as the broker and our tables have it."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from db.repositories import accounts, orders, positions
from tasks.resources import credentials

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from tasks.broker import Broker
    from trading.broker import BrokerAccount, Clock


def open_books(connection: Connection, broker: Broker, clock: Clock) -> BrokerAccount:
    """Return the broker's account, recording that it was seen."""
    account = broker.account()
    note_account(connection, account, clock)
    return account


def note_account(connection: Connection, account: BrokerAccount, clock: Clock) -> None:
    """Record that an account was seen."""
    accounts.touch(
        connection,
        account=account.number,
        kind=credentials().kind,
        equity=account.equity,
        cash=account.cash,
        at=clock.now,
    )


def held_by_strategy(connection: Connection, account: str) -> dict[str, Counter[str]]:
    """Return strategy -> symbol -> signed quantity: positions plus what open orders may still fill."""
    held: dict[str, Counter[str]] = defaultdict(Counter)
    for row in positions.of_account(connection, account):
        held[row.strategy][row.symbol] += float(row.quantity)  # type: ignore[assignment] # Counter holds fractions
    for strategy, symbol, quantity in pending(connection, account):
        held[strategy][symbol] += quantity  # type: ignore[assignment] # Counter holds fractions
    return held


def pending(connection: Connection, account: str) -> list[tuple[str, str, float]]:
    """Return (strategy, symbol, signed unfilled quantity) of every open order.

    Exits that wait for their entry, or stand against each other, count when they fill; so does a replacement while
    the order it is to replace is open.
    """
    found = orders.open_orders(connection, account)
    standing = {row.id for row in found}
    return [
        (
            row.strategy,
            row.symbol,
            float(row.quantity - row.filled_quantity) * (1 if row.side == "buy" else -1),
        )
        for row in found
        if row.parent_id is None and row.replaces_id not in standing
    ]
