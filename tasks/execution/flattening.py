"""Standing down: trading halts, open orders are cancelled, and when asked every position is closed by an intent."""

from __future__ import annotations

import time
from itertools import count
from typing import TYPE_CHECKING, Any

from prefect import task

from db.repositories import orders, positions
from tasks.execution.following import follow_orders
from tasks.execution.halting import Reach, halt
from tasks.execution.positions import apply_fills
from tasks.execution.reconciliation import reconcile_books
from tasks.execution.submission import submit_orders
from tasks.policies import ONCE
from tasks.resources import broker, database, flow_run_id, locks
from trading.calendar import bar_timestamp
from trading.orders import FINAL, OrderState, client_order_id
from trading.report import Report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Row

    from tasks.execution.halting import Halted
    from trading.broker import Clock

POLL_SECONDS = 0.5
VERSION = "flatten"
"""What stands for the strategy's version in the ids of closing orders."""


@task(**ONCE)
def stand_down(*, reason: str, by: str, flatten: bool, wait_seconds: float) -> Report:
    """Halt trading, cancel every open order and, with `flatten`, close every position and wait for the fills.

    Within one halt a position is closed once, however often this runs: the ids of the closing orders are made of
    the halt's time. Only a closing order that ended unfilled is followed by another.
    """
    halted = halt(Reach(database(), locks(), broker()), reason=reason, by=by, flow_run_id=flow_run_id())
    follow_orders.fn()
    reconcile_books.fn()
    figures = {"account": halted.account, "state": "HALTED", "since": halted.since}
    figures |= {"orders cancelled": len(halted.cancelled)}
    if not flatten:
        return Report("Trading is halted", figures)
    with database().begin() as connection:
        ids = _intend(connection, halted, broker().clock())
    submit_orders.fn(as_of=None)
    closing, clock = _await(ids, wait_seconds), broker().clock()
    open_still = [row for row in closing if row.status not in FINAL]
    notes = [f"{len(open_still)} closing order(s) wait for {clock.next_open.isoformat()}"] if open_still else []
    if open_still and clock.is_open:
        notes = [f"{len(open_still)} closing order(s) are not filled yet; manage-orders follows them"]
    with database().connect() as connection:
        held = [row for row in positions.of_account(connection, halted.account) if row.quantity]
    figures |= {"closing orders": len(closing), "positions left": len(held)}
    return Report("Everything is closed" if not held else "Positions are being closed", figures, _rows(closing), notes)


def _intend(connection: Connection, halted: Halted, clock: Clock) -> list[str]:
    """Write the intents that close what is held, under the strategies' names; return the ids of all there are."""
    ids, rows = [], []
    for position in positions.of_account(connection, halted.account):
        if not position.quantity:
            continue
        side = "sell" if position.quantity > 0 else "buy"
        for sequence in count():
            identity = client_order_id(
                account=halted.account,
                strategy=position.strategy,
                version=VERSION,
                bar_ts=halted.since,
                symbol=position.symbol,
                side="sell" if position.quantity > 0 else "buy",
                sequence=sequence,
            )
            ids.append(identity)
            known = orders.by_client_id(connection, [identity]).get(identity)
            if known is None or known.status not in FINAL:
                break
        if known is None:
            rows.append(_intent(position, identity, side, clock))
    orders.intend(connection, rows)
    return ids


def _intent(position: Row[Any], identity: str, side: str, clock: Clock) -> dict[str, Any]:
    return {
        "account": position.account,
        "client_order_id": identity,
        "strategy": position.strategy,
        "symbol": position.symbol,
        "side": side,
        "type": "market",
        "time_in_force": "day",
        "quantity": abs(position.quantity),
        "bar_ts": bar_timestamp(clock.last_completed),
        "status": OrderState.INTENT,
        "intended_at": clock.now,
        "flow_run_id": flow_run_id(),
    }


def _await(ids: Sequence[str], seconds: float) -> list[Row[Any]]:
    """Follow orders until all have ended, the market is closed or the time is over; return them as they are then."""
    deadline = time.monotonic() + seconds
    while True:
        follow_orders.fn()
        apply_fills.fn()
        with database().connect() as connection:
            found = list(orders.by_client_id(connection, ids).values())
        ended = all(row.status in FINAL for row in found)
        if ended or time.monotonic() >= deadline or not broker().clock().is_open:
            return found
        time.sleep(POLL_SECONDS)


def _rows(closing: Sequence[Row[Any]]) -> list[dict[str, Any]]:
    return [
        {
            "strategy": row.strategy,
            "order": f"{row.side} {row.quantity.normalize():f} {row.symbol}",
            "status": row.status,
            "filled": row.filled_quantity,
            "average price": row.filled_average_price,
            "problem": row.problem,
        }
        for row in closing
    ]
