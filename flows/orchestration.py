"""One decision end to end, the day's end, and the replay of past sessions."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

from prefect import flow, task
from prefect.artifacts import acreate_progress_artifact, aupdate_progress_artifact
from prefect.client.schemas.objects import State
from prefect.deployments import arun_deployment
from prefect.states import Completed
from pydantic import Field

from flows import steps
from flows.parameters import AsOf, How
from flows.publishing import publish
from tasks.execution.clock import read_clock
from tasks.execution.simulation import coming_sessions, step_after_close, step_before_open
from tasks.policies import ONCE
from trading.errors import TradingError
from trading.report import Report

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

CYCLE = (
    "manage-orders",
    "update-positions",
    "fetch-market-data",
    "validate-data-quality",
    "run-strategy",
    "calculate-position-size",
    "validate-risk-limits",
    "execute-trades",
    "manage-orders",
    "update-positions",
    "monitor-portfolio-risk",
    "generate-risk-alerts",
    "send-trade-alerts",
)
"""The deployments of one decision, in order; the books are brought up to date before anything is sized."""

CLOSE = (
    "fetch-market-data",
    "validate-data-quality",
    "reconcile-trades",
    ("calculate-performance", "analyze-trades"),
    "generate-reports",
    "send-daily-summary",
)
"""The deployments after the close, in order; those in brackets run side by side."""

STEP_SECONDS = 600.0
POLL_SECONDS = 0.25

Sessions = Annotated[int, Field(ge=1, le=5000, description="How many sessions to replay.")]
StagedLast = Annotated[
    bool, Field(description="Run the last session's steps as runs of the service deployments, for all to see.")
]


class StepFailedError(TradingError):
    """Raised when a step that ran as a deployment did not complete."""


@flow(flow_run_name="trading-cycle {how}", timeout_seconds=3600)
async def trading_cycle(as_of: AsOf = None, how: How = "inline") -> State[None] | None:
    """Take one decision end to end: data, signals, sizes, limits, orders, positions, risk, alerts.

    inline is for latency: every step is a task of this run. deployments is for scale and for the eye: every
    step is a run of its service's deployment.
    """
    if how == "deployments":
        await run_deployments(CYCLE)
        return Completed(message=f"{len(CYCLE)} steps completed as deployments")
    await publish("trading-cycle", *steps.decide(as_of), *steps.settle())
    return None


@flow(flow_run_name="close-of-day {how}", timeout_seconds=3600)
async def close_of_day(how: How = "inline") -> State[None] | None:
    """After the close: fetch the day's bars, reconcile, measure, analyse, report, and send the day's summary."""
    if how == "deployments":
        await run_deployments(CLOSE)
        return Completed(message=f"{len(CLOSE)} steps completed as deployments")
    await publish("close-of-day", *steps.close())
    return None


@flow(flow_run_name="replay {sessions} sessions", timeout_seconds=4 * 3600)
async def replay(sessions: Sessions = 5, staged_last: StagedLast = True) -> None:
    """Trade past sessions on the simulator, stepping its clock: before each open decide, after each close settle.

    A session is one task, its steps those of `trading_cycle`. The last session runs through the service
    deployments instead, so that each of its steps is a run in the Prefect UI; after it the books are closed.
    """
    days = coming_sessions(sessions)
    span = f"Replaying {days[0]} to {days[-1]}"
    progress = await acreate_progress_artifact(0.0, key="replay-progress", description=span)
    for place, session in enumerate(days[:-1] if staged_last else days, start=1):
        trade_session(session)
        await aupdate_progress_artifact(progress, 100.0 * place / len(days))
    if staged_last:
        step_before_open(days[-1])
        await run_deployments(CYCLE)
        step_after_close(days[-1])
        await run_deployments(CLOSE)
    else:
        steps.close()
    await aupdate_progress_artifact(progress, 100.0)
    figures = {"from": days[0], "to": days[-1], "sessions": len(days), "clock": read_clock().now}
    await publish("replay", Report("Replay", figures))


@task(task_run_name="session {session}", **ONCE)
def trade_session(session: date) -> None:
    """Trade one past session: decide before its open, settle after its close."""
    step_before_open.fn(session)
    steps.decide(None, steps.as_function)
    step_after_close.fn(session)
    steps.settle(steps.as_function)


async def run_deployments(names: Sequence[str | tuple[str, ...]]) -> None:
    """Run deployments one after another, each as a run of its service; a tuple of them side by side.

    Raises
    ------
    StepFailedError
        A step did not complete; the later ones are not started.
    """
    for step in names:
        await asyncio.gather(*(_run(name) for name in ([step] if isinstance(step, str) else step)))


async def _run(name: str) -> None:
    run = await arun_deployment(f"{name}/{name}", timeout=STEP_SECONDS, poll_interval=POLL_SECONDS)
    if run.state is None or not run.state.is_completed():
        state = run.state.name if run.state else "unknown"
        raise StepFailedError(f"step {name} ended {state} (run {run.name}); see its log in the Prefect UI")
