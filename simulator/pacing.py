"""A clock that runs by itself: real time, or a multiple of it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from simulator.exchange import Exchange

BEAT = 0.05
"""Seconds of real time between two looks at the clock."""
BEFORE_THE_END = timedelta(seconds=1)


async def keep_pace(exchange: Exchange, factor: float, moved: Callable[[datetime], None]) -> None:
    """Move the exchange's clock `factor` seconds a second until the data end; steps and resets by hand count.

    `moved` is told where the clock stood before each move.
    """
    loop = asyncio.get_running_loop()
    begun, started, left_at = loop.time(), exchange.now, exchange.now
    while True:
        await asyncio.sleep(BEAT)
        if exchange.now != left_at:
            begun, started = loop.time(), exchange.now
        to = started + timedelta(seconds=(loop.time() - begun) * factor)
        to = min(to, exchange.market.end - BEFORE_THE_END)
        if to > exchange.now:
            before = exchange.now
            exchange.advance_to(to)
            moved(before)
        left_at = exchange.now
