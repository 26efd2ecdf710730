"""The worker of the pools on the trading path: runs every flow in its own process, in threads.

A process per run costs seconds of imports; here a flow is imported once and a run is a thread with an event
loop of its own. What that costs in isolation is made explicit: one environment, one working directory and
one memory for all runs, so deployments may not ask for others, and a flow that ends the process
(`os._exit`, a crash in C) ends all of them. A run whose code never returns from C cannot be stopped; it is
reported, and keeps its slot until the worker stops.

The server's events wake it when a run is scheduled or cancelled; polling finds what they do not tell.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import time
from typing import TYPE_CHECKING, Any

import anyio
import httpx
from prefect.client.schemas.filters import WorkPoolFilter, WorkPoolFilterName
from prefect.exceptions import InfrastructureNotAvailable, ObjectNotFound
from prefect.states import Cancelling, Scheduled
from prefect.workers.base import BaseWorker, BaseWorkerResult

from deployments.warm import cancelling, news, states
from deployments.warm.flows import LoadedFlows
from deployments.warm.job import WarmConfiguration, WarmVariables
from deployments.warm.run import Run
from trading.config import Warm

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from prefect.client.schemas.objects import FlowRun

WATCH_SECONDS = 1.0
"""Seconds between two looks at which runs were cancelled; nothing is asked while none runs."""
SWEEP_SECONDS = 10.0
"""Seconds between two looks for runs that a killed worker left behind."""
STOP_SECONDS = 5.0
"""Seconds a run gets to end after its stopping worker interrupted it."""
EXIT_SECONDS = 10.0
"""Seconds after which a stopped worker leaves although a stuck run still holds a thread."""


class WarmWorkerResult(BaseWorkerResult):
    """Where a run took place; its state is settled by then, so the status code is always 0."""


class WarmWorker(BaseWorker[WarmConfiguration, WarmVariables, WarmWorkerResult]):
    """Runs flows in threads of its own process; `prefect worker start --type trading-warm` makes one."""

    type = "trading-warm"
    job_configuration = WarmConfiguration
    job_configuration_variables = WarmVariables
    hears_events = True
    """Whether the worker subscribes to the server's events; without, it polls only."""
    _display_name = "Warm in-process worker"
    _description = (
        "Runs flows in threads of one warm process: sub-second starts for flows of the installed package, "
        "referred to by module path. Runs share the worker's environment and memory."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.patience = Warm()
        self.flows = LoadedFlows()
        self.runs_done = 0
        self._runs: dict[UUID, Run] = {}
        self._stopping = False
        self._services: list[asyncio.Task[None]] = []
        self._submitting = asyncio.Lock()
        self._scheduled = asyncio.Event()
        self._swept_at = float("-inf")

    @property
    def runs_active(self) -> int:
        """Number of runs that hold a thread now, stuck ones included."""
        return len(self._runs)

    def get_status(self) -> dict[str, Any]:
        """Return Prefect's facts about the worker and ours: runs done, active and stuck, flows loaded."""
        stuck = sum(run.reported_stuck for run in self._runs.values())
        ours = {"runs_done": self.runs_done, "runs_active": self.runs_active, "runs_stuck": stuck}
        return super().get_status() | ours | {"flows_loaded": len(self.flows)}

    async def setup(self) -> None:
        """Connect to the server and start watching over runs."""
        cancelling.install()
        self._stopping = False
        await super().setup()
        work = [self._watch(), self._heed_news(), *([self._hear_news()] if self.hears_events else [])]
        self._services = [asyncio.create_task(it) for it in work]

    async def run(
        self,
        flow_run: FlowRun,
        configuration: WarmConfiguration,
        task_status: anyio.abc.TaskStatus[Any] | None = None,
    ) -> WarmWorkerResult:
        """Run a flow to its end in a thread of its own."""
        status = task_status or anyio.TASK_STATUS_IGNORED
        result = WarmWorkerResult(identifier=states.identity(), status_code=0)
        if self._stopping:
            message = f"Worker {self.name!r} stopped before the run began; it waits for another."
            await states.force(self.client, flow_run.id, Scheduled(message=message))
            status.started(InfrastructureNotAvailable(message))
            return result
        run = Run(flow_run, configuration.entrypoint, self.flows)
        self._runs[flow_run.id] = run
        status.started(result.identifier)
        try:
            run.start()
            await run.wait()
            await states.settle(self.client, run, self._farewell(run))
        finally:
            del self._runs[flow_run.id]
            self.runs_done += 1
            if self._limiter or self.work_pool.concurrency_limit:
                self._scheduled.set()  # the freed slot may have been waited for
        counts = (self.runs_done, self.runs_active)
        self._logger.info("Run %r left after %.2f s; %d done, %d active", run.name, run.seconds, *counts)
        return result

    async def teardown(self, *exc_info: Any) -> None:
        """Take no more runs, let the running ones finish within the grace time, mark the rest Crashed.

        Without an interruption (`--run-once`) the grace time has no end.
        """
        self._stopping = True
        interrupted = bool(exc_info and exc_info[0])
        with anyio.CancelScope(shield=True):
            await self._drain(self.patience.grace_seconds if interrupted else None)
        for service in self._services:
            service.cancel()
        if self._runs:
            threading.Thread(target=_exit_anyway, name="exit", daemon=True).start()
        await super().teardown(*exc_info)

    async def get_and_submit_flow_runs(self) -> list[FlowRun]:
        """Ask for scheduled runs and start them, one question at a time.

        An answer that arrives after a later one was acted upon would start a run a second time.
        """
        async with self._submitting:
            return [] if self._stopping else await super().get_and_submit_flow_runs()

    async def _propose_submitting_state(self, flow_run: FlowRun) -> None:
        """Skip a state that tells people of slow infrastructure: here a thread starts at once."""

    async def _give_worker_labels_to_flow_run(self, flow_run_id: UUID) -> None:
        """Label the run while it starts: nothing waits for the labels, and none is worth a crash."""
        if self._runs_task_group is not None:
            self._runs_task_group.start_soon(self._label, flow_run_id)

    async def _label(self, flow_run_id: UUID) -> None:
        try:
            await super()._give_worker_labels_to_flow_run(flow_run_id)
        except (ObjectNotFound, httpx.HTTPError) as error:
            self._logger.debug("Run %s goes unlabelled: %s", flow_run_id, error)

    async def _hear_news(self) -> None:
        while self._work_pool is None:  # noqa: ASYNC110 - Prefect sets it, when the server answers
            await asyncio.sleep(WATCH_SECONDS)
        await news.listen(self._work_pool.id, self._hear, self._logger)

    def _hear(self, event: str, flow_run_id: UUID) -> None:
        if event == news.RUN_SCHEDULED:
            self._scheduled.set()
        elif run := self._runs.get(flow_run_id):
            run.stop("cancel")

    async def _heed_news(self) -> None:
        while await self._scheduled.wait():
            self._scheduled.clear()
            try:
                await self.get_and_submit_flow_runs()
            except Exception:
                self._logger.exception("Could not ask for scheduled runs; polling will")

    async def _watch(self) -> None:
        loaded = not self.patience.preload
        while True:
            try:
                loaded = loaded or await self._preload()
                await self._stop_cancelled_runs()
                await self._sweep()
            except Exception:
                self._logger.exception("Could not look after %d runs; trying again", len(self._runs))
            await asyncio.sleep(WATCH_SECONDS)

    async def _stop_cancelled_runs(self) -> None:
        if not self._runs:
            return
        for flow_run_id in await states.cancelled_among(self.client, self._runs):
            if run := self._runs.get(flow_run_id):
                run.stop("cancel")
        for run in list(self._runs.values()):
            run.press()
            if run.waited > self.patience.stuck_seconds and not run.reported_stuck:
                run.reported_stuck = True
                await self._report_stuck(run)

    async def _report_stuck(self, run: Run) -> None:
        message = (
            f"Asked to stop {run.waited:.0f} s ago, it does not return from {run.place()}: Python cannot "
            "interrupt that. It keeps its slot until it returns or the worker is restarted."
        )
        self._logger.warning("Run %r: %s", run.name, message)
        if run.reason == "cancel":
            await states.force(self.client, run.id, Cancelling(message=message))

    async def _sweep(self) -> None:
        if time.monotonic() - self._swept_at < SWEEP_SECONDS:
            return
        self._swept_at = time.monotonic()
        for name in await states.sweep(self.client, self._work_pool_name, self._runs):
            self._logger.warning("Run %r was left behind by a worker that was killed; marked so", name)

    async def _preload(self) -> bool:
        pool = WorkPoolFilter(name=WorkPoolFilterName(any_=[self._work_pool_name]))
        deployments = await self.client.read_deployments(work_pool_filter=pool)
        paths = sorted({it.entrypoint for it in deployments if it.entrypoint and ":" not in it.entrypoint})
        threading.Thread(target=self._import, args=(paths,), name="preload", daemon=True).start()
        return True

    def _import(self, entrypoints: Iterable[str]) -> None:
        began = time.monotonic()
        for entrypoint in entrypoints:
            try:
                self.flows.load(entrypoint)
            except BaseException as error:  # noqa: BLE001 - a module may raise anything; its runs will say so
                kind = type(error).__name__
                self._logger.warning("Flow %r cannot be loaded: %s: %s", entrypoint, kind, error)
        self._logger.info("%d flows loaded in %.1f s", len(self.flows), time.monotonic() - began)

    async def _drain(self, grace: float | None) -> None:
        if self._runs:
            self._logger.info("Stopping; %d runs have %s s to end", len(self._runs), grace)
        if await self._all_left(grace):
            return
        for run in self._runs.values():
            run.stop("shutdown")
        if await self._all_left(STOP_SECONDS):
            return
        for run in list(self._runs.values()):
            self._logger.error("Leaving run %r behind in %s", run.name, run.place())
            with contextlib.suppress(httpx.HTTPError):  # without a server, the next worker's sweep says it
                await states.crash(self.client, run.id, self._farewell(run))

    async def _all_left(self, seconds: float | None) -> bool:
        with anyio.move_on_after(seconds):
            while self._runs or self._submitting_flow_run_ids:  # noqa: ASYNC110 - Prefect's set has no event
                await anyio.sleep(0.05)
        return not self._runs

    def _farewell(self, run: Run) -> str:
        return (
            f"Worker {self.name!r} stopped and the run did not end within {self.patience.grace_seconds:g} s "
            f"(it had run for {run.seconds:.0f} s). Run it again."
        )


def _exit_anyway() -> None:
    time.sleep(EXIT_SECONDS)
    os._exit(1)
