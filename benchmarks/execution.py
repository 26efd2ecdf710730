"""How fast approved decisions become acknowledged orders, beside bare alpaca-py with as many threads.

`python -m benchmarks.execution [--orders N] [--rounds N] [--json]` starts a database and a simulator of its own
(no request limit), sends N orders each way in turn, and the decision of a single order, and stops them.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from alpaca.trading.client import TradingClient
from alpaca.trading.enums import OrderSide, TimeInForce
from alpaca.trading.requests import MarketOrderRequest

from benchmarks.verdicts import Figure, conclude
from deployments.drill.decisions import SYMBOLS, plant
from deployments.drill.ground import open_ground
from tasks import broker as gateway
from tasks.execution.posting import AT_ONCE
from tasks.execution.submission import submit_orders

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine

    from deployments.drill.places import Places

SINGLE = 30
TARGET_RATIO, TARGET_MS = 1.2, 50.0


def timed(work: Callable[[], None]) -> tuple[float, float]:
    """Return the seconds that some work takes, and the seconds of processor time of this process."""
    began, used = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began, time.process_time() - used


def bare(places: Places, count: int) -> None:
    """Send `count` orders with alpaca-py alone."""
    own = threading.local()

    def send(place: int) -> None:
        if not hasattr(own, "client"):
            own.client = TradingClient(places.key, places.secret, url_override=places.broker)
        order = MarketOrderRequest(
            symbol=SYMBOLS[place % len(SYMBOLS)],
            qty=3,
            side=OrderSide.BUY,
            time_in_force=TimeInForce.DAY,
            client_order_id=uuid4().hex,
        )
        own.client.submit_order(order)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(send, range(count)))


def ours(count: int) -> None:
    """Make orders of `count` approved decisions: acknowledged, and written down."""
    report = submit_orders.fn(as_of=None)
    if report.figures.get("pending_new", 0) + report.figures.get("accepted", 0) != count:
        raise SystemExit(f"not every order was acknowledged: {dict(report.figures)}")


def until_post(engine: Engine) -> float:
    """Return the milliseconds from the start of a run with one approved decision to its POST leaving."""
    plant(engine, 1)
    left: list[float] = []
    submit = gateway.Broker.submit

    def noted(self: gateway.Broker, *arguments: Any, **named: Any) -> Any:
        left.append(time.perf_counter())
        return submit(self, *arguments, **named)

    gateway.Broker.submit = noted  # type: ignore[method-assign]
    began = time.perf_counter()
    submit_orders.fn(as_of=None)
    gateway.Broker.submit = submit  # type: ignore[method-assign]
    return 1000 * (left[0] - began)


def measure(count: int, rounds: int) -> dict[str, float]:
    """Start what is needed and measure, the two ways in turn."""
    with ExitStack() as stack:
        ground = stack.enter_context(open_ground())
        engine, places, begin = ground.engine, ground.places, ground.simulator.begin
        pairs = []
        for _ in range(rounds + 1):
            begin("100000000")
            alone = timed(lambda: bare(places, count))
            begin("100000000")
            plant(engine, count)
            pairs.append((alone, timed(lambda: ours(count))))
        begin("100000000")
        posts = [until_post(engine) for _ in range(SINGLE + 3)]
    warm = pairs[1:]
    return {
        "bare alpaca-py, s": statistics.median(alone[0] for alone, _ in warm),
        "decisions to acknowledged orders, s": statistics.median(each[0] for _, each in warm),
        "ratio": statistics.median(each[0] / alone[0] for alone, each in warm),
        "ratio of processor time": statistics.median(each[1] / alone[1] for alone, each in warm),
        "decision to POST leaving, ms": statistics.median(posts[3:]),
    }


def main() -> int:
    """Measure and print; the exit code is 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=500, help="orders each way (500)")
    parser.add_argument("--rounds", type=int, default=5, help="times each way, after one to warm up (5)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    chosen = parser.parse_args()
    found = measure(chosen.orders, chosen.rounds)
    alone, orders, processors = "bare alpaca-py", "decisions to acknowledged orders", "processor time of this process"
    shown = [
        Figure(alone, found["bare alpaca-py, s"], "s"),
        Figure(orders, found["decisions to acknowledged orders, s"], "s"),
        Figure(f"{orders} / {alone}", found["ratio"], "", most=TARGET_RATIO),
        Figure(f"the same, {processors}", found["ratio of processor time"], ""),
        Figure("decision to POST leaving", found["decision to POST leaving, ms"], "ms", most=TARGET_MS),
    ]
    title = f"{chosen.orders} orders, {AT_ONCE} at a time, medians of {chosen.rounds} pairs"
    return conclude(title, shown, as_json=chosen.json)


if __name__ == "__main__":
    sys.exit(main())
