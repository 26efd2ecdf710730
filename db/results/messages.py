"""Messages and how their delivery went."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from db.models.notification import Delivery, Message

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from db.results.rows import Rows


def messages(connection: Connection, *, kind: str | None = None, limit: int = 100) -> Rows:
    """Return messages, newest first."""
    statement = select(Message.__table__)
    if kind is not None:
        statement = statement.where(Message.kind == kind)
    return connection.execute(statement.order_by(Message.created_at.desc(), Message.id.desc()).limit(limit)).all()


def deliveries(connection: Connection, message_ids: Iterable[int]) -> Rows:
    """Return the deliveries of some messages, by channel."""
    statement = select(Delivery.__table__).where(Delivery.message_id.in_(list(message_ids)))
    return connection.execute(statement.order_by(Delivery.message_id, Delivery.channel)).all()
