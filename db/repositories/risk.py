"""Sized targets, decisions on them, limits, the trading state and portfolio risk."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from pydantic import ValidationError
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from db.models.execution import Fill, Order, Position
from db.models.risk_management import (
    LimitBreach,
    RiskDecision,
    RiskLimit,
    RiskSnapshot,
    SizedTarget,
    TradingState,
    TradingStateChange,
)
from db.models.strategy_engine import Signal
from db.repositories import audit
from db.statements import insert_missing, upsert
from trading.errors import InvalidValueError, UnknownNameError
from trading.limits import Limits
from trading.orders import FINAL, OrderState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime
    from uuid import UUID

    from sqlalchemy import Connection, Row

    from trading.limits import TradingState as State

STATES = ("ACTIVE", "REDUCING", "HALTED")
TICK = timedelta(microseconds=1)


def record_targets(connection: Connection, targets: Iterable[Mapping[str, Any]]) -> int:
    """Write sized targets; a signal that was sized before keeps its first size."""
    return insert_missing(connection, SizedTarget, targets)


def sized_signals(connection: Connection, *, account: str, session: date) -> set[int]:
    """Return the ids of the signals that have been sized for a session."""
    statement = select(SizedTarget.signal_id).where(SizedTarget.account == account, SizedTarget.session == session)
    return set(connection.scalars(statement))


def undecided(connection: Connection, *, account: str, session: date) -> Sequence[Row[Any]]:
    """Return the sized targets of a session that ask for a trade and have no decision, in a fixed order."""
    statement = (
        select(SizedTarget.__table__, Signal.bar_ts, Signal.strategy_version)
        .join(Signal, Signal.id == SizedTarget.signal_id)
        .outerjoin(RiskDecision, RiskDecision.sized_target_id == SizedTarget.id)
        .where(
            SizedTarget.account == account,
            SizedTarget.session == session,
            SizedTarget.target_quantity != SizedTarget.current_quantity,
            RiskDecision.id.is_(None),
        )
        .order_by(SizedTarget.strategy, SizedTarget.symbol)
    )
    return connection.execute(statement).all()


def record_decisions(connection: Connection, decisions: Iterable[Mapping[str, Any]]) -> int:
    """Write decisions; a target that was decided before keeps its first decision."""
    return insert_missing(connection, RiskDecision, decisions)


def limits(connection: Connection) -> Limits:
    """Return the limits in force: people's values over the defaults."""
    rows = connection.execute(select(RiskLimit.name, RiskLimit.value)).all()
    return Limits.model_validate(dict(rows))


def set_limit(connection: Connection, name: str, value: float, *, by: str) -> None:
    """Set a limit.

    Raises
    ------
    UnknownNameError
        There is no such limit.
    InvalidValueError
        The value is outside the limit's bounds.
    """
    if name not in Limits.model_fields:
        raise UnknownNameError("limit", name, Limits.model_fields)
    try:
        Limits.model_validate({**limits(connection).model_dump(), name: value})
    except ValidationError as error:
        raise InvalidValueError(name, value, error.errors()[0]["msg"]) from None
    changed = {"value": float(value), "updated_by": by, "updated_at": func.now()}
    written = insert(RiskLimit).values(name=name, **changed)
    connection.execute(written.on_conflict_do_update(index_elements=["name"], set_=changed))


def trading_state(connection: Connection, account: str) -> State:
    """Return an account's trading state; one never seen is ACTIVE."""
    state = connection.scalar(select(TradingState.state).where(TradingState.account == account))
    return cast("State", state or "ACTIVE")


def state_row(connection: Connection, account: str) -> Row[Any] | None:
    """Return an account's trading state with its reason, who changed it and when; None for one never seen."""
    return connection.execute(select(TradingState.__table__).where(TradingState.account == account)).one_or_none()


def refusals(connection: Connection, account: str, rows: Iterable[Row[Any]]) -> dict[int, str]:
    """Return, per order that may not be sent as the trading state is at this moment, why.

    While trading is not ACTIVE only reductions pass: an order against its strategy's position that, with the
    strategy's orders under way on the same side and those before it in `rows`, is no larger than it. Orders that
    have been sent meanwhile count as under way and are not judged.
    """
    state = state_row(connection, account)
    if state is None or state.state == "ACTIVE":
        return {}
    unsent = _unsent(connection, account)
    waiting = [row for row in rows if row.id in unsent]
    left = _reducible(connection, account)
    found = {}
    for row in waiting:
        key = (row.strategy, row.symbol, row.side)
        if row.quantity is not None and row.quantity <= left.get(key, Decimal(0)):
            left[key] -= row.quantity
        else:
            found[row.id] = f"trading is {state.state} ({state.reason}): only reductions pass"
    return found


