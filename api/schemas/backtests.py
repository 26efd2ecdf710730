"""Backtests and research runs."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from api.schemas.base import Answer


class Backtest(Answer):
    """A backtest and its metrics."""

    id: int
    strategy: str
    strategy_version: str
    range_start: date
    range_end: date
    capital: float
    costs: dict[str, Any]
    metrics: dict[str, Any]
    flow_run_id: UUID | None
    created_at: datetime


class BacktestEquity(Answer):
    """A backtest's equity at one session's close."""

    session: date
    equity: float


class BacktestTrade(Answer):
    """A round trip of a backtest; `return` is a fraction of what was paid."""

    ordinal: int
    symbol: str
    quantity: float
    entry_at: datetime
    entry_price: float
    exit_at: datetime | None
    exit_price: float | None
    pnl: float
    rate_of_return: float = Field(serialization_alias="return")


class BacktestDetail(Backtest):
    """A backtest with what it assumed, its equity and its trades."""

    bars_sha256: str
    assumptions: Any
    equity: list[BacktestEquity]
    trades: list[BacktestTrade]


class Research(Answer):
    """A sweep or walk-forward."""

    id: int
    kind: str
    strategy: str
    specification: dict[str, Any]
    status: str
    flow_run_id: UUID | None
    created_at: datetime


class ResearchSummary(Research):
    """A research run and how many tries it holds."""

    tries: int


class ResearchResult(Answer):
    """One try."""

    ordinal: int
    parameters: dict[str, Any]
    window: dict[str, Any]
    metrics: dict[str, Any]


class ResearchDetail(Research):
    """A research run with every try, and how far its best one is luck.

    `deflated_sharpe` is the probability that the best try's true Sharpe ratio is above zero, counting every try that
    was recorded for the strategy (`tries_recorded`).
    """

    tries_recorded: int
    deflated_sharpe: float | None
    results: list[ResearchResult]
