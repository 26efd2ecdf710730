"""The audit trail of what people did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import insert

from db.models.logging import AuditEvent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection


def record(connection: Connection, *, actor: str, action: str, subject: str, detail: Mapping[str, Any]) -> None:
    """Write down who did what to which part of the system."""
    connection.execute(insert(AuditEvent).values(actor=actor, action=action, subject=subject, detail=dict(detail)))
