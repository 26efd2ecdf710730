"""Messages and their deliveries."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field

from api.schemas.base import Answer


class Delivery(Answer):
    """A message on its way through one channel."""

    channel: str
    status: str
    attempts: int
    error: str | None
    delivered_at: datetime | None


class Message(Answer):
    """Something worth telling."""

    id: int
    kind: str
    severity: str
    subject: str
    body: str
    at: datetime
    flow_run_id: UUID | None
    deliveries: list[Delivery] = Field(default_factory=list)
