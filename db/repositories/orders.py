"""Order intents, orders, their events and fills."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, func, select, update

from db.models.execution import Fill, Order, OrderEvent
from db.models.risk_management import RiskDecision, SizedTarget
from db.models.strategy_engine import Signal, StrategyVersion
from db.statements import among, arrays, change_rows, insert_missing, inserting
from trading.orders import FINAL
from trading.orders import OrderEvent as Event

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime, timedelta
    from decimal import Decimal
    from uuid import UUID

    from sqlalchemy import Connection, Row
    from sqlalchemy.sql.dml import ReturningInsert

NO_ANSWER = str(Event.NO_ANSWER)


def approved(connection: Connection, *, account: str, session: date) -> Sequence[Row[Any]]:
    """Return a session's approved decisions that have no order yet; sells first, then by strategy and symbol.

    With each its bar, its strategy's definition, the price it was sized at and what was held then.
    """
    statement = (
        select(
            RiskDecision.__table__,
            Signal.bar_ts,
            Signal.strategy_version,
            SizedTarget.price,
            SizedTarget.current_quantity,
            StrategyVersion.definition,
        )
        .join(SizedTarget, SizedTarget.id == RiskDecision.sized_target_id)
        .join(Signal, Signal.id == SizedTarget.signal_id)
        .join(StrategyVersion, StrategyVersion.version == Signal.strategy_version)
        .outerjoin(Order, Order.risk_decision_id == RiskDecision.id)
        .where(
            RiskDecision.account == account,
            RiskDecision.session == session,
            RiskDecision.approved_quantity > 0,
            Order.id.is_(None),
        )
        .order_by(RiskDecision.side.desc(), RiskDecision.strategy, RiskDecision.symbol)
    )
    return connection.execute(statement).all()


def intend(connection: Connection, intents: Sequence[Mapping[str, Any]]) -> set[int]:
    """Write order intents and return their keys; one with a known client_order_id or decision is not written again."""
    if not intents:
        return set()
    names = tuple(intents[0])
    return set(connection.scalars(_new_intents(names), arrays(Order, names, intents)))


@lru_cache(maxsize=16)
def _new_intents(names: tuple[str, ...]) -> ReturningInsert[int]:
    return inserting(Order, names).on_conflict_do_nothing().returning(Order.id)


def open_orders(connection: Connection, account: str, *, statuses: Sequence[str] | None = None) -> Sequence[Row[Any]]:
    """Return orders that are not in a final state (or in one of `statuses`); sells first, oldest first."""
    chosen = Order.status.in_(statuses) if statuses else Order.status.not_in([str(state) for state in FINAL])
    statement = select(Order.__table__).where(Order.account == account, chosen).order_by(Order.side.desc(), Order.id)
    return connection.execute(statement).all()


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to an order: written once per `key`; `columns` change with the status."""

    order: int
    event: str
    key: str
    status: str
    at: datetime
    detail: Mapping[str, Any] = field(default_factory=dict)
    columns: Mapping[str, Any] = field(default_factory=dict)


def advance(connection: Connection, changes: Sequence[Change], *, flow_run_id: UUID | None) -> set[int]:
    """Write what happened to orders and their new states; return the orders for which it was news.

    A change whose key is known for its order changes nothing.
    """
    news: set[tuple[int, str]] = set()
    if changes:
        events = [_event(change, flow_run_id) for change in changes]
        names = tuple(events[0])
        rows = connection.execute(_new_events(names), arrays(OrderEvent, names, events))
        news = {(row.order_id, row.key) for row in rows}
    alike: dict[frozenset[str], list[dict[str, Any]]] = defaultdict(list)
    for change in changes:
        if (change.order, change.key) in news:
            row = {"id": change.order, "status": change.status, **change.columns}
            alike[frozenset(change.columns)].append(row)
    for alike_rows in alike.values():
        change_rows(connection, Order, alike_rows, key="id")
    return {order for order, _ in news}


@lru_cache(maxsize=1)
def _new_events(names: tuple[str, ...]) -> ReturningInsert[int, str]:
    written = inserting(OrderEvent, names).on_conflict_do_nothing()
    return written.returning(OrderEvent.order_id, OrderEvent.key)


def _event(change: Change, flow_run_id: UUID | None) -> dict[str, Any]:
    return {
        "order_id": change.order,
        "key": change.key,
        "event": change.event,
        "status": change.status,
        "at": change.at,
        "detail": dict(change.detail),
        "flow_run_id": flow_run_id,
    }


def locked(connection: Connection, account: str | None, client_ids: Iterable[str]) -> dict[str, Row[Any]]:
    """Return orders (of one account) under our ids, locked for this transaction, so that no other changes them."""
    statement = select(Order.__table__).where(among(Order.client_order_id, client_ids))
    if account is not None:
        statement = statement.where(Order.account == account)
    statement = statement.order_by(Order.id).with_for_update()
    return {row.client_order_id: row for row in connection.execute(statement)}


def locked_by_key(connection: Connection, keys: Sequence[int]) -> Sequence[Row[Any]]:
    """Return orders by their keys, locked for this transaction."""
    statement = select(Order.__table__).where(among(Order.id, keys)).order_by(Order.id).with_for_update()
    return connection.execute(statement).all()


def one(connection: Connection, account: str, order: int) -> Row[Any] | None:
    """Return an order of an account."""
    statement = select(Order.__table__).where(Order.account == account, Order.id == order)
    return connection.execute(statement).one_or_none()


def ages(connection: Connection, order_ids: Sequence[int]) -> dict[int, timedelta]:
    """Return how long ago orders were written down, by the database's clock, which all machines share."""
    statement = select(Order.id, func.clock_timestamp() - Order.recorded_at).where(among(Order.id, order_ids))
    return dict(connection.execute(statement).all())


