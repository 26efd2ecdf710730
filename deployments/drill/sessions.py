"""Whole sessions, from the bars over the decisions to the positions: the steps of the flows, called in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows import steps
from tasks.execution.simulation import coming_sessions, step_after_close, step_before_open

if TYPE_CHECKING:
    from datetime import date


def coming(count: int) -> list[date]:
    """Return the next sessions of the simulator."""
    days: list[date] = coming_sessions.fn(count)
    return days


def decide(session: date) -> None:
    """Decide before the open: bars, quality, indicators, signals, sizes, limits, orders."""
    step_before_open.fn(session)
    steps.decide(None, steps.as_function)


def settle(session: date) -> None:
    """Settle after the close: orders, fills, positions, risk, alerts."""
    step_after_close.fn(session)
    steps.settle(steps.as_function)
