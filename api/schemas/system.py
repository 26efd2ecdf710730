"""Liveness, health, logs, effective settings."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from api.schemas.base import Answer


class Liveness(Answer):
    """The process answers."""

    status: Literal["live"] = "live"


class HealthCheck(Answer):
    """One examined fact; `detail` says what to do when it is not `ok`."""

    name: str
    ok: bool
    latency_ms: float
    detail: str


class Health(Answer):
    """Every component's state."""

    status: Literal["healthy", "unhealthy"]
    checks: list[HealthCheck]


class LogLine(Answer):
    """A line some component wrote."""

    id: int
    at: datetime
    service: str
    level: str
    logger: str
    message: str
    flow_run_id: UUID | None


class Setting(Answer):
    """A setting's effective value, masked when secret."""

    name: str
    value: str
    description: str
