"""What comes at the same moment: ten submissions, and a cancel with a fill."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from sqlalchemy import text

from deployments.drill.decisions import plant
from deployments.drill.judging import Case, finish
from tasks.execution.following import follow_orders
from tasks.execution.manual import cancel_order
from tasks.execution.submission import submit_orders

if TYPE_CHECKING:
    from deployments.drill.ground import Ground
    from deployments.drill.verdict import Verdict

RUNS = 10
ORDERS = 20
SLOW = {"kind": "latency", "seconds": 0.03, "method": "DELETE", "path": "/v2/orders/*", "count": None}
"""Keeps cancellations under way while the market opens."""
CANCELLED_FIRST = 4


def ten_at_once(ground: Ground) -> Verdict:
    """Run the same submission ten times at once, and once more as a retry does."""
    ground.begin()
    case = Case("ten-at-once", ground, plant(ground.engine, ORDERS), time.monotonic())
    with ThreadPoolExecutor(RUNS) as pool:
        reports = list(pool.map(lambda _: submit_orders.fn(as_of=None), range(RUNS)))
    sent = [int(report.figures["sent"]) for report in reports]
    again = int(submit_orders.fn(as_of=None).figures["sent"])
    finish(ground)
    wrong = [] if sum(sent) == ORDERS and not again else [f"the runs sent {sent}, the retry {again}"]
    did = f"{sum(map(bool, sent))} of {RUNS} runs had something to send, the retry had nothing"
    return case.verdict(f"{RUNS} runs of one submission at once, then a retry", said=[did], problems=wrong)


def cancel_meets_fill(ground: Ground) -> Verdict:
    """Cancel every order while the market opens and fills them."""
    ground.begin()
    case = Case("cancel-meets-fill", ground, plant(ground.engine, ORDERS), time.monotonic())
    submit_orders.fn(as_of=None)
    ground.simulator.arm(SLOW)
    query = text("SELECT id FROM execution.orders WHERE account = :account ORDER BY id")
    with ground.engine.connect() as connection:
        numbers = list(connection.scalars(query, {"account": case.account}))
    with ThreadPoolExecutor(3) as pool:
        cancels = [pool.submit(cancel_order, number) for number in numbers[:CANCELLED_FIRST]]
        cancels[0].result()
        opening = pool.submit(ground.simulator.advance, "open")
        cancels += [pool.submit(cancel_order, number) for number in numbers[CANCELLED_FIRST:]]
        ends = [cancel.result().status for cancel in cancels]
        opening.result()
    ground.simulator.disarm()
    follow_orders.fn()
    finish(ground)
    now = case.statuses()
    wrong = [f"{now}: an order is neither filled nor cancelled"] if set(now) - {"filled", "canceled"} else []
    told = f"the cancels were told of {ends.count('canceled')} cancelled and {ends.count('filled')} filled"
    return case.verdict(f"{ORDERS} cancels while the market opens and fills the orders", said=[told], problems=wrong)
