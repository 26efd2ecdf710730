"""The health of every component, examined side by side."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from fastapi.concurrency import run_in_threadpool

import db.health

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from trading.config import Settings
    from trading.health import Check


async def examine(settings: Settings) -> list[Check]:
    """Return what every component answered: the servers and workers, then the database's own facts."""
    components = await asyncio.to_thread(_blocks_health)
    served, stored = await asyncio.gather(components(settings), run_in_threadpool(db.health.examine, settings))
    return [*served, *stored]


def _blocks_health() -> Callable[[Settings], Awaitable[list[Check]]]:
    # Importing blocks imports Prefect, which takes seconds: not before somebody asks.
    from blocks.health import examine as examine_served

    return examine_served
