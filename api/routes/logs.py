"""Log entries."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query

from api.dependencies import ConnectionDep, Cursor, From, Limit, Until
from api.schemas.base import Listing
from api.schemas.system import LogLine
from db.results import logs

router = APIRouter(tags=["system"])

Level = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]


@router.get("/logs")
def log_entries(
    *,
    connection: ConnectionDep,
    service: Annotated[str | None, Query(description="the component that wrote it")] = None,
    level: Annotated[Level | None, Query(description="this severe or more")] = None,
    since: From = None,
    until: Until = None,
    run: Annotated[UUID | None, Query(description="flow run id")] = None,
    search: Annotated[str | None, Query(max_length=200, description="part of the message")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Listing[LogLine]:
    """Return log entries, newest first."""
    found = logs.entries(
        connection,
        service=service,
        level=level,
        since=since,
        until=until,
        run=run,
        search=search,
        limit=limit,
        cursor=cursor,
    )
    return Listing[LogLine].page(LogLine, found)
