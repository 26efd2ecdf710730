"""One decision end to end, the day's end, and the replay of past sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from prefect import flow
from prefect.artifacts import acreate_progress_artifact, aupdate_progress_artifact
from prefect.client.schemas.objects import State
from prefect.deployments import arun_deployment
from prefect.states import Completed
from pydantic import Field

from flows.parameters import AsOf, How
from flows.publishing import publish
from tasks.analytics.performance import UNIVERSE, measure_performance
from tasks.analytics.reports import write_reports
from tasks.analytics.trades import analyse_trades
from tasks.data_ingestion.bars import fetch_bars
from tasks.data_ingestion.quality import check_quality
from tasks.data_ingestion.universe import resolve_universe
from tasks.execution.clock import read_clock
from tasks.execution.following import follow_orders
from tasks.execution.positions import apply_fills
from tasks.execution.reconciliation import adopt_orders, compare_books
from tasks.execution.simulation import coming_sessions, step_after_close, step_before_open
from tasks.execution.submission import submit_orders
from tasks.notification.alerts import post_trade_alerts
from tasks.notification.delivery import deliver_messages
from tasks.notification.summary import post_summary
from tasks.risk_management.alerts import post_risk_alerts
from tasks.risk_management.limits import decide_orders
from tasks.risk_management.portfolio import watch_portfolio
from tasks.risk_management.sizing import size_targets
from tasks.strategy_engine.indicators import compute_indicators
from tasks.strategy_engine.signals import decide_signals, strategies_to_run
from trading.errors import TradingError
from trading.indicators import DEFAULT_INDICATORS
from trading.report import Report

if TYPE_CHECKING:
    from datetime import datetime

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
    "calculate-performance",
    "analyze-trades",
    "generate-reports",
    "send-daily-summary",
)
"""The deployments after the close, in order."""

STEP_SECONDS = 600.0
POLL_SECONDS = 0.5

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
        await run_steps(CYCLE)
        return Completed(message=f"{len(CYCLE)} steps completed as deployments")
    await publish("trading-cycle", *decide(as_of))
    return None


def decide(as_of: datetime | None) -> list[Report]:
    """Run the steps of one decision in this process; return their reports, the orders first."""
    follow_orders()
    apply_fills()
    universe, *data = ingest()
    compute_indicators(universe, indicators=list(DEFAULT_INDICATORS), timeframe="1Day", as_of=as_of)
    signals = [decide_signals(name, as_of=as_of) for name in strategies_to_run(None)]
    sized = size_targets(as_of=as_of, method=None)
    decided = decide_orders(as_of=as_of)
    sent = submit_orders(as_of=as_of)
    return [sent, decided, sized, *signals, *data, *settle()]


def ingest() -> tuple[list[str], Report, Report]:
    """Fetch and check the universe's new daily bars; return the universe and the reports."""
    universe = resolve_universe(None)
    fetched, _ = fetch_bars(universe, timeframe="1Day", start=None, end=None)
    checked = check_quality(universe, timeframe="1Day", start=None, end=None, on_failure="quarantine")
    return universe, fetched, checked


def settle() -> list[Report]:
    """Bring orders, positions, risk and alerts up to date with the broker."""
    followed = follow_orders()
    applied = apply_fills()
    watched = watch_portfolio()
    post_risk_alerts(since=None)
    post_trade_alerts(since=None)
    return [followed, applied, watched, deliver_messages()]


@flow(flow_run_name="close-of-day {how}", timeout_seconds=3600)
async def close_of_day(how: How = "inline") -> State[None] | None:
    """After the close: reconcile, measure, analyse, report, and send the day's summary."""
    if how == "deployments":
        await run_steps(CLOSE)
        return Completed(message=f"{len(CLOSE)} steps completed as deployments")
    await publish("close-of-day", *close())
    return None


def close() -> list[Report]:
    """Run the steps after the close in this process; return their reports."""
    _, *data = ingest()
    adopted = adopt_orders(session=None)
    settled = settle()
    compared = compare_books(adopted)
    measured = measure_performance(scope="all", start=None, end=None, benchmark=UNIVERSE)
    analysed = analyse_trades(strategy=None, start=None, end=None)
    written = write_reports(start=None, end=None, kinds=["tearsheet", "csv", "parquet"])
    summary = post_summary(session=None)
    deliver_messages()
    return [summary, compared, measured, analysed, written, *settled, *data]


@flow(flow_run_name="replay {sessions} sessions", timeout_seconds=4 * 3600)
async def replay(sessions: Sessions = 5, staged_last: StagedLast = True) -> None:
    """Trade past sessions on the simulator, stepping its clock: before each open decide, after each close settle.

    The last session runs through the service deployments, so that each of its steps is a run in the Prefect
    UI; after it the books are closed. The strategies, limits and order paths are those of live trading.
    """
    days = coming_sessions(sessions)
    progress = await acreate_progress_artifact(
        0.0, key="replay-progress", description=f"Replaying {days[0]} to {days[-1]}"
    )
    for place, session in enumerate(days, start=1):
        staged = staged_last and session == days[-1]
        step_before_open(session)
        if staged:
            await run_steps(CYCLE)
        else:
            await trading_cycle()
        step_after_close(session)
        if staged:
            await run_steps(
                ("manage-orders", "update-positions", "monitor-portfolio-risk", "send-trade-alerts", *CLOSE)
            )
        else:
            settle()
        await aupdate_progress_artifact(progress, 100.0 * place / len(days))
    reports = [] if staged_last else close()
    await publish("replay", _result(days[0], days[-1], len(days)), *reports)


def _result(first: Any, last: Any, count: int) -> Report:
    clock = read_clock()
    return Report("Replay", {"from": first, "to": last, "sessions": count, "clock": clock.now})


async def run_steps(steps: tuple[str, ...]) -> None:
    """Run deployments one after another, each as a run of its service.

    Raises
    ------
    StepFailedError
        A step did not complete; the later ones are not started.
    """
    for step in steps:
        run = await arun_deployment(f"{step}/{step}", timeout=STEP_SECONDS, poll_interval=POLL_SECONDS)
        if run.state is None or not run.state.is_completed():
            state = run.state.name if run.state else "unknown"
            raise StepFailedError(f"step {step} ended {state} (run {run.name}); see its log in the Prefect UI")
