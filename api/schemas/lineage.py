"""Where an order came from."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from api.schemas.base import Answer
from api.schemas.orders import Fill, Order, OrderEvent, RiskDecision, SizedTarget, StrategyVersion
from api.schemas.signals import Signal


class Seen(Answer):
    """Bars that a decision saw; `unchanged` says whether those stored now hash the same, null when it is not known."""

    symbols: list[str]
    timeframe: str
    bars: int
    first: datetime | None
    last: datetime
    sha256: str | None
    sha256_now: str
    unchanged: bool | None


class StrategyRun(Answer):
    """The evaluation that made a signal."""

    id: int
    strategy_version: str
    timeframe: str
    bar_ts: datetime
    bars_sha256: str
    undecided: dict[str, Any]
    flow_run_id: UUID | None
    created_at: datetime


class Step(Answer):
    """What one account made of the signal."""

    target: SizedTarget | None
    decision: RiskDecision | None
    order: Order | None
    events: list[OrderEvent]
    fills: list[Fill]


class Trace(Answer):
    """The chain from the bars to the fills; nulls for an order that nobody here decided on."""

    asked: str
    own: Seen | None
    evaluated: Seen | None
    run: StrategyRun | None
    strategy_version: StrategyVersion | None
    signal: Signal | None
    steps: list[Step]
