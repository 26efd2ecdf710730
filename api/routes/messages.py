"""Messages."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from api.dependencies import ConnectionDep, Limit
from api.schemas.messages import Delivery, Message
from db.results import messages

router = APIRouter(prefix="/api", tags=["messages"])


@router.get("/messages")
def message_list(
    *,
    connection: ConnectionDep,
    kind: Annotated[Literal["trade", "risk", "health", "summary"] | None, Query()] = None,
    limit: Limit = 100,
) -> list[Message]:
    """Return messages with how their delivery went, newest first."""
    found = Message.each(messages.messages(connection, kind=kind, limit=limit))
    deliveries: dict[int, list[Delivery]] = {}
    for row in messages.deliveries(connection, (message.id for message in found)):
        deliveries.setdefault(row.message_id, []).append(Delivery.of(row))
    return [message.model_copy(update={"deliveries": deliveries.get(message.id, [])}) for message in found]
