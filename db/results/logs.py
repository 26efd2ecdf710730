"""What the components wrote down."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from db.models.logging import LogEntry
from db.results.rows import Page, page

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Connection

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
"""Log levels, least severe first."""


def entries(
    connection: Connection,
    *,
    service: str | None = None,
    level: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    run: UUID | None = None,
    search: str | None = None,
    limit: int = 100,
    cursor: str | None = None,
) -> Page:
    """Return log entries, newest first; `level` is the least severe shown, `search` a part of the text."""
    statement = select(LogEntry.__table__)
    if service is not None:
        statement = statement.where(LogEntry.service == service)
    if level is not None:
        statement = statement.where(LogEntry.level.in_(LEVELS[LEVELS.index(level) :]))
    if since is not None:
        statement = statement.where(LogEntry.at >= since)
    if until is not None:
        statement = statement.where(LogEntry.at <= until)
    if run is not None:
        statement = statement.where(LogEntry.flow_run_id == run)
    if search:
        statement = statement.where(LogEntry.message.icontains(search, autoescape=True))
    columns = LogEntry.__table__.c
    return page(connection, statement, at=columns.at, key=columns.id, limit=limit, cursor=cursor)
