"""Hears from the server at once what polling would find out a second later."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from uuid import UUID

from prefect.events.clients import get_events_subscriber
from prefect.events.filters import EventAnyResourceFilter, EventFilter, EventNameFilter

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

    Log = logging.Logger | logging.LoggerAdapter[logging.Logger]

RUN_SCHEDULED = "prefect.flow-run.Scheduled"
RUN_CANCELLING = "prefect.flow-run.Cancelling"
RETRY_SECONDS = 10.0
"""Seconds before a lost connection is tried again; polling goes on meanwhile."""


async def listen(pool_id: UUID, heard: Callable[[str, UUID], None], logger: Log) -> None:
    """Call `heard(event, flow run id)` for the runs of a work pool, for ever."""
    wanted = EventFilter(
        event=EventNameFilter(name=[RUN_SCHEDULED, RUN_CANCELLING]),
        any_resource=EventAnyResourceFilter(id=[f"prefect.work-pool.{pool_id}"]),
    )
    while True:
        try:
            async with get_events_subscriber(filter=wanted) as events:
                async for event in events:
                    heard(event.event, UUID(event.resource.id.removeprefix("prefect.flow-run.")))
        except Exception as error:  # noqa: BLE001 - whatever it is, polling replaces it
            logger.warning("No events from the server (%s); polling only", error)
        await asyncio.sleep(RETRY_SECONDS)
