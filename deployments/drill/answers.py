"""The broker answers badly, or not at all, to two of three orders."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from deployments.drill.bad_answers import ANSWERS, words
from deployments.drill.decisions import plant
from deployments.drill.judging import Case, finish
from tasks.execution.following import follow_orders
from tasks.execution.submission import submit_orders

if TYPE_CHECKING:
    from deployments.drill.ground import Ground
    from deployments.drill.verdict import Verdict

ORDERS, HIT = 3, 2


def answered_badly(ground: Ground, name: str) -> Verdict:
    """Let two of three posts end in a fault; look at once what the books say, then let the next runs go on."""
    fault = ANSWERS[name]
    ground.begin()
    case = Case(name, ground, plant(ground.engine, ORDERS), time.monotonic())
    ground.simulator.arm({**fault, "method": "POST", "path": "/v2/orders", "count": HIT})
    submit_orders.fn(as_of=None)
    at_first = case.statuses()["unknown"]
    submit_orders.fn(as_of=None)
    follow_orders.fn()
    afterwards = case.statuses()["unknown"]
    ground.simulator.disarm()
    finish(ground)
    arrived = fault.get("when") != "before"
    wrong = []
    if at_first != HIT:
        wrong.append(f"{at_first} orders were unknown after {HIT} posts without a readable answer")
    if afterwards != (0 if arrived else HIT):
        wrong.append(f"{afterwards} orders were unknown after they had been looked up")
    found = "the look-up found them" if arrived else "no look-up found them, and none was sent again"
    return case.verdict(
        f"{words(fault)} to {HIT} of {ORDERS} posts", said=[f"{at_first} unknown at first, {found}"], problems=wrong
    )
