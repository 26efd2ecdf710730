"""Orders, their events and fills, and what led to them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from api.schemas.base import Answer
from api.schemas.signals import Signal


class Order(Answer):
    """An order as the books have it."""

    id: int
    account: str
    risk_decision_id: int | None
    client_order_id: str
    broker_order_id: str | None
    strategy: str
    strategy_version: str | None
    symbol: str
    side: str
    type: str
    time_in_force: str
    quantity: float
    notional: float | None
    limit_price: float | None
    stop_price: float | None
    trail_price: float | None
    trail_percent: float | None
    extended_hours: bool
    order_class: str
    parent_id: int | None
    replaces_id: int | None
    placed_by: str | None
    bar_ts: datetime | None
    status: str
    filled_quantity: float
    filled_average_price: float | None
    problem: str | None
    intended_at: datetime
    submitted_at: datetime | None
    closed_at: datetime | None
    flow_run_id: UUID | None


class OrderEvent(Answer):
    """A change of an order's state."""

    id: int
    event: str
    status: str
    at: datetime
    detail: dict[str, Any]
    flow_run_id: UUID | None


class Fill(Answer):
    """An execution of an order."""

    id: int
    order_id: int
    execution_id: str
    strategy: str
    symbol: str
    side: str
    quantity: float
    price: float
    filled_at: datetime
    applied_at: datetime | None
    flow_run_id: UUID | None


class RiskDecision(Answer):
    """What became of a proposed order, with every limit's figures."""

    id: int
    sized_target_id: int
    strategy: str
    symbol: str
    session: date
    side: str
    requested_quantity: float
    approved_quantity: float
    verdict: str
    checks: list[dict[str, Any]]
    flow_run_id: UUID | None
    created_at: datetime


class SizedTarget(Answer):
    """How many shares a signal came to, with the workings."""

    id: int
    signal_id: int
    strategy: str
    symbol: str
    session: date
    method: str
    price: float
    target_quantity: float
    current_quantity: float
    workings: dict[str, Any]
    flow_run_id: UUID | None
    created_at: datetime


class StrategyVersion(Answer):
    """A definition a strategy has had."""

    version: str
    strategy: str
    definition: dict[str, Any]
    created_at: datetime


class Lineage(Answer):
    """The way back from an order to the bar it was decided on; nulls for somebody else's order."""

    decision: RiskDecision | None
    target: SizedTarget | None
    signal: Signal | None
    strategy_version: StrategyVersion | None
    bar_ts: datetime | None


class OrderDetail(Answer):
    """An order, what happened to it, and why it was made."""

    order: Order
    events: list[OrderEvent]
    fills: list[Fill]
    lineage: Lineage
