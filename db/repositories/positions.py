"""Positions per strategy and the account's equity, session by session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from sqlalchemy import case, delete, func, select

from db.models.execution import EquitySnapshot, Fill, Lot, Position
from db.statements import among, insert_rows, upsert

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from decimal import Decimal

    from sqlalchemy import Connection, Row

KEYS = ["account", "strategy", "symbol"]


def of_account(connection: Connection, account: str) -> Sequence[Row[Any]]:
    """Return every position of an account, flat ones included, by strategy and symbol."""
    statement = select(Position.__table__).where(Position.account == account)
    return connection.execute(statement.order_by(Position.strategy, Position.symbol)).all()


def write(connection: Connection, positions: Iterable[Mapping[str, Any]]) -> None:
    """Write positions as they are now."""
    upsert(connection, Position, positions, keys=KEYS)


def write_lots(connection: Connection, account: str, symbols: Iterable[str], lots: Sequence[Mapping[str, Any]]) -> None:
    """Replace the lots of some symbols by those given."""
    connection.execute(delete(Lot).where(Lot.account == account, among(Lot.symbol, symbols)))
    insert_rows(connection, Lot, lots)


def without_lots(connection: Connection, account: str) -> set[str]:
    """Return the symbols of positions that have shares and no lots: those from before there were lots."""
    lots = select(Lot.ordinal).where(
        Lot.account == Position.account, Lot.strategy == Position.strategy, Lot.symbol == Position.symbol
    )
    held = select(Position.symbol).where(Position.account == account, Position.quantity != 0, ~lots.exists())
    return set(connection.scalars(held))


def fills_of(connection: Connection, account: str, symbols: Iterable[str]) -> Sequence[Row[Any]]:
    """Return every fill of some symbols, applied or not."""
    statement = select(Fill.__table__).where(Fill.account == account, among(Fill.symbol, symbols))
    return connection.execute(statement).all()


def traded_cash(connection: Connection, account: str) -> Decimal:
    """Return what every recorded fill came to in cash: sales less purchases, USD."""
    signed = case((Fill.side == "sell", Fill.quantity), else_=-Fill.quantity) * Fill.price
    total: Decimal = connection.execute(
        select(func.coalesce(func.sum(signed), 0)).where(Fill.account == account)
    ).scalar_one()
    return total


def count_fills(connection: Connection, account: str) -> int:
    """Return how many fills are recorded."""
    return connection.execute(select(func.count()).where(Fill.account == account)).scalar_one()


def snapshot(connection: Connection, row: Mapping[str, Any]) -> None:
    """Write the account's equity of a session; a later snapshot of the same session replaces it."""
    upsert(connection, EquitySnapshot, [row], keys=["account", "session"])


def equity(connection: Connection, account: str) -> pd.Series[float]:
    """Return the account's equity (USD) by session, oldest first."""
    statement = select(EquitySnapshot.session, EquitySnapshot.equity).where(EquitySnapshot.account == account)
    rows = connection.execute(statement.order_by(EquitySnapshot.session)).all()
    index = pd.Index([row.session for row in rows], name="session")
    return pd.Series([float(row.equity) for row in rows], index=index, name="equity", dtype="float64")
