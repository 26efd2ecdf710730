"""The steps of one decision, of a session's end and of the day's end, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tasks.analytics.performance import UNIVERSE, measure_performance
from tasks.analytics.reports import write_reports
from tasks.analytics.trades import analyse_trades
from tasks.data_ingestion.fetching import fetch_bars
from tasks.data_ingestion.quality import check_quality
from tasks.data_ingestion.universe import resolve_universe
from tasks.execution.following import follow_orders
from tasks.execution.positions import apply_fills
from tasks.execution.reconciliation import reconcile_at_start, reconcile_books
from tasks.execution.reversing import open_reversed
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
from trading.indicators import DEFAULT_INDICATORS

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from prefect import Task

    from trading.report import Report


def as_task[**P, R](step: Task[P, R]) -> Callable[P, R]:
    """Call a step as a task run of its own: seen, timed and retried by Prefect."""
    return step


def as_function[**P, R](step: Task[P, R]) -> Callable[P, R]:
    """Call a step as the function it is, inside the task that calls it."""
    return step.fn


def decide(as_of: datetime | None, call: Any = as_task) -> list[Report]:
    """Run the steps of one decision; return their reports, the orders first.

    The books are brought up to date before anything is sized, and compared with the broker after a start.
    """
    call(reconcile_at_start)()
    call(follow_orders)()
    call(apply_fills)()
    universe, *data = ingest(call)
    call(compute_indicators)(universe, indicators=list(DEFAULT_INDICATORS), timeframe="1Day", as_of=as_of)
    signals = [call(decide_signals)(name, as_of=as_of) for name in call(strategies_to_run)(None)]
    sized = call(size_targets)(as_of=as_of, method=None)
    decided = call(decide_orders)(as_of=as_of)
    sent = call(submit_orders)(as_of=as_of)
    return [sent, decided, sized, *signals, *data]


def ingest(call: Any = as_task) -> tuple[list[str], Report, Report]:
    """Fetch and check the universe's new daily bars; return the universe and the reports."""
    universe = call(resolve_universe)(None)
    fetched, _ = call(fetch_bars)(universe, timeframe="1Day", start=None, end=None)
    checked = call(check_quality)(universe, timeframe="1Day", start=None, end=None, on_failure="quarantine")
    return universe, fetched, checked


def settle(call: Any = as_task) -> list[Report]:
    """Bring orders, positions, risk and alerts up to date with the broker."""
    followed = call(follow_orders)()
    applied = call(apply_fills)()
    call(open_reversed)()
    watched = call(watch_portfolio)()
    call(post_risk_alerts)(since=None)
    call(post_trade_alerts)(since=None)
    return [followed, applied, watched, call(deliver_messages)()]


def close(call: Any = as_task) -> list[Report]:
    """Run the steps after the close; return their reports, the day's summary first."""
    _, *data = ingest(call)
    compared = call(reconcile_books)(session=None)
    settled = settle(call)
    measured = call(measure_performance)(scope="all", start=None, end=None, benchmark=UNIVERSE)
    analysed = call(analyse_trades)(strategy=None, start=None, end=None)
    written = call(write_reports)(start=None, end=None, kinds=["tearsheet", "csv", "parquet"])
    summary = call(post_summary)(session=None)
    call(deliver_messages)()
    return [summary, compared, measured, analysed, written, *settled, *data]
