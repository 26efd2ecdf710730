"""PostgreSQL or Redis goes away in the middle of the work, really: its process ends and is started again."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from deployments.drill.decisions import plant
from deployments.drill.judging import Case, finish, seen
from deployments.drill.sessions import coming, decide, settle
from tasks.execution.submission import submit_orders
from trading.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from deployments.drill.ground import Ground
    from deployments.drill.verdict import Verdict

ORDERS = 64
SLOW = {"kind": "latency", "seconds": 0.25, "method": "POST", "path": "/v2/orders", "count": None}
"""Makes the run long enough to be in the middle of."""
SENT_BEFORE = 6
DOWN_SECONDS = 1.5
FLUSH_SECONDS = 0.02
PATIENCE = 30.0


def postgres_away(ground: Ground, how: Literal["restarted", "killed"]) -> Verdict:
    """Stop or kill the database server while orders are being sent, and start it again."""
    ground.begin()
    case = Case(f"postgres-{how}", ground, plant(ground.engine, ORDERS), time.monotonic())
    ground.simulator.arm(SLOW)
    server = ground.servers["postgres"]
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(submit_orders.fn, as_of=None)
        _until(lambda: len(ground.simulator.orders()) >= SENT_BEFORE, "the run began to send")
        (server.stop if how == "restarted" else server.kill)()
        time.sleep(DOWN_SECONDS)
        server.start()
        error = run.exception(PATIENCE * 2)
    left = len(ground.simulator.orders())
    ground.simulator.disarm()
    finish(ground)
    wrong = [] if SENT_BEFORE <= left < ORDERS else [f"the run sent {left} of {ORDERS} around the outage"]
    first = str(error).splitlines()[0] if error else "the run ended as if nothing had happened"
    said = [f"{left} sent before it stopped; the run said: {first}", "the next run sent the rest"]
    word = "stopped and started again" if how == "restarted" else "killed (kill -9) and started again"
    return case.verdict(f"PostgreSQL {word} while {ORDERS} orders are sent", said=said, problems=wrong)


def redis_flushed(ground: Ground) -> Verdict:
    """Empty Redis again and again while a session is traded from its bars to its positions."""
    with ground.fresh() as fresh, _flushing(fresh) as times:
        began = time.monotonic()
        session = coming(1)[0]
        decide(session)
        settle(session)
        case = Case("redis-flushed", fresh, seen(fresh), began)
        said = [f"emptied {len(times)} times between the bars and the positions"]
        return case.verdict("FLUSHALL all through a session", said=said)


def redis_stopped(ground: Ground) -> Verdict:
    """Stop Redis before a session is traded, from its bars to its positions."""
    server = ground.servers["redis"]
    with ground.fresh() as fresh:
        began = time.monotonic()
        session = coming(1)[0]
        server.stop()
        try:
            decide(session)
            settle(session)
            case = Case("redis-stopped", fresh, seen(fresh), began)
            said = ["every step from the bars to the positions ran without it"]
            return case.verdict("Redis stopped all through a session", said=said)
        finally:
            server.start()


@contextmanager
def _flushing(ground: Ground) -> Iterator[list[float]]:
    """Send FLUSHALL every fiftieth of a second; yield the list of the times."""
    import redis

    times: list[float] = []
    ended = threading.Event()
    places = ground.places

    def flush() -> None:
        with redis.Redis(host="127.0.0.1", port=places.redis_port, password=places.redis_password) as client:
            while not ended.wait(FLUSH_SECONDS):
                client.flushall()
                times.append(time.monotonic())

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(flush)
        try:
            yield times
        finally:
            ended.set()
        running.result()


def _until(done: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not done():
        if time.monotonic() >= end:
            raise UnavailableError(f"not within {PATIENCE:.0f} s: {what}")
        time.sleep(0.02)
