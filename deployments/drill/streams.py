"""The stream of trade updates is cut while orders fill."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from deployments.drill.decisions import plant
from deployments.drill.judging import Case, finish
from tasks.execution.following import follow_orders, record_updates
from tasks.execution.stream import LONGEST_PAUSE, TradeStream, Watch
from tasks.execution.submission import submit_orders
from tasks.resources import credentials

if TYPE_CHECKING:
    from collections.abc import Callable

    from deployments.drill.ground import Ground
    from deployments.drill.verdict import Verdict
    from tasks.execution.stream import News

ORDERS = 4
CONNECTED_WITHIN = 20.0
MARGIN = 10.0


def cut(ground: Ground, *, seconds: float) -> Verdict:
    """Cut the stream, let the market open and fill every order, and follow as a streaming run does.

    The half minute after which a silent stream is not relied on lies within a longer cut; of a shorter one, only
    the new connection tells.
    """
    ground.begin()
    case = Case("stream-cut", ground, plant(ground.engine, ORDERS), time.monotonic())
    submit_orders.fn(as_of=None)
    with TradeStream(credentials()) as stream:
        watch = Watch(stream)
        connected = _follow(stream, watch, lambda news: news.ask_again, CONNECTED_WITHIN)
        ground.simulator.arm({"kind": "stream_cut", "seconds": seconds, "at": "now"})
        began = time.monotonic()
        ground.simulator.advance("open")
        known_at = (
            None
            if connected is None
            else _follow(stream, watch, lambda _: case.statuses()["filled"] == ORDERS, seconds + LONGEST_PAUSE + MARGIN)
        )
    ground.simulator.disarm()
    finish(ground)
    wrong = []
    if connected is None:
        wrong.append(f"the stream was not connected within {CONNECTED_WITHIN:.0f} s")
    elif known_at is None:
        wrong.append("the fills were not known when the stream was back")
    told = "" if known_at is None else f"all {ORDERS} fills were known {known_at - began:.0f} s after the cut"
    return case.verdict(
        f"stream cut for {seconds:.0f} s while {ORDERS} orders fill", said=[told] if told else [], problems=wrong
    )


def _follow(stream: TradeStream, watch: Watch, done: Callable[[News], bool], seconds: float) -> float | None:
    """Follow orders as a streaming `manage_orders` does until `done`; return when, None if not within `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        news = stream.news(0.5)
        if watch.must_look(news):
            watch.looked(found=int(follow_orders.fn().figures["news"]))
        elif news.orders:
            record_updates.fn(news.orders)
        if done(news):
            return time.monotonic()
    return None
