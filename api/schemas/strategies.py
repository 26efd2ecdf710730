"""Strategies and their versions."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from pydantic import Field

from api.schemas.base import Answer, Question
from api.schemas.orders import StrategyVersion


class Strategy(Answer):
    """A strategy with its current definition."""

    name: str
    status: str
    version: str
    definition: dict[str, Any]
    updated_at: datetime
    updated_by: str


class StrategyCheck(Answer):
    """What a check of a version said: `checks` have name, verdict, figure and sentence."""

    verdict: Literal["pass", "warn", "fail"]
    range_start: date
    range_end: date
    checks: list[dict[str, Any]]
    actor: str
    checked_at: datetime


class StrategyDetail(Strategy):
    """A strategy with every version it has had, newest first, and the last check of the current one."""

    versions: list[StrategyVersion]
    check: StrategyCheck | None


class Definition(Question):
    """A new definition of a strategy; `GET /api/strategies/schema` says what it may hold."""

    definition: dict[str, Any]


class Saved(Answer):
    """The version that a definition became."""

    name: str
    version: str


class StatusChange(Question):
    """Whether a strategy is to trade; `active` asks for a check of its version that did not fail."""

    status: Literal["active", "paused", "retired"] = Field(description="active trades, paused and retired do not")
    anyway: str | None = Field(
        None, min_length=3, max_length=500, description="why it trades without such a check; kept in the audit trail"
    )
