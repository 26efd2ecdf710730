"""Messages, their deliveries, and what the health checks found."""

from __future__ import annotations

from sqlalchemy import BigInteger, Float, ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, FlowRun, Key, Moment, RecordedAt, one_of

SCHEMA = "notification"


class Message(Base):
    """The outbox and the inbox: one row per thing worth telling, once per `key`."""

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("key"),
        one_of("kind", "trade", "risk", "health", "summary"),
        one_of("severity", "info", "warning", "critical"),
        {"schema": SCHEMA},
    )

    id: Mapped[Key]
    key: Mapped[str]
    kind: Mapped[str]
    severity: Mapped[str]
    subject: Mapped[str]
    body: Mapped[str]
    at: Mapped[Moment]
    flow_run_id: Mapped[FlowRun]
    created_at: Mapped[RecordedAt]


class Delivery(Base):
    """A message on its way through one channel."""

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("message_id", "channel"),
        one_of("status", "pending", "delivered", "failed"),
        {"schema": SCHEMA},
    )

    id: Mapped[Key]
    message_id: Mapped[int] = mapped_column(BigInteger, ForeignKey(Message.id))
    channel: Mapped[str]
    status: Mapped[str]
    attempts: Mapped[int] = mapped_column(server_default="0")
    error: Mapped[str | None]
    delivered_at: Mapped[Moment | None]
    updated_at: Mapped[RecordedAt]


class ComponentHealth(Base):
    """What a component answered last, and since when it has been in that state."""

    __tablename__ = "component_health"
    __table_args__ = ({"schema": SCHEMA},)

    component: Mapped[str] = mapped_column(Text, primary_key=True)
    healthy: Mapped[bool]
    latency_ms: Mapped[float | None] = mapped_column(Float)
    detail: Mapped[str]
    since: Mapped[Moment]
    checked_at: Mapped[Moment]
    flow_run_id: Mapped[FlowRun]
