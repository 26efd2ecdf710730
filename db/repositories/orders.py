"""Order intents, orders, their events and fills."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import case, func, select, update

from db.models.execution import Fill, Order, OrderEvent
from db.models.risk_management import RiskDecision, SizedTarget
from db.models.strategy_engine import Signal
from db.statements import insert_missing
from trading.orders import FINAL

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime
    from decimal import Decimal
    from uuid import UUID

    from sqlalchemy import Connection, Row


def approved(connection: Connection, *, account: str, session: date) -> Sequence[Row[Any]]:
    """Return a session's approved decisions that have no order yet; sells first, then by strategy and symbol."""
    statement = (
        select(
            RiskDecision.__table__,
            Signal.bar_ts,
            Signal.strategy_version,
        )
        .join(SizedTarget, SizedTarget.id == RiskDecision.sized_target_id)
        .join(Signal, Signal.id == SizedTarget.signal_id)
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


def intend(connection: Connection, intents: Iterable[Mapping[str, Any]]) -> int:
    """Write order intents; one with a known client_order_id or decision is not written again."""
    return insert_missing(connection, Order, intents)


def open_orders(connection: Connection, account: str, *, statuses: Sequence[str] | None = None) -> Sequence[Row[Any]]:
    """Return orders that are not in a final state (or in one of `statuses`); sells first, oldest first."""
    chosen = Order.status.in_(statuses) if statuses else Order.status.not_in([str(state) for state in FINAL])
    statement = select(Order.__table__).where(Order.account == account, chosen).order_by(Order.side.desc(), Order.id)
    return connection.execute(statement).all()


def advance(
    connection: Connection,
    order: int,
    *,
    event: str,
    key: str,
    status: str,
    at: datetime,
    flow_run_id: UUID | None,
    detail: Mapping[str, Any] | None = None,
    **columns: Any,
) -> bool:
    """Write what happened to an order, once per `key`, and its new state; return whether it was news."""
    row = {
        "order_id": order,
        "key": key,
        "event": event,
        "status": status,
        "at": at,
        "detail": dict(detail or {}),
        "flow_run_id": flow_run_id,
    }
    news = insert_missing(connection, OrderEvent, [row]) == 1
    if news:
        connection.execute(update(Order).where(Order.id == order).values(status=status, **columns))
    return news


def by_broker_id(connection: Connection, account: str, broker_ids: Iterable[str]) -> dict[str, Row[Any]]:
    """Return orders under the broker's ids."""
    statement = select(Order.__table__).where(Order.account == account, Order.broker_order_id.in_(list(broker_ids)))
    return {row.broker_order_id: row for row in connection.execute(statement)}


def by_client_id(connection: Connection, client_ids: Iterable[str]) -> dict[str, Row[Any]]:
    """Return orders under our ids."""
    statement = select(Order.__table__).where(Order.client_order_id.in_(list(client_ids)))
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
    connection.execute(update(Fill).where(Fill.id.in_(list(fills))).values(applied_at=at))


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
    statement = select(Fill.order_id, func.sum(Fill.quantity)).where(Fill.order_id.in_(order_ids))
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
