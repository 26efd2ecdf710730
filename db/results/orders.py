"""Orders and fills, and the way back from an order to the bar it was decided on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from db.models.execution import Fill, Order, OrderEvent
from db.models.risk_management import RiskDecision, SizedTarget
from db.models.strategy_engine import Signal, StrategyVersion
from db.results.rows import Page, page

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from db.results.rows import AnyRow, Query, Rows

OPEN = "open"
"""The status that stands for every state which is not final."""


@dataclass(frozen=True, slots=True)
class Lineage:
    """An order with everything that led to it and came of it; an external order has no decision."""

    order: AnyRow
    events: Rows
    fills: Rows
    decision: AnyRow | None
    target: AnyRow | None
    signal: AnyRow | None
    strategy_version: AnyRow | None


def orders(
    connection: Connection,
    account: str | None,
    *,
    status: str | None = None,
    symbol: str | None = None,
    strategy: str | None = None,
    limit: int = 100,
    cursor: str | None = None,
) -> Page:
    """Return orders, newest intent first; status `open` means not closed."""
    statement = _narrowed(select(Order.__table__).where(Order.account == account), Order, symbol, strategy)
    if status == OPEN:
        statement = statement.where(Order.closed_at.is_(None))
    elif status is not None:
        statement = statement.where(Order.status == status)
    columns = Order.__table__.c
    return page(connection, statement, at=columns.intended_at, key=columns.id, limit=limit, cursor=cursor)


def fills(
    connection: Connection,
    account: str | None,
    *,
    symbol: str | None = None,
    strategy: str | None = None,
    limit: int = 100,
    cursor: str | None = None,
) -> Page:
    """Return fills, newest first."""
    statement = _narrowed(select(Fill.__table__).where(Fill.account == account), Fill, symbol, strategy)
    columns = Fill.__table__.c
    return page(connection, statement, at=columns.filled_at, key=columns.id, limit=limit, cursor=cursor)


def lineage(connection: Connection, order_id: int) -> Lineage | None:
    """Return an order with its events, its fills and the decisions behind it; None when there is such."""
    order = _one(connection, select(Order.__table__).where(Order.id == order_id))
    if order is None:
        return None
    decision = _by_key(connection, RiskDecision, RiskDecision.id, order.risk_decision_id)
    target = _by_key(connection, SizedTarget, SizedTarget.id, decision.sized_target_id if decision else None)
    signal = _by_key(connection, Signal, Signal.id, target.signal_id if target else None)
    events = select(OrderEvent.__table__).where(OrderEvent.order_id == order_id)
    executions = select(Fill.__table__).where(Fill.order_id == order_id)
    return Lineage(
        order=order,
        events=connection.execute(events.order_by(OrderEvent.at, OrderEvent.id)).all(),
        fills=connection.execute(executions.order_by(Fill.filled_at, Fill.id)).all(),
        decision=decision,
        target=target,
        signal=signal,
        strategy_version=_by_key(connection, StrategyVersion, StrategyVersion.version, order.strategy_version),
    )


def _narrowed(statement: Query, books: type[Order | Fill], symbol: str | None, strategy: str | None) -> Query:
    if symbol is not None:
        statement = statement.where(books.symbol == symbol)
    return statement if strategy is None else statement.where(books.strategy == strategy)


def _by_key(connection: Connection, model: Any, column: Any, key: int | str | None) -> AnyRow | None:
    return None if key is None else _one(connection, select(model.__table__).where(column == key))


def _one(connection: Connection, statement: Query) -> AnyRow | None:
    return connection.execute(statement).one_or_none()
