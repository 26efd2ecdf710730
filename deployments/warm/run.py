from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
import time
import traceback
from typing import TYPE_CHECKING, Any, Literal

from prefect.client.schemas.objects import State
from prefect.context import SettingsContext, SyncClientContext
from prefect.exceptions import Abort, Pause
from prefect.logging.loggers import flow_run_logger

from deployments.warm.cancelling import RunStopped, StopRequest, interrupt, request_of_this_run

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Coroutine
    from uuid import UUID

    from prefect.client.schemas.objects import FlowRun
    from prefect.flows import Flow

    from deployments.warm.cancelling import Reason
    from deployments.warm.flows import LoadedFlows

UNREACHED_SECONDS = 2.0
"""After this long an event loop that has not taken up a cancellation is blocked by synchronous code."""


class Run:
    """One flow run in a daemon thread of its own, with an event loop of its own, through Prefect's engine.

    `stop` and `press` are called from the worker's thread. A run is interrupted at most once, because a
    second blow would hit the engine while it reports the state.
    """

    def __init__(self, flow_run: FlowRun, entrypoint: str, flows: LoadedFlows) -> None:
        self.id: UUID = flow_run.id
        self.name = flow_run.name
        self._request = StopRequest()
        self.outcome: State[Any] | None = None
        self.error: str | None = None
        self.reported_stuck = False
        self._flow_run = flow_run.model_copy()
        self._entrypoint = entrypoint
        self._flows = flows
        self._settings = SettingsContext.get()
        self._phase: Literal["loading", "running", "ended"] = "loading"
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None
        self._interrupted = False
        self._asked_at = 0.0
        self._started_at = time.monotonic()
        self._ended = asyncio.Event()
        self._worker_loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._live, name=f"run {self.name}", daemon=True)

    @property
    def reason(self) -> Reason | None:
        """Why the run was asked to stop, None while it was not."""
        return self._request.reason

    @property
    def seconds(self) -> float:
        """Seconds since the run was handed over."""
        return time.monotonic() - self._started_at

    @property
    def waited(self) -> float:
        """Seconds since the run was asked to stop, 0 while it was not."""
        return time.monotonic() - self._asked_at if self.reason else 0.0

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    async def wait(self) -> None:
        """Return when the thread has left the flow's code."""
        while not self._ended.is_set() and self._thread.is_alive():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), timeout=1)

    def stop(self, reason: Reason) -> None:
        """Ask the run to stop: at its next await, or at the next instruction of synchronous code."""
        with self._lock:
            if self.reason is not None or self._phase == "ended":
                return
            self._request.reason, self._asked_at = reason, time.monotonic()
            if self._phase == "loading":
                return
            if self._loop is None:
                self._interrupt()
            else:
                self._loop.call_soon_threadsafe(self._cancel)

    def press(self) -> None:
        """Interrupt an async run whose loop has not taken up the request: synchronous code blocks it."""
        with self._lock:
            if self._phase == "running" and self.waited > UNREACHED_SECONDS:
                self._interrupt()

    def place(self) -> str:
        """Return the line that the thread executes now, for a person to read."""
        frame = sys._current_frames().get(self._thread.ident or 0)  # noqa: SLF001 - the only way to see it
        if frame is None:
            return "an unknown place"
        last = traceback.extract_stack(frame)[-1]
        return f"{last.filename}:{last.lineno} in {last.name}"

    def _interrupt(self) -> None:
        if not self._interrupted:
            self._interrupted = True
            interrupt(self._thread)

    def _cancel(self) -> None:
        with self._lock:
            if self._interrupted or self._task is None or self._phase == "ended":
                return
            self._interrupted = True
        self._task.cancel()

    def _live(self) -> None:
        try:
            self._execute()
        except RunStopped:
            self.error = "stopped by its worker"
        except (Abort, Pause):
            self.error = None  # the server decided the state, the engine obeyed
        except BaseException as error:  # noqa: BLE001 - SystemExit of a flow must not leave its thread
            self.error = _sentence(error)
        finally:
            self._leave()

    def _leave(self) -> None:
        # An interruption may have been sent in the last moment; it strikes here at the latest, once.
        for _ in range(2):
            with contextlib.suppress(RunStopped):
                with self._lock:
                    self._phase = "ended"
                self._settings = self._task = self._loop = None
                with contextlib.suppress(RuntimeError):  # the worker's loop is gone: nobody waits
                    self._worker_loop.call_soon_threadsafe(self._ended.set)
                break

    def _execute(self) -> None:
        request_of_this_run.set(self._request)
        with self._settings.model_copy() if self._settings else contextlib.nullcontext():
            flow = self._load()
            if flow is not None:
                with SyncClientContext.get_or_create():  # else every sync task makes a client of its own, 60 ms each
                    self._run(flow)

    def _load(self) -> Flow[..., Any] | None:
        try:
            return self._flows.load(self._entrypoint)
        except BaseException as error:  # noqa: BLE001 - a module may raise anything, also SystemExit
            self.error = f"flow {self._entrypoint!r} could not be loaded: {_sentence(error)}"
            flow_run_logger(self._flow_run).error("%s", self.error, exc_info=True)
            return None

    def _run(self, flow: Flow[..., Any]) -> None:
        from prefect.flow_engine import run_flow

        if not flow.isasync and not self._begin():
            return
        result: Any = run_flow(
            flow,
            flow_run=self._flow_run,
            return_type="result" if flow.isgenerator else "state",
            error_logger=flow_run_logger(self._flow_run, flow),  # type: ignore[arg-type] # adapters log too
        )
        if flow.isasync:
            with asyncio.Runner() as runner:
                result = runner.run(self._attend(_exhaust(result) if flow.isgenerator else result))
        elif flow.isgenerator:
            for _ in result:
                pass
        self.outcome = result if isinstance(result, State) else None

    def _begin(self) -> bool:
        with self._lock:
            if self.reason is not None:
                return False
            self._phase = "running"
            return True

    async def _attend(self, work: Coroutine[Any, Any, Any]) -> Any:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        if not self._begin():
            work.close()
            return None
        try:
            return await work
        finally:
            with self._lock:
                self._phase = "ended"


async def _exhaust(generator: AsyncGenerator[Any, Any]) -> None:
    async for _ in generator:
        pass


def _sentence(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split()).rstrip(": ")
