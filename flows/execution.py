"""Execution: approved decisions become orders, orders become fills, fills become positions."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed
from pydantic import AwareDatetime, Field

from flows.parameters import AsOf, Session
from flows.publishing import publish
from tasks.execution.clock import read_clock
from tasks.execution.flattening import stand_down
from tasks.execution.following import follow_orders
from tasks.execution.positions import apply_fills
from tasks.execution.reconciliation import reconcile_at_start, reconcile_books
from tasks.execution.submission import submit_orders
from tasks.notification.alerts import post_trade_alerts
from tasks.notification.delivery import deliver_messages
from trading.calendar import close_at

POLL_SECONDS = 2.0
ASKED = "asked for in Prefect"

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


@flow(flow_run_name="execute-trades", timeout_seconds=600)
async def execute_trades(as_of: AsOf = None) -> None:
    """Turn approved risk decisions into order intents, commit them, and send each exactly once."""
    reconcile_at_start()
    await publish("execute-trades", submit_orders(as_of=as_of))


@flow(flow_run_name="manage-orders {mode}")
async def manage_orders(mode: Mode = "poll", until: Until = None) -> State[None] | None:
    """Follow open orders to a final state, cancel those whose session is over, and record fills.

    With mode stream the run follows them every two seconds until the session is over; fills enter the
    positions and are told of as they come.
    """
    report = follow_orders()
    if mode == "stream":
        clock = read_clock()
        if not clock.is_open:
            await publish("manage-orders", report)
            return Completed(name="Market closed", message=f"The market opens at {clock.next_open.isoformat()}.")
        end = until or close_at(clock.session)
        while clock.is_open and clock.now < end:
            await asyncio.sleep(POLL_SECONDS)
            report = follow_orders()
            if report.figures["new fills"]:
                apply_fills()
                post_trade_alerts(since=None)
                deliver_messages()
            clock = read_clock()
    await publish("manage-orders", report)
    return None


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
