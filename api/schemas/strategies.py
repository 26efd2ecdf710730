"""Strategies and their versions."""

from __future__ import annotations

from datetime import datetime
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


class StrategyDetail(Strategy):
    """A strategy with every version it has had, newest first."""

    versions: list[StrategyVersion]


class Definition(Question):
    """A new definition of a strategy; `GET /api/strategies/schema` says what it may hold."""

    definition: dict[str, Any]


class Saved(Answer):
    """The version that a definition became."""

    name: str
    version: str


class StatusChange(Question):
    """Whether a strategy is to trade."""

    status: Literal["active", "paused", "retired"] = Field(description="active trades, paused and retired do not")
