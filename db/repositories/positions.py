"""Positions per strategy and the account's equity, session by session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from sqlalchemy import select

from db.models.execution import EquitySnapshot, Position
from db.statements import upsert

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Connection, Row

KEYS = ["account", "strategy", "symbol"]


def of_account(connection: Connection, account: str) -> Sequence[Row[Any]]:
    """Return every position of an account, flat ones included, by strategy and symbol."""
    statement = select(Position.__table__).where(Position.account == account)
    return connection.execute(statement.order_by(Position.strategy, Position.symbol)).all()


def write(connection: Connection, positions: Iterable[Mapping[str, Any]]) -> None:
    """Write positions as they are now."""
    upsert(connection, Position, positions, keys=KEYS)


def snapshot(connection: Connection, row: Mapping[str, Any]) -> None:
    """Write the account's equity of a session; a later snapshot of the same session replaces it."""
    upsert(connection, EquitySnapshot, [row], keys=["account", "session"])


def equity(connection: Connection, account: str) -> pd.Series[float]:
    """Return the account's equity (USD) by session, oldest first."""
    statement = select(EquitySnapshot.session, EquitySnapshot.equity).where(EquitySnapshot.account == account)
    rows = connection.execute(statement.order_by(EquitySnapshot.session)).all()
    index = pd.Index([row.session for row in rows], name="session")
    return pd.Series([float(row.equity) for row in rows], index=index, name="equity", dtype="float64")
