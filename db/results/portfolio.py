"""Accounts, positions and equity."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, null, select

from db.models.analytics import EquityPoint
from db.models.execution import Account, EquitySnapshot, Position
from trading.errors import UnknownNameError

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy import Connection

    from db.results.rows import AnyRow, Rows

PORTFOLIO = "portfolio"
"""The scope of a whole account; every other scope is a strategy's name."""


def accounts(connection: Connection) -> Rows:
    """Return every account, the one used last first."""
    newest_first = Account.used_at.desc(), Account.last_seen_at.desc()
    return connection.execute(select(Account.__table__).order_by(*newest_first)).all()


def account(connection: Connection, asked: str | None) -> str | None:
    """Return the account to show: the one asked for, else the one used last; None before there is any.

    Raises
    ------
    UnknownNameError
        The account asked for has never been seen.
    """
    known = [row.account for row in accounts(connection)]
    if asked is None:
        return known[0] if known else None
    if asked not in known:
        raise UnknownNameError("account", asked, known)
    return asked


def account_row(connection: Connection, name: str | None) -> AnyRow | None:
    """Return an account's row."""
    return connection.execute(select(Account.__table__).where(Account.account == name)).one_or_none()


def snapshots(connection: Connection, name: str | None, *, limit: int) -> Rows:
    """Return the account's newest equity snapshots, newest first."""
    statement = select(EquitySnapshot.__table__).where(EquitySnapshot.account == name)
    return connection.execute(statement.order_by(EquitySnapshot.session.desc()).limit(limit)).all()


def positions(
    connection: Connection,
    name: str | None,
    *,
    strategy: str | None = None,
    symbol: str | None = None,
    closed: bool = False,
) -> Rows:
    """Return positions with their `weight` in the account's latest equity; `closed` adds empty ones."""
    equity = (
        select(EquitySnapshot.equity)
        .where(EquitySnapshot.account == name)
        .order_by(EquitySnapshot.session.desc())
        .limit(1)
        .scalar_subquery()
    )
    weight = (Position.market_value / func.nullif(equity, 0)).label("weight")
    statement = select(Position.__table__, weight).where(Position.account == name)
    if not closed:
        statement = statement.where(Position.quantity != 0)
    if strategy is not None:
        statement = statement.where(Position.strategy == strategy)
    if symbol is not None:
        statement = statement.where(Position.symbol == symbol)
    return connection.execute(statement.order_by(Position.strategy, Position.symbol)).all()


def equity_curve(
    connection: Connection,
    name: str | None,
    scope: str,
    *,
    start: date | None = None,
    end: date | None = None,
) -> Rows:
    """Return (session, equity, benchmark, drawdown) by session, oldest first.

    A portfolio whose performance has not been computed yet answers with its equity snapshots;
    drawdown is the equity over its highest so far, minus one.
    """
    points = select(EquityPoint.session, EquityPoint.equity, EquityPoint.benchmark, EquityPoint.drawdown).where(
        EquityPoint.account == name, EquityPoint.scope == scope
    )
    rows: Rows = connection.execute(points.order_by(EquityPoint.session)).all()
    if not rows and scope == PORTFOLIO:
        rows = _from_snapshots(connection, name)
    return [row for row in rows if (start is None or row.session >= start) and (end is None or row.session <= end)]


def _from_snapshots(connection: Connection, name: str | None) -> Rows:
    highest = func.max(EquitySnapshot.equity).over(order_by=EquitySnapshot.session)
    statement = select(
        EquitySnapshot.session,
        EquitySnapshot.equity,
        null().label("benchmark"),
        (EquitySnapshot.equity / func.nullif(highest, 0) - 1).label("drawdown"),
    ).where(EquitySnapshot.account == name)
    return connection.execute(statement.order_by(EquitySnapshot.session)).all()
