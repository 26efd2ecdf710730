"""Strategies, their versions, and the names that a filter may use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from db.models.logging import AuditEvent
from db.models.strategy_engine import Strategy, StrategyVersion

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from db.results.rows import AnyRow, Query, Rows


ACTIONS = ("strategy.defined", "strategy.status")
"""What people do to strategies, as the audit trail names it."""


def strategies(connection: Connection) -> Rows:
    """Return every strategy with its current version's definition, by name."""
    return connection.execute(_current().order_by(Strategy.name)).all()


def strategy(connection: Connection, name: str) -> AnyRow | None:
    """Return one strategy with its current version's definition."""
    return connection.execute(_current().where(Strategy.name == name)).one_or_none()


def versions(connection: Connection, name: str) -> Rows:
    """Return every version a strategy has had, newest first."""
    statement = select(StrategyVersion.__table__).where(StrategyVersion.strategy == name)
    return connection.execute(statement.order_by(StrategyVersion.created_at.desc(), StrategyVersion.version)).all()


def names(connection: Connection) -> list[str]:
    """Return the names of all strategies."""
    return list(connection.execute(select(Strategy.name).order_by(Strategy.name)).scalars())


def history(connection: Connection, name: str) -> Rows:
    """Return who defined a strategy or changed its status, and when, newest first: at, actor, action, detail."""
    statement = select(AuditEvent.at, AuditEvent.actor, AuditEvent.action, AuditEvent.detail)
    statement = statement.where(AuditEvent.subject == name, AuditEvent.action.in_(ACTIONS))
    return connection.execute(statement.order_by(AuditEvent.at.desc(), AuditEvent.id.desc())).all()


def _current() -> Query:
    return select(
        Strategy.name,
        Strategy.status,
        Strategy.current_version.label("version"),
        StrategyVersion.definition,
        Strategy.updated_at,
        Strategy.updated_by,
    ).join(StrategyVersion, StrategyVersion.version == Strategy.current_version)
