"""Metrics, round trips, breakdowns, reports."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from api.schemas.base import Answer


class Performance(Answer):
    """A scope's metrics over a period; the benchmark is a symbol."""

    scope: str
    period_start: date
    period_end: date
    benchmark: str | None
    metrics: dict[str, Any]
    computed_at: datetime


class RoundTrip(Answer):
    """Shares bought and sold again; `return`, `mae` and `mfe` are fractions of the entry price."""

    id: int
    strategy: str
    symbol: str
    side: str
    quantity: float
    entry_at: datetime
    exit_at: datetime
    entry_price: float
    exit_price: float
    pnl: float
    rate_of_return: float = Field(serialization_alias="return")
    mae: float | None
    mfe: float | None
    exit_reason: str
    entry_fill_id: int
    exit_fill_id: int


class Breakdown(Answer):
    """Round trips summed over one value of one dimension."""

    dimension: str
    bucket: str
    trades: int
    winners: int
    pnl: float
    average_return: float


class Report(Answer):
    """A report file, fetched from `/api/reports/{id}/file`."""

    id: int
    kind: str
    period_start: date
    period_end: date
    name: str
    sha256: str
    bytes: int
    flow_run_id: UUID | None
    created_at: datetime
