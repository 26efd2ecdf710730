"""Deployments and flow runs, as Prefect has them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from api.schemas.base import Answer, Question


class Schedule(Answer):
    """When a deployment runs by itself, in words or cron."""

    schedule: str
    timezone: str | None
    active: bool


class Run(Answer):
    """A flow run; `url` opens it in the Prefect UI."""

    id: UUID
    name: str
    flow: str | None
    deployment: str | None
    state: str | None
    state_type: str | None
    message: str | None
    parameters: dict[str, Any]
    tags: list[str]
    expected_start_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    seconds: float
    url: str


class Deployment(Answer):
    """A deployment; `name` is `flow/deployment`, as the routes take it."""

    name: str
    flow: str
    pool: str | None
    description: str | None
    tags: list[str]
    parameters: dict[str, Any]
    parameter_schema: dict[str, Any]
    schedules: list[Schedule]
    paused: bool
    last_run: Run | None
    url: str


class RunRequest(Question):
    """The parameters of a run; the same idempotency key starts it once."""

    parameters: dict[str, Any] = Field(default_factory=dict)
    idempotency_key: str | None = Field(default=None, min_length=1, max_length=200)


class Started(Answer):
    """The run that was started."""

    flow_run_id: UUID
    name: str
    url: str


class Pause(Question):
    """Whether a deployment's schedules rest."""

    paused: bool


class Paused(Answer):
    """Whether a deployment's schedules rest now."""

    name: str
    paused: bool
