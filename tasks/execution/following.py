"""Following open orders to their final state, and collecting fills."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from prefect import task

from db.repositories import accounts, orders
from tasks.books import open_books
from tasks.execution.alarm import halt_and_tell
from tasks.execution.halting import Reach, cancel_open_orders
from tasks.execution.recording import fill_rows, record_broker_orders, record_own
from tasks.execution.waiting import take_measures
from tasks.policies import REPEATABLE
from tasks.resources import broker, database, locks
from trading.calendar import session_after, session_of
from trading.order_policy import StalePolicy
from trading.orders import FINAL, OrderEvent, OrderState
from trading.report import Report

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection, Row

    from tasks.broker import Broker
    from trading.broker import BrokerOrder, Clock

UNKNOWN_DEADLINE = timedelta(minutes=5)
"""How long, by the database's clock, an order may stay unanswered and unfound before trading halts."""
OVERLAP = timedelta(days=1)
"""How far before the newest known fill fills are read again; late ones are counted once by their id."""
MARGIN = timedelta(minutes=1)
NO_POLICY = StalePolicy()
FEW = 5
"""Orders that are looked up one by one; more than these are read from the list."""


@task(**REPEATABLE)
def follow_orders(policy: StalePolicy = NO_POLICY) -> Report:
    """Look up every open order, cancel those whose session is over, and record fills, each once.

    Those that wait too long for `policy` are cancelled, given another limit or closed out.
    """
    gateway = broker()
    clock = gateway.clock()
    with database().begin() as connection:
        account = open_books(connection, gateway, clock).number
        followed = _followed(connection, account)
    found = look_up(gateway, followed)
    found |= _canceled_when_over(gateway, followed, found, clock)
    with database().begin() as connection:
        news = record_broker_orders(connection, account, list(found.values()))
        halted = _judge_absent(
            connection, account, [row for row in followed if row.client_order_id not in found], clock
        )
        standing = _followed(connection, account)
    if halted:
        cancel_open_orders(Reach(database(), locks(), gateway), account)
    measures = take_measures(gateway, account, standing, policy, clock)
    new = collect_fills(gateway, account)
    with database().connect() as connection:
        now = orders.by_client_id(connection, [row.client_order_id for row in followed])
    statuses = Counter(row.status for row in now.values())
    shown = [
        {
            "order": f"{row.side} {row.quantity.normalize():f} {row.symbol}",
            "strategy": row.strategy,
            "status": row.status,
            "filled": row.filled_quantity,
            "average price": row.filled_average_price,
        }
        for row in now.values()
    ]
    figures = {"followed": len(followed), "news": news, "new fills": new, **statuses}
    return Report("Open orders followed", figures, shown, measures)


@task(**REPEATABLE)
def record_updates(seen: Sequence[BrokerOrder]) -> Report:
    """Write down what the stream told of orders, and fetch the fills behind it; orders that are not ours stay out."""
    with database().begin() as connection:
        news = record_broker_orders(connection, None, seen)
        ours = orders.by_client_id(connection, {order.client_order_id for order in seen})
    accounts_filled = {row.account for row in ours.values() if row.filled_quantity}
    new = sum(collect_fills(broker(), account) for account in sorted(accounts_filled))
    return Report("Trade updates", {"updates": len(seen), "news": news, "new fills": new}, [])


def _followed(connection: Connection, account: str) -> list[Row[Any]]:
    """Return the open orders that were sent; intents are the submitter's."""
    return [row for row in orders.open_orders(connection, account) if row.status != OrderState.INTENT]


