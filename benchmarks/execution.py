"""How fast approved decisions become acknowledged orders, beside bare alpaca-py with as many threads.

`python -m benchmarks.execution [--orders N] [--rounds N] [--json]` starts a database and a simulator of its own
(no request limit), sends N orders each way in turn, and the decision of a single order, and stops them.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from alpaca.trading.client import TradingClient
from alpaca.trading.enums import OrderSide, TimeInForce
from alpaca.trading.requests import MarketOrderRequest
from rich.console import Console
from rich.table import Table
from sqlalchemy import make_url

from benchmarks import postgres
from db.engine import make_engine
from tasks import broker as gateway
from tasks.execution.posting import AT_ONCE
from tasks.execution.submission import submit_orders
from tests.bare import KEYS, SYMBOLS, Places, Simulator, begin, forget, plant
from tests.ports import free_port

if TYPE_CHECKING:
    from sqlalchemy import Engine

SINGLE = 30
TARGET_RATIO, TARGET_MS = 1.2, 50.0


def bare(url: str, count: int) -> float:
    """Return the seconds that alpaca-py alone takes for `count` orders."""
    own = threading.local()

    def send(place: int) -> None:
        if not hasattr(own, "client"):
            key, secret = KEYS.values()
            own.client = TradingClient(key, secret, url_override=url)
        order = MarketOrderRequest(
            symbol=SYMBOLS[place % len(SYMBOLS)],
            qty=3,
            side=OrderSide.BUY,
            time_in_force=TimeInForce.DAY,
            client_order_id=uuid4().hex,
        )
        own.client.submit_order(order)

    began = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(send, range(count)))
    return time.perf_counter() - began


def ours(engine: Engine, count: int) -> float:
    """Return the seconds from approved decisions to acknowledged orders that are written down."""
    plant(engine, count)
    began = time.perf_counter()
    report = submit_orders.fn(as_of=None)
    taken = time.perf_counter() - began
    if report.figures.get("pending_new", 0) + report.figures.get("accepted", 0) != count:
        raise SystemExit(f"not every order was acknowledged: {dict(report.figures)}")
    return taken


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
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="execution-benchmark-")))
        url = make_url(stack.enter_context(postgres.server()))
        postgres.migrate(url.render_as_string(hide_password=False))
        simulator = Simulator(folder, free_port(), "--rate-limit", "100000000")
        stack.callback(simulator.stop)
        places = Places(str(url.host), int(url.port or 0), str(url.database), str(url.password), simulator.url)
        places.take()
        stack.callback(forget)
        engine = make_engine(url)
        stack.callback(engine.dispose)
        pairs = []
        for _ in range(rounds + 1):
            begin("100000000")
            alone = bare(simulator.url, count)
            begin("100000000")
            pairs.append((alone, ours(engine, count)))
        begin("100000000")
        posts = [until_post(engine) for _ in range(SINGLE + 3)]
    warm = pairs[1:]
    return {
        "bare alpaca-py, s": statistics.median(alone for alone, _ in warm),
        "decisions to acknowledged orders, s": statistics.median(each for _, each in warm),
        "ratio": statistics.median(each / alone for alone, each in warm),
        "decision to POST leaving, ms": statistics.median(posts[3:]),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=500, help="orders each way (500)")
    parser.add_argument("--rounds", type=int, default=5, help="times each way, after one to warm up (5)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    chosen = parser.parse_args()
    found = measure(chosen.orders, chosen.rounds)
    if chosen.json:
        print(json.dumps(found, indent=2))
        return
    targets = {"ratio": TARGET_RATIO, "decision to POST leaving, ms": TARGET_MS}
    table = Table("figure", "measured", "at most", "")
    for name, value in found.items():
        most = targets.get(name)
        verdict = "" if most is None else "met" if value <= most else "MISSED"
        table.add_row(name, f"{value:.3f}", "" if most is None else f"{most:g}", verdict)
    Console().print(table)


if __name__ == "__main__":
    main()
