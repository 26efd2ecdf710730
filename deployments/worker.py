"""The process of a service: `python -m deployments.worker --pool execution --type trading-warm`.

It is the same as `prefect worker start --with-healthcheck` with three differences that make a machine
of two cores enough for six of them: it imports no integration it does not need, it waits for its
pool instead of failing without one, and it does not ask the server every second whether there is
work (30 ms of the server's time each) but listens for the event of a run scheduled in its pool. Events
can be lost, so it also asks now and then.
"""

from __future__ import annotations

import abc
import argparse
import asyncio
import os
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import WorkPoolFilter, WorkPoolFilterName
from prefect.events.clients import get_events_subscriber
from prefect.events.filters import EventFilter, EventNameFilter
from prefect.exceptions import PrefectHTTPStatusError
from prefect.utilities.processutils import setup_signal_handlers_worker
from prefect.workers.process import ProcessWorker

from deployments.warm_worker import WarmWorker

if TYPE_CHECKING:
    from uuid import UUID

    from prefect.client.schemas.responses import WorkerFlowRunResponse
    from prefect.events import Event
    from prefect.workers.base import BaseWorker

RESYNC_SECONDS = 5.0
"""How often a worker asks without having been told; below the prefetch, so no schedule is missed."""

SILENCE_SECONDS = 30.0
"""Seconds without an answer from the server after which /health is 503."""

_AGAIN_SECONDS = 1.0
_RECONNECT_SECONDS = 2.0
_POOL_PATIENCE = 300.0

_NEWS = ["prefect.flow-run.Scheduled", "prefect.flow-run.AwaitingRetry", "prefect.flow-run.Late"]

if TYPE_CHECKING:
    _Base = BaseWorker[Any, Any, Any]
else:
    _Base = object


class Attentive(_Base):
    """Mixin for a Prefect worker: asks for runs when one was scheduled, instead of all the time."""

    _told = True
    _connected = False
    _busy = False
    _asked_at = float("-inf")
    _answered_at = float("-inf")
    _listener: asyncio.Task[None] | None = None

    async def setup(self) -> None:
        """Connect as the worker does, and listen for news of its pool."""
        await super().setup()
        self._listener = asyncio.create_task(self._listen())

    async def teardown(self, *exc_info: Any) -> None:
        """Stop listening, then end as the worker does."""
        if self._listener is not None:
            self._listener.cancel()
        await super().teardown(*exc_info)

    async def _listen(self) -> None:
        while True:
            try:
                async with get_events_subscriber(filter=EventFilter(event=EventNameFilter(name=_NEWS))) as news:
                    self._connected = True
                    async for event in news:
                        self._told = self._told or self._concerns_us(event)
            except Exception as error:  # noqa: BLE001 - whatever ended the stream, asking goes on without it
                self._logger.debug("No events (%s: %s); asking every second", type(error).__name__, error)
            self._connected = False
            await asyncio.sleep(_RECONNECT_SECONDS)

    def _concerns_us(self, event: Event) -> bool:
        return any(
            related.role == "work-pool" and related.get("prefect.resource.name") == self._work_pool_name
            for related in event.related
        )

    def _due(self) -> bool:
        quiet = self._connected and not self._busy
        return self._told or time.monotonic() - self._asked_at >= (RESYNC_SECONDS if quiet else _AGAIN_SECONDS)

    async def _get_scheduled_flow_runs(self) -> list[WorkerFlowRunResponse]:
        if not self._due():
            return []
        self._told, self._busy, self._asked_at = False, True, time.monotonic()
        try:
            runs = await super()._get_scheduled_flow_runs()
        except (httpx.TransportError, PrefectHTTPStatusError) as error:
            # Prefect's loop would end the worker, and with it runs in progress, after seconds without a server.
            self._logger.warning("The server does not hand out runs (%s); asking again", error or type(error).__name__)
            return []
        self._answered_at = time.monotonic()
        self._busy = bool(runs)  # more may wait for a free slot
        return runs

    def is_worker_still_polling(self, query_interval_seconds: float) -> bool:  # noqa: ARG002 - Prefect's signature
        """Tell /health whether the server answered lately."""
        return time.monotonic() - self._answered_at < SILENCE_SECONDS

    async def _worker_metadata(self) -> None:
        """Send no list of integrations: it is of no use here, and imports all of them."""


class AttentiveProcessWorker(Attentive, ProcessWorker, abc.ABC):
    """Prefect's process worker that listens."""


class AttentiveWarmWorker(Attentive, WarmWorker, abc.ABC):
    """The warm worker that listens; it loads flows once deploying has come to rest."""

    _looked_at = float("-inf")
    _seen = 0
    _born = time.monotonic()

    def _hear(self, event: str, flow_run_id: UUID) -> None:
        self._told = True  # what the base class heard, it may ask about at once
        super()._hear(event, flow_run_id)

    async def _preload(self) -> bool:
        if time.monotonic() - self._looked_at < RESYNC_SECONDS:
            return False
        self._looked_at = time.monotonic()
        pool = WorkPoolFilter(name=WorkPoolFilterName(any_=[self._work_pool_name]))
        before, self._seen = self._seen, len(await self.client.read_deployments(work_pool_filter=pool))
        if self._seen and self._seen == before:
            return await super()._preload()
        return time.monotonic() - self._born > _POOL_PATIENCE


# abc.ABC keeps both out of Prefect's registry, where their types belong to their base classes.
KINDS: dict[str, type[BaseWorker[Any, Any, Any]]] = {
    "process": AttentiveProcessWorker,
    "trading-warm": AttentiveWarmWorker,
}
"""Type of a pool -> the worker that serves it."""


async def wait_for_pool(name: str, kind: str) -> None:
    """Return once the server has the pool; a server that is still coming up is waited for.

    Raises
    ------
    SystemExit
        There is no such pool after five minutes.
    """
    deadline = time.monotonic() + _POOL_PATIENCE
    async with get_client() as client:
        while time.monotonic() < deadline:
            with suppress(PrefectHTTPStatusError, httpx.HTTPError):
                answer = await client._client.get(f"/work_pools/{name}")  # noqa: SLF001 - the public call logs and retries
                if answer.status_code == httpx.codes.OK and answer.json()["type"] == kind:
                    return
            await asyncio.sleep(0.25)
    sys.exit(f"no work pool {name!r} of type {kind!r} at {os.environ.get('PREFECT_API_URL')}; run `trading start`")


async def serve(name: str, kind: str) -> None:
    """Serve one pool until interrupted."""
    from prefect.settings import get_current_settings

    await wait_for_pool(name, kind)
    settings = get_current_settings().worker
    worker = KINDS[kind](
        work_pool_name=name,
        name=name,
        prefetch_seconds=settings.prefetch_seconds,
        heartbeat_interval_seconds=int(settings.heartbeat_seconds),
        create_pool_if_not_found=False,
    )
    await worker.start(with_healthcheck=True)


def main() -> int:
    """Read the arguments and serve; an interruption is the normal end."""
    parser = argparse.ArgumentParser(prog="python -m deployments.worker", description="Serve one Prefect work pool.")
    parser.add_argument("--pool", required=True, help="name of the work pool, for example execution")
    parser.add_argument("--type", required=True, choices=sorted(KINDS), help="type of the work pool")
    given = parser.parse_args()
    setup_signal_handlers_worker(os.getpid(), f"the {given.type} worker", print)
    with suppress(KeyboardInterrupt, asyncio.CancelledError):
        asyncio.run(serve(given.pool, given.type))
    return 0


if __name__ == "__main__":
    sys.exit(main())
