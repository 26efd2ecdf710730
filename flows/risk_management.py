"""Risk management: sizes, limits, the portfolio, alerts."""

from __future__ import annotations

from typing import Annotated

from prefect import flow
from pydantic import Field

from flows.parameters import AsOf, Since
from flows.publishing import publish
from tasks.risk_management.alerts import post_risk_alerts
from tasks.risk_management.limits import decide_orders
from tasks.risk_management.portfolio import watch_portfolio
from tasks.risk_management.sizing import size_targets
from trading.sizing import Method

SizingMethod = Annotated[Method | None, Field(description="Sizing method; empty: each strategy's own.")]


@flow(flow_run_name="calculate-position-size", timeout_seconds=600)
async def calculate_position_size(as_of: AsOf = None, method: SizingMethod = None) -> None:
    """Size the signals of every active strategy for the coming session, each once."""
    await publish("calculate-position-size", size_targets(as_of=as_of, method=method))


@flow(flow_run_name="validate-risk-limits", timeout_seconds=600)
async def validate_risk_limits(as_of: AsOf = None) -> None:
    """Decide every proposed order against every limit, one after another, reductions first."""
    await publish("validate-risk-limits", decide_orders(as_of=as_of))


@flow(flow_run_name="monitor-portfolio-risk", timeout_seconds=600)
async def monitor_portfolio_risk() -> None:
    """Measure the portfolio's risk and move the trading state between ACTIVE, REDUCING and HALTED."""
    await publish("monitor-portfolio-risk", watch_portfolio())


@flow(flow_run_name="generate-risk-alerts", timeout_seconds=600)
async def generate_risk_alerts(since: Since = None) -> None:
    """Turn broken limits and trading-state changes (default: of a week) into messages, once each."""
    report = post_risk_alerts(since=since)
    await publish("generate-risk-alerts", report)
