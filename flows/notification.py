"""Notification: messages, health, logs, the daily summary."""

from __future__ import annotations

from typing import Annotated

from prefect import flow
from pydantic import Field

from flows.parameters import Session, Since
from flows.publishing import publish
from tasks.notification.alerts import post_trade_alerts
from tasks.notification.delivery import deliver_messages
from tasks.notification.health import check_health
from tasks.notification.logs import collect_logs
from tasks.notification.summary import post_summary

Hours = Annotated[int, Field(ge=1, le=24 * 366, description="How many hours back to gather.")]


@flow(flow_run_name="send-trade-alerts", timeout_seconds=600)
async def send_trade_alerts(since: Since = None) -> None:
    """Send fills, order trouble and refused decisions (default: of a week) through the channels, once each."""
    await publish("send-trade-alerts", post_trade_alerts(since=since), deliver_messages())


@flow(flow_run_name="monitor-system-health", timeout_seconds=300)
async def monitor_system_health() -> None:
    """Examine every component and send a message when one gets better or worse."""
    report = await check_health()
    await publish("monitor-system-health", report, deliver_messages())


@flow(flow_run_name="aggregate-logs {window} h", timeout_seconds=1800)
async def aggregate_logs(window: Hours = 24) -> None:
    """Gather flow-run logs, component logs and audit events into one searchable table."""
    await publish("aggregate-logs", await collect_logs(hours=window))


@flow(flow_run_name="send-daily-summary", timeout_seconds=600)
async def send_daily_summary(session: Session = None) -> None:
    """Send the day's profit, trades, risk and system state in one message, once per session."""
    await publish("send-daily-summary", post_summary(session=session), deliver_messages())
