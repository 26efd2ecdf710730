"""Collected log lines and their recurring patterns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from db.models.logging import AuditEvent, LogEntry, LogPattern
from db.statements import insert_missing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Row


def record(connection: Connection, entries: Iterable[Mapping[str, Any]]) -> int:
    """Write log lines, once per key; return how many were new."""
    return insert_missing(connection, LogEntry, entries)


def replace_patterns(connection: Connection, patterns: Sequence[Mapping[str, Any]]) -> None:
    """Write the recurring warnings and errors as counted over the retained lines."""
    connection.execute(delete(LogPattern))
    for row in patterns:
        connection.execute(insert(LogPattern).values(**row).on_conflict_do_nothing())


def troubled(connection: Connection) -> Sequence[Row[Any]]:
    """Return every retained warning and error, oldest first."""
    statement = select(LogEntry.__table__).where(LogEntry.level.in_(("WARNING", "ERROR", "CRITICAL")))
    return connection.execute(statement.order_by(LogEntry.at)).all()


def forget(connection: Connection, *, before: datetime) -> int:
    """Delete log lines older than `before`; return how many."""
    return connection.execute(delete(LogEntry).where(LogEntry.at < before)).rowcount


def audit_since(connection: Connection, since: datetime) -> Sequence[Row[Any]]:
    """Return audit events since a time, oldest first."""
    return connection.execute(select(AuditEvent.__table__).where(AuditEvent.at >= since).order_by(AuditEvent.at)).all()


def counts(connection: Connection, *, since: datetime) -> dict[str, int]:
    """Return the number of retained lines since a time, by level."""
    statement = select(LogEntry.level, func.count()).where(LogEntry.at >= since).group_by(LogEntry.level)
    return dict(connection.execute(statement).all())