def unanswered_for(connection: Connection, order_ids: Sequence[int]) -> dict[int, timedelta]:
    """Return how long ago, by the database's clock, orders were first sent without an answer."""
    statement = (
        select(OrderEvent.order_id, func.clock_timestamp() - func.min(OrderEvent.recorded_at))
        .where(among(OrderEvent.order_id, order_ids), OrderEvent.event == NO_ANSWER)
        .group_by(OrderEvent.order_id)
    )
    return dict(connection.execute(statement).all())


def impossible(connection: Connection, account: str, *, since: datetime) -> Sequence[Row[Any]]:
    """Return the reports since a broker time that could not be true, with their orders, oldest first."""
    statement = (
        select(OrderEvent.__table__, Order.client_order_id, Order.symbol)
        .join(Order, Order.id == OrderEvent.order_id)
        .where(Order.account == account, OrderEvent.at >= since, OrderEvent.detail.has_key("impossible"))
        .order_by(OrderEvent.id)
    )
    return connection.execute(statement).all()


def exits_of(connection: Connection, order: int) -> Sequence[Row[Any]]:
    """Return the exits that the broker keeps for an entry."""
    statement = select(Order.__table__).where(Order.parent_id == order).order_by(Order.id)
    return connection.execute(statement).all()


def last_sequence(connection: Connection, risk_decision: int) -> int:
    """Return the highest sequence of a decision's orders."""
    found = connection.scalar(select(func.max(Order.sequence)).where(Order.risk_decision_id == risk_decision))
    return int(found or 0)


def by_broker_id(connection: Connection, account: str, broker_ids: Iterable[str]) -> dict[str, Row[Any]]:
    """Return orders under the broker's ids."""
    statement = select(Order.__table__).where(Order.account == account, among(Order.broker_order_id, broker_ids))
    return {row.broker_order_id: row for row in connection.execute(statement)}


def by_client_id(connection: Connection, client_ids: Iterable[str]) -> dict[str, Row[Any]]:
    """Return orders under our ids."""
    statement = select(Order.__table__).where(among(Order.client_order_id, client_ids))
    return {row.client_order_id: row for row in connection.execute(statement)}


def record_fills(connection: Connection, fills: Iterable[Mapping[str, Any]]) -> int:
    """Write fills; one with a known execution id is not written again."""
    return insert_missing(connection, Fill, fills)


def last_fill_at(connection: Connection, account: str) -> datetime | None:
    """Return when the newest recorded fill happened."""
    return connection.scalar(select(func.max(Fill.filled_at)).where(Fill.account == account))


def unapplied_fills(connection: Connection, account: str) -> Sequence[Row[Any]]:
    """Return fills that have not entered a position, in the order they happened, locked."""
    statement = (
        select(Fill.__table__)
        .where(Fill.account == account, Fill.applied_at.is_(None))
        .order_by(Fill.filled_at, Fill.id)
        .with_for_update()
    )
    return connection.execute(statement).all()


def mark_applied(connection: Connection, fills: Iterable[int], *, at: datetime) -> None:
    """Remember that these fills have entered their positions."""
    connection.execute(update(Fill).where(among(Fill.id, fills)).values(applied_at=at))


def fills(connection: Connection, account: str, *, strategy: str | None = None) -> Sequence[Row[Any]]:
    """Return every fill of an account (or of one strategy in it), in the order they happened."""
    statement = select(Fill.__table__).where(Fill.account == account).order_by(Fill.filled_at, Fill.id)
    if strategy is not None:
        statement = statement.where(Fill.strategy == strategy)
    return connection.execute(statement).all()


def of_account(connection: Connection, account: str) -> Sequence[Row[Any]]:
    """Return every order of an account, oldest first."""
    statement = select(Order.__table__).where(Order.account == account)
    return connection.execute(statement.order_by(Order.id)).all()


def events_since(connection: Connection, account: str, *, since: datetime) -> Sequence[Row[Any]]:
    """Return order events since a broker time with their orders' symbol, side and quantity, oldest first."""
    statement = (
        select(
            OrderEvent.__table__,
            Order.symbol,
            Order.side,
            Order.quantity,
            Order.strategy,
            Order.client_order_id,
            Order.problem,
        )
        .join(Order, Order.id == OrderEvent.order_id)
        .where(Order.account == account, OrderEvent.at >= since)
        .order_by(OrderEvent.at, OrderEvent.id)
    )
    return connection.execute(statement).all()


def filled_quantities(connection: Connection, order_ids: Sequence[int]) -> dict[int, Decimal]:
    """Return the shares that the recorded fills of orders add up to."""
    statement = select(Fill.order_id, func.sum(Fill.quantity)).where(among(Fill.order_id, order_ids))
    return dict(connection.execute(statement.group_by(Fill.order_id)).all())


def exit_reasons(connection: Connection, account: str) -> dict[int, str]:
    """Return, per order, why it trades: the strategy closed the position, changed it, or somebody else did."""
    closes = Signal.target_weight == 0
    reason = case((Signal.id.is_(None), "external"), (closes, "signal closed"), else_="rebalanced")
    statement = (
        select(Order.id, reason)
        .outerjoin(RiskDecision, RiskDecision.id == Order.risk_decision_id)
        .outerjoin(SizedTarget, SizedTarget.id == RiskDecision.sized_target_id)
        .outerjoin(Signal, Signal.id == SizedTarget.signal_id)
        .where(Order.account == account)
    )
    return dict(connection.execute(statement).all())
