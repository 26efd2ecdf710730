"""Portfolio risk, limits, breaches, decisions and the trading state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from db.models.risk_management import (
    LimitBreach,
    RiskDecision,
    RiskLimit,
    RiskSnapshot,
    TradingState,
    TradingStateChange,
)

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy import Connection

    from db.results.rows import AnyRow, Rows


def snapshots(connection: Connection, account: str | None, *, limit: int = 100) -> Rows:
    """Return the account's risk snapshots, newest first."""
    statement = select(RiskSnapshot.__table__).where(RiskSnapshot.account == account)
    return connection.execute(statement.order_by(RiskSnapshot.at.desc()).limit(limit)).all()


def overrides(connection: Connection) -> Rows:
    """Return the limits that a person has set."""
    return connection.execute(select(RiskLimit.__table__).order_by(RiskLimit.name)).all()


def breaches(connection: Connection, account: str | None, *, limit: int = 100) -> Rows:
    """Return limit breaches, newest first."""
    statement = select(LimitBreach.__table__).where(LimitBreach.account == account)
    return connection.execute(statement.order_by(LimitBreach.at.desc(), LimitBreach.id.desc()).limit(limit)).all()


def decisions(
    connection: Connection,
    account: str | None,
    *,
    session: date | None = None,
    verdict: str | None = None,
    limit: int = 100,
) -> Rows:
    """Return risk decisions with the checks that made them, newest session first."""
    statement = select(RiskDecision.__table__).where(RiskDecision.account == account)
    if session is not None:
        statement = statement.where(RiskDecision.session == session)
    if verdict is not None:
        statement = statement.where(RiskDecision.verdict == verdict)
    newest = statement.order_by(RiskDecision.session.desc(), RiskDecision.id.desc())
    return connection.execute(newest.limit(limit)).all()


def trading_state(connection: Connection, account: str | None) -> AnyRow | None:
    """Return the account's trading state; None while nobody has changed it from ACTIVE."""
    return connection.execute(select(TradingState.__table__).where(TradingState.account == account)).one_or_none()


def changes(connection: Connection, account: str | None, *, limit: int = 100) -> Rows:
    """Return the changes of the account's trading state, newest first."""
    statement = select(TradingStateChange.__table__).where(TradingStateChange.account == account)
    newest = statement.order_by(TradingStateChange.changed_at.desc(), TradingStateChange.id.desc())
    return connection.execute(newest.limit(limit)).all()
