"""Execution: approved decisions become orders, orders become fills, fills become positions."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Literal

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed
from pydantic import AwareDatetime, Field

from flows.parameters import AsOf, Session
from flows.publishing import publish
from tasks.execution.clock import read_clock
from tasks.execution.flattening import stand_down
from tasks.execution.following import NO_POLICY, follow_orders, record_updates
from tasks.execution.positions import apply_fills
from tasks.execution.reconciliation import reconcile_at_start, reconcile_books
from tasks.execution.reversing import open_reversed
from tasks.execution.stream import TradeStream, Watch
from tasks.execution.submission import submit_orders
from tasks.notification.alerts import post_trade_alerts
from tasks.notification.delivery import deliver_messages
from tasks.resources import credentials
from trading.calendar import close_at
from trading.order_policy import StalePolicy

if TYPE_CHECKING:
    from trading.report import Report

LISTEN_SECONDS = 5.0
WAITS_FOR_OPEN = timedelta(minutes=30)
AFTER_CLOSE = timedelta(minutes=5)

Mode = Annotated[
    Literal["poll", "stream"], Field(description="poll: look once; stream: keep looking until the session is over.")
]
Until = Annotated[
    AwareDatetime | None,
    Field(description="When a stream ends, by the broker's clock; empty: five minutes after the close."),
]

Reason = Annotated[str, Field(min_length=3, max_length=500, description="Why, for the record.")]
Flatten = Annotated[bool, Field(description="Close every position as well.")]
Accept = Annotated[
    str | None,
    Field(min_length=3, max_length=500, description="Take over the broker's figures for this reason; empty: halt."),
]
Wait = Annotated[float, Field(ge=0, le=500, description="Seconds to wait for closing orders to fill.")]
Policy = Annotated[StalePolicy, Field(description="What becomes of orders that wait too long; empty: nothing.")]


@flow(flow_run_name="execute-trades", timeout_seconds=600)
async def execute_trades(as_of: AsOf = None) -> None:
    """Turn approved risk decisions into order intents, commit them, and send each exactly once."""
    reconcile_at_start()
    await publish("execute-trades", submit_orders(as_of=as_of))


@flow(flow_run_name="manage-orders {mode}")
async def manage_orders(mode: Mode = "poll", until: Until = None, policy: Policy = NO_POLICY) -> State[None] | None:
    """Follow open orders to a final state, cancel those whose session is over, and record fills.

    A position that turns round is opened on the other side when the order that closes it has filled.

    With mode stream the run listens to the broker's trade updates from half an hour before the open until the
    session is over, and looks for itself after every connect and every half minute of silence; fills enter the
    positions and are told of as they come.
    """
    report = follow_orders(policy)
    open_reversed()
    if mode == "stream":
        clock = read_clock()
        if not clock.is_open and clock.next_open - clock.now > WAITS_FOR_OPEN:
            await publish("manage-orders", report)
            return Completed(name="Market closed", message=f"The market opens at {clock.next_open.isoformat()}.")
        report = await _follow_session(policy, until or close_at(clock.session) + AFTER_CLOSE) or report
    await publish("manage-orders", report)
    return None


async def _follow_session(policy: StalePolicy, end: datetime) -> Report | None:
    """Follow orders by the stream until the broker's clock says `end`; return the last report."""
    report = None
    with TradeStream(credentials()) as stream:
        watch = Watch(stream)
        while read_clock().now < end:
            news = await asyncio.to_thread(stream.news, LISTEN_SECONDS)
            if watch.must_look(news):
                report = follow_orders(policy)
                watch.looked(found=int(report.figures["news"]))
            elif news.orders:
                report = record_updates(news.orders)
            else:
                continue
            if report.figures["new fills"]:
                apply_fills()
                open_reversed()
                post_trade_alerts(since=None)
                deliver_messages()
    return report


@flow(flow_run_name="halt-trading", timeout_seconds=600)
async def halt_trading(
    reason: Reason = "asked for in Prefect", flatten: Flatten = False, wait_seconds: Wait = 30
) -> None:
    """Halt trading and cancel every open order; with flatten close every position too and report the fills."""
    await publish(
        "halt-trading", stand_down(reason=reason, by="halt-trading", flatten=flatten, wait_seconds=wait_seconds)
    )


@flow(flow_run_name="update-positions", timeout_seconds=600)
async def update_positions() -> None:
    """Apply fills to positions once each, mark them to the market, and write the session's equity."""
    await publish("update-positions", apply_fills())


@flow(flow_run_name="reconcile-trades", timeout_seconds=900)
async def reconcile_trades(session: Session = None, accept: Accept = None) -> None:
    """Compare orders, fills, positions and cash with the broker; what cannot be explained halts trading.

    Unknown orders are adopted as external, missed fills applied, small drifts corrected by recorded adjustments.
    """
    await publish("reconcile-trades", reconcile_books(session=session, accept=accept))
