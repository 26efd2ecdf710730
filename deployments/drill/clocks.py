"""The broker's clock is ten minutes off its own market; the machine's is years off both."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from deployments.drill.decisions import SESSION, plant
from deployments.drill.judging import Case, finish
from tasks.execution.following import follow_orders
from tasks.execution.positions import apply_fills
from tasks.execution.submission import submit_orders
from tasks.resources import broker
from trading.calendar import open_at

if TYPE_CHECKING:
    from deployments.drill.ground import Ground
    from deployments.drill.verdict import Verdict

ORDERS = 4
NEAR = timedelta(minutes=5)


def wrong_clock(ground: Ground, *, off: timedelta) -> Verdict:
    """Trade a session with a clock that is wrong about whether the market is open, at its open and at its close."""
    ground.begin()
    word = "fast" if off > timedelta() else "slow"
    case = Case(f"clock-{word}", ground, plant(ground.engine, ORDERS), time.monotonic())
    opens = open_at(SESSION)
    # a fast clock says before the open that it is over, a slow one after it that it is still to come
    ground.simulator.control("clock", {"to": (opens - NEAR if word == "fast" else opens + NEAR).isoformat()})
    ground.simulator.arm({"kind": "clock_skew", "seconds": off.total_seconds(), "count": None})
    told = broker().clock()
    submit_orders.fn(as_of=None)
    follow_orders.fn()
    apply_fills.fn()
    submit_orders.fn(as_of=None)
    finish(ground)
    wrong = [] if told.is_open == (word == "fast") else ["the clock was not wrong about the open market"]
    years = (datetime.now(UTC) - told.now).days / 365.25
    said = f"the broker said the market was {'open' if told.is_open else 'closed'}, and it was not so; "
    said += f"this machine's clock is {years:.0f} years off"
    minutes = abs(off).total_seconds() / 60
    return case.verdict(f"the broker's clock {minutes:.0f} minutes {word}", said=[said], problems=wrong)
