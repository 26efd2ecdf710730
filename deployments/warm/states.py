"""What the server is told about runs beyond what Prefect's engine tells it."""

from __future__ import annotations

import asyncio
import os
import socket
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import psutil
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterId,
    FlowRunFilterParentFlowRunId,
    FlowRunFilterState,
    FlowRunFilterStateType,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import StateType
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelled, Crashed

if TYPE_CHECKING:
    from collections.abc import Collection
    from uuid import UUID

    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import FlowRun, State

    from deployments.warm.run import Run

SETTLED_SECONDS = 10
"""A state younger than this may belong to a run whose new worker has not written its identity yet."""


def identity() -> str:
    """Return what names this process on the server: host, process id, start time."""
    return f"{socket.gethostname()}:{os.getpid()}:{psutil.Process().create_time():.0f}"


def concluded(state: State[Any] | None) -> bool:
    """Whether nothing has to happen to a run in this state: it ended, or it waits to be started again."""
    return state is not None and (state.is_final() or state.is_paused() or state.is_scheduled())


async def cancelled_among(client: PrefectClient, ids: Collection[UUID]) -> list[UUID]:
    """Return those of the runs that somebody cancelled."""
    wanted = FlowRunFilterStateType(any_=[StateType.CANCELLING, StateType.CANCELLED])
    found = await client.read_flow_runs(
        flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=list(ids)), state=FlowRunFilterState(type=wanted))
    )
    return [flow_run.id for flow_run in found]


async def settle(client: PrefectClient, run: Run, farewell: str) -> None:
    """See to it that the server does not go on believing in a run whose thread has ended.

    `farewell` is the message for a run that its stopping worker interrupted.
    """
    if run.reason is None and run.error is None and concluded(run.outcome):
        return
    for pause in (0.5, 2, 5, 10, 20, None):
        try:
            await _conclude(client, run, farewell)
        except ObjectNotFound:
            return
        except httpx.HTTPError:
            if pause is None:
                raise
            await asyncio.sleep(pause)
        else:
            return


async def _conclude(client: PrefectClient, run: Run, farewell: str) -> None:
    state = (await client.read_flow_run(run.id)).state
    if run.reason == "shutdown" and (state is None or state.is_crashed() or not concluded(state)):
        await force(client, run.id, Crashed(message=farewell))
    elif state is not None and state.is_cancelling():
        await force(client, run.id, Cancelled(message="Flow run was cancelled."))
    elif not concluded(state):
        await force(client, run.id, Crashed(message=run.error or "The run ended without a state."))


async def force(client: PrefectClient, flow_run_id: UUID, state: State[Any]) -> None:
    """Set a state whatever the server's rules say about the transition."""
    await client.set_flow_run_state(flow_run_id, state, force=True)


async def crash(client: PrefectClient, flow_run_id: UUID, message: str) -> None:
    """Mark a run Crashed, and those of its sub-flows that have not ended."""
    await force(client, flow_run_id, Crashed(message=message))
    children = FlowRunFilter(parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=[flow_run_id]))
    for child in await client.read_flow_runs(flow_run_filter=children):
        if not concluded(child.state):
            await crash(client, child.id, message)


async def sweep(client: PrefectClient, pool: str, own: Collection[UUID]) -> list[str]:
    """Conclude what a warm worker of this machine left behind when it was killed; return the names.

    Runs of `own` are this worker's and are left alone.
    """
    unfinished = FlowRunFilterStateType(any_=[StateType.RUNNING, StateType.CANCELLING])
    found = await client.read_flow_runs(
        flow_run_filter=FlowRunFilter(state=FlowRunFilterState(type=unfinished)),
        work_pool_filter=WorkPoolFilter(name=WorkPoolFilterName(any_=[pool])),
    )
    swept = []
    for flow_run in found:
        if flow_run.id in own or not _abandoned(flow_run):
            continue
        if flow_run.state is not None and flow_run.state.is_cancelling():
            await force(client, flow_run.id, Cancelled(message="Its worker is gone."))
        else:
            await crash(client, flow_run.id, "The worker that ran it was killed. Run it again.")
        swept.append(flow_run.name)
    return swept


def _abandoned(flow_run: FlowRun) -> bool:
    host, _, process = (flow_run.infrastructure_pid or "").partition(":")
    number, _, started = process.partition(":")
    if host != socket.gethostname() or not (number.isdigit() and started.isdigit()) or flow_run.state is None:
        return False
    if datetime.now(UTC) - flow_run.state.timestamp < timedelta(seconds=SETTLED_SECONDS):
        return False
    if flow_run.infrastructure_pid == identity():
        return flow_run.state.is_cancelling()  # a rescheduled run that was cancelled before it began again
    return not _alive(int(number), int(started))


def _alive(number: int, started: int) -> bool:
    try:
        return abs(psutil.Process(number).create_time() - started) <= 1
    except psutil.NoSuchProcess:
        return False
