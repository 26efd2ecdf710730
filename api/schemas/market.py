"""The universe, bars, the screener, ingestion."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from api.schemas.base import Answer, Question


class Asset(Answer):
    """A symbol; the tracked ones make the default universe."""

    symbol: str
    name: str
    exchange: str
    status: str
    tradable: bool
    shortable: bool
    fractionable: bool
    tracked: bool
    sector: str | None
    tags: list[str]
    updated_at: datetime


class AssetChange(Question):
    """What to change of an asset; fields left out stay as they are."""

    tracked: bool | None = None
    sector: Annotated[str, Field(max_length=80)] | None = None
    tags: Annotated[list[Annotated[str, Field(min_length=1, max_length=40)]], Field(max_length=20)] | None = None


class Bar(Answer):
    """One bar by its start; a quarantined one is shown but never traded on."""

    ts: datetime
    open: float | None
    high: float | None
    low: float | None
    close: float | None
    volume: int | None
    quality: str


class Bars(Answer):
    """A symbol's bars, oldest first."""

    symbol: str
    timeframe: str
    adjustment: str
    items: list[Bar]


class ScreenerRow(Answer):
    """A tracked symbol at its latest bar, adjusted for splits; `change_1d` is a fraction, since the session before."""

    symbol: str
    close: float | None
    change_1d: float | None
    volume: int | None
    sector: str | None
    indicators: dict[str, float | None] = Field(default_factory=dict)
    bar_ts: datetime | None


class IngestionRun(Answer):
    """One fetch or import and what it brought."""

    id: int
    source: str
    timeframe: str
    symbols: list[str]
    range_start: datetime | None
    range_end: datetime | None
    bars_received: int
    bars_written: int
    actions_written: int
    status: str
    started_at: datetime
    finished_at: datetime | None
    flow_run_id: UUID | None