def look_up(gateway: Broker, followed: Sequence[Row[Any]]) -> dict[str, BrokerOrder]:
    """Return what the broker has of orders, under our ids: from its list of open ones, the others by name."""
    if not followed:
        return {}
    wanted = {row.client_order_id: row for row in followed}
    found: dict[str, BrokerOrder] = {}
    for status in ("open", "closed"):
        missing = [row for client_id, row in wanted.items() if client_id not in found]
        if len(missing) > FEW:
            since = min(row.intended_at for row in missing) - MARGIN
            listed = gateway.orders(since=since, status=status)
            found |= {order.client_order_id: order for order in listed if order.client_order_id in wanted}
    for client_id, row in wanted.items():
        if client_id not in found and (order := gateway.find(client_id)) is not None:
            legs_known = row.order_class == "simple" or row.parent_id is not None or row.broker_order_id is not None
            found[client_id] = order if legs_known else gateway.with_legs(order.broker_order_id)
    return found


def _canceled_when_over(
    gateway: Broker, followed: Iterable[Row[Any]], found: dict[str, BrokerOrder], clock: Clock
) -> dict[str, BrokerOrder]:
    """Cancel day orders whose session is over and that the broker still works; return what they are now."""
    changed: dict[str, BrokerOrder] = {}
    for row in followed:
        seen = found.get(row.client_order_id)
        over = row.bar_ts is not None and session_after(session_of(row.bar_ts)) < clock.last_opened
        if seen is None or not over or row.time_in_force != "day" or seen.status in FINAL:
            continue
        gateway.cancel(seen.broker_order_id)
        changed[row.client_order_id] = gateway.find(row.client_order_id) or seen
    return changed


def _judge_absent(connection: Connection, account: str, absent: Sequence[Row[Any]], clock: Clock) -> bool:
    """Close orders the broker never had once their session is over; halt when one stays open too long.

    Returns whether that was news.

    The deadline runs by the database's clock: the broker's may stand still, and this machine's may be wrong.
    """
    never: list[Row[Any]] = []
    lost: list[Row[Any]] = []
    for row in absent:
        over = row.bar_ts is not None and session_after(session_of(row.bar_ts)) < clock.session
        (never if over and row.status == OrderState.UNKNOWN else lost).append(row)
    problem = "the broker never had it; its session is over"
    record_own(connection, never, OrderEvent.ABSENT, key="absent", at=clock.now, problem=problem)
    keys = [row.id for row in lost]
    waited = orders.ages(connection, keys) | orders.unanswered_for(connection, keys)
    news = False
    for row in lost:
        if waited[row.id] > UNKNOWN_DEADLINE:
            minutes = waited[row.id].total_seconds() / 60
            what = "was sent without an answer" if row.status == OrderState.UNKNOWN else f"is {row.status} in the books"
            news |= halt_and_tell(
                connection,
                account,
                key=row.client_order_id,
                reason=f"order {row.client_order_id} {what} and is not found at the broker after {minutes:.0f} min; "
                f"look at the broker, then `trading order cancel {row.id}`",
                by="manage_orders",
                at=clock.now,
            )
    return news


def collect_fills(gateway: Broker, account: str) -> int:
    """Record the account's fills of orders we know, each once; return how many were new."""
    with database().connect() as connection:
        since = orders.last_fill_at(connection, account) or accounts.opening(connection, account).first_seen_at
    fills = gateway.fills(since=since - OVERLAP)
    with database().begin() as connection:
        known = orders.by_broker_id(connection, account, {fill.broker_order_id for fill in fills})
        new = orders.record_fills(connection, fill_rows(fills, known))
        closed = [row for row in known.values() if row.status in FINAL]
        stale = _underfilled(connection, closed)
    late = [order for row in stale if (order := gateway.find(row.client_order_id)) is not None]
    with database().begin() as connection:
        record_broker_orders(connection, account, late)
    return new


def _underfilled(connection: Connection, rows: Iterable[Row[Any]]) -> list[Row[Any]]:
    """Return closed orders whose fills add up to more than they say: a fill came late."""
    filled = orders.filled_quantities(connection, [row.id for row in rows])
    return [row for row in rows if filled.get(row.id, 0) > row.filled_quantity]
