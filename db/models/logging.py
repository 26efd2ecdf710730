"""Searchable logs, recurring error patterns, and the audit trail of people's actions."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import BigInteger, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Document, Key, Moment, RecordedAt, one_of

SCHEMA = "logging"


class LogEntry(Base):
    """A line some component wrote; `key` is its place in its source, so it is collected once."""

    __tablename__ = "log_entries"
    __table_args__ = (
        UniqueConstraint("key"),
        one_of("level", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"),
        Index("ix_log_entries_at", "at"),
        Index("ix_log_entries_service_at", "service", "at"),
        {"schema": SCHEMA},
    )

    id: Mapped[Key]
    key: Mapped[str]
    at: Mapped[Moment]
    service: Mapped[str]
    level: Mapped[str]
    logger: Mapped[str]
    message: Mapped[str]
    flow_run_id: Mapped[UUID | None]


class LogPattern(Base):
    """Warnings and errors that differ in their figures only, counted together."""

    __tablename__ = "log_patterns"
    __table_args__ = ({"schema": SCHEMA},)

    fingerprint: Mapped[str] = mapped_column(Text, primary_key=True)
    service: Mapped[str]
    level: Mapped[str]
    pattern: Mapped[str]
    occurrences: Mapped[int] = mapped_column(BigInteger)
    first_seen_at: Mapped[Moment]
    last_seen_at: Mapped[Moment]


class AuditEvent(Base):
    """Who did what to which part of the system."""

    __tablename__ = "audit_events"
    __table_args__ = (Index("ix_audit_events_at", "at"), {"schema": SCHEMA})

    id: Mapped[Key]
    at: Mapped[RecordedAt]
    actor: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    detail: Mapped[Document]