def _unsent(connection: Connection, account: str) -> set[int]:
    statement = select(Order.id).where(Order.account == account, Order.status == str(OrderState.INTENT))
    return set(connection.scalars(statement))


def _reducible(connection: Connection, account: str) -> dict[tuple[str, str, str], Decimal]:
    """Return, per strategy, symbol and side, the shares that orders of that side may still take off a position."""
    held = select(Position.strategy, Position.symbol, Position.quantity).where(
        Position.account == account, Position.quantity != 0
    )
    left = {
        (row.strategy, row.symbol, "sell" if row.quantity > 0 else "buy"): abs(row.quantity)
        for row in connection.execute(held)
    }
    sent = Order.status.not_in([str(OrderState.INTENT), *map(str, FINAL)])
    whose = Order.strategy, Order.symbol, Order.side
    under_way = select(*whose, func.sum(Order.quantity - Order.filled_quantity)).where(
        Order.account == account, sent, Order.parent_id.is_(None)
    )
    filled = Fill.strategy, Fill.symbol, Fill.side
    unapplied = select(*filled, func.sum(Fill.quantity)).where(Fill.account == account, Fill.applied_at.is_(None))
    for statement in (under_way.group_by(*whose), unapplied.group_by(*filled)):
        for strategy, symbol, side, shares in connection.execute(statement):
            if (strategy, symbol, side) in left:
                left[strategy, symbol, side] -= shares
    return left


def set_trading_state(
    connection: Connection,
    *,
    account: str,
    state: str,
    reason: str,
    by: str,
    at: datetime,
    flow_run_id: UUID | None = None,
) -> bool:
    """Change an account's trading state, keep the change with who and why, and return whether it was one.

    `at` is the broker's time; a change is always later than the one before it, by a microsecond at least.

    Raises
    ------
    InvalidValueError
        The state is none of ACTIVE, REDUCING, HALTED.
    """
    if state not in STATES:
        raise InvalidValueError("trading state", state, f"one of {', '.join(STATES)}")
    row = select(TradingState.state).where(TradingState.account == account).with_for_update()
    old = connection.scalar(row) or "ACTIVE"
    if old == state:
        return False
    last = connection.scalar(
        select(func.max(TradingStateChange.changed_at)).where(TradingStateChange.account == account)
    )
    at = max(at, last + TICK) if last else at
    written = insert(TradingState).values(account=account, state=state, reason=reason, changed_by=by, changed_at=at)
    changed = {"state": state, "reason": reason, "changed_by": by, "changed_at": at}
    connection.execute(written.on_conflict_do_update(index_elements=["account"], set_=changed))
    change = {
        "account": account,
        "old": old,
        "new": state,
        "reason": reason,
        "changed_by": by,
        "changed_at": at,
    }
    insert_missing(connection, TradingStateChange, [{**change, "flow_run_id": flow_run_id}])
    detail = {"old": old, "state": state, "reason": reason}
    audit.record(connection, actor=by, action="risk.state", subject=account, detail=detail)
    return True


def record_snapshot(connection: Connection, snapshot: Mapping[str, Any]) -> None:
    """Write the portfolio's risk at one moment of the broker's clock."""
    upsert(connection, RiskSnapshot, [snapshot], keys=["account", "at"])


def record_breaches(connection: Connection, breaches: Iterable[Mapping[str, Any]]) -> int:
    """Write broken limits, once per session and limit."""
    return insert_missing(connection, LimitBreach, breaches)


def unalerted_breaches(connection: Connection, *, since: datetime) -> Sequence[Row[Any]]:
    """Return breaches no message has been made of, oldest first, locked for this transaction."""
    statement = (
        select(LimitBreach.__table__)
        .where(LimitBreach.alerted.is_(False), LimitBreach.at >= since)
        .order_by(LimitBreach.at)
        .with_for_update(skip_locked=True)
    )
    return connection.execute(statement).all()


def mark_alerted(connection: Connection, breaches: Iterable[int]) -> None:
    """Remember that messages were made of these breaches."""
    connection.execute(update(LimitBreach).where(LimitBreach.id.in_(list(breaches))).values(alerted=True))


def state_changes(connection: Connection, *, since: datetime) -> Sequence[Row[Any]]:
    """Return changes of trading states since a broker time, oldest first."""
    statement = select(TradingStateChange.__table__).where(TradingStateChange.changed_at >= since)
    return connection.execute(statement.order_by(TradingStateChange.changed_at)).all()


def curtailed(connection: Connection, account: str, *, since: date) -> Sequence[Row[Any]]:
    """Return the decisions that reduced or rejected an order, for sessions from `since` on."""
    statement = select(RiskDecision.__table__).where(
        RiskDecision.account == account, RiskDecision.session >= since, RiskDecision.verdict != "approved"
    )
    return connection.execute(statement.order_by(RiskDecision.id)).all()
