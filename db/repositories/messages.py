"""The outbox, its deliveries, and component health."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, update

from db.models.notification import ComponentHealth, Delivery, Message
from db.statements import insert_missing, upsert

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Connection, Row


def post(connection: Connection, messages: Iterable[Mapping[str, Any]], *, channels: Sequence[str]) -> int:
    """Put messages into the outbox, once per key, with a delivery per channel; return how many were new."""
    rows = list(messages)
    written = insert_missing(connection, Message, rows)
    keys = [row["key"] for row in rows]
    ids = connection.scalars(select(Message.id).where(Message.key.in_(keys)).order_by(Message.id)).all()
    pending = [
        {"message_id": identity, "channel": channel, "status": "pending"} for identity in ids for channel in channels
    ]
    insert_missing(connection, Delivery, pending)
    return written


def claim(connection: Connection, *, attempts: int) -> Row[int, str, int, str, str, str] | None:
    """Lock and return the oldest undelivered message with fewer than `attempts` tries, or None."""
    statement = (
        select(Delivery.id, Delivery.channel, Delivery.attempts, Message.subject, Message.body, Message.severity)
        .join(Message, Message.id == Delivery.message_id)
        .where(Delivery.status == "pending", Delivery.attempts < attempts)
        .order_by(Delivery.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=Delivery)
    )
    return connection.execute(statement).one_or_none()


def delivered(connection: Connection, delivery: int) -> None:
    """Mark a delivery as done."""
    connection.execute(
        update(Delivery)
        .where(Delivery.id == delivery)
        .values(status="delivered", attempts=Delivery.attempts + 1, delivered_at=func.now(), updated_at=func.now())
    )


def failed(connection: Connection, delivery: int, *, error: str, final: bool) -> None:
    """Note a failed attempt; a final one is not tried again."""
    connection.execute(
        update(Delivery)
        .where(Delivery.id == delivery)
        .values(
            status="failed" if final else "pending",
            attempts=Delivery.attempts + 1,
            error=error,
            updated_at=func.now(),
        )
    )


def health(connection: Connection) -> dict[str, Row[Any]]:
    """Return the last known state of every component, locked for this transaction."""
    rows = connection.execute(select(ComponentHealth.__table__).with_for_update())
    return {row.component: row for row in rows}


def record_health(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write the state of components."""
    upsert(connection, ComponentHealth, rows, keys=["component"])
