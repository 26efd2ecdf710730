"""Order intents: what is written down before anything is sent, and the order it stands for."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from db.repositories import assets
from tasks.resources import flow_run_id
from trading.calendar import session_after, session_of
from trading.entry_order import EntryOrder
from trading.errors import TradingError
from trading.order_admission import Tradability, check_market
from trading.order_terms import OrderTerms, check_client_order_id, order_terms
from trading.orders import OrderState, client_order_id

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from sqlalchemy import Connection, Row

    from trading.broker import Clock

TERMS = tuple(name for name in OrderTerms.model_fields if name not in {"symbol", "side", "quantity"})
"""The columns of an order that its terms fill, beside what every order has."""


def terms_columns(terms: OrderTerms) -> dict[str, Any]:
    """Return the columns of an order's terms; an order by amount has no quantity yet."""
    return terms.model_dump(exclude={"quantity"}) | ({"quantity": terms.quantity} if terms.quantity is not None else {})


def terms_of(row: Row[Any]) -> OrderTerms:
    """Return the terms an intent was written down with.

    Raises
    ------
    OrderTermsError
        They break a rule.
    """
    fields = {name: getattr(row, name) for name in ("symbol", "side", *TERMS)}
    return _checked(**fields, quantity=row.quantity if row.notional is None else None)


@lru_cache(maxsize=4096)
def _checked(**fields: Any) -> OrderTerms:
    """Return an order's terms; the same ones are checked before it is sent and made when it is."""
    return order_terms(**fields)


def intent_of(
    row: Row[Any], *, account: str, clock: Clock, quantity: Decimal | None = None, sequence: int = 0
) -> dict[str, Any]:
    """Return the intent of an approved decision: an entry as its strategy wants it, an exit at the market.

    `quantity` (default: all of it) is the part that this order is for; a decision's later orders have a `sequence`.
    """
    size = row.approved_quantity if quantity is None else quantity
    signed = row.approved_quantity if row.side == "buy" else -row.approved_quantity
    entry = EntryOrder.model_validate(row.definition.get("entry") or {})
    exits = row.current_quantity * signed < 0 and sequence == 0
    if sequence and entry.time_in_force == "opg":  # the opening auction is over when the first order has filled
        entry = entry.model_copy(update={"time_in_force": "day"})
    try:
        terms = (EntryOrder() if exits else entry).terms(
            symbol=row.symbol, side=row.side, quantity=size, price=row.price
        )
        columns = terms_columns(terms)
    except TradingError:  # it is refused, with these words, when it would be sent
        kind = {"type": "market", "time_in_force": "day"}
        empty = dict.fromkeys(name for name in TERMS if name not in {*kind, "extended_hours", "order_class"})
        columns = {"symbol": row.symbol, "side": row.side, "quantity": size, **kind, **empty}
        columns |= {"extended_hours": False, "order_class": "simple"}
    return {
        **columns,
        "account": account,
        "risk_decision_id": row.id,
        "client_order_id": client_order_id(
            account=account,
            strategy=row.strategy,
            version=row.strategy_version,
            bar_ts=row.bar_ts,
            symbol=row.symbol,
            side=row.side,
            sequence=sequence,
        ),
        "sequence": sequence,
        "strategy": row.strategy,
        "strategy_version": row.strategy_version,
        "bar_ts": row.bar_ts,
        "status": OrderState.INTENT,
        "intended_at": clock.now,
        "flow_run_id": flow_run_id(),
    }


def refusals(connection: Connection, rows: Iterable[Row[Any]], *, clock: Clock) -> dict[int, str]:
    """Return, per order that must not be sent, why: its session is over, or a rule of the broker forbids it."""
    rows = list(rows)
    listed = assets.tradability(connection, {row.symbol for row in rows})
    found: dict[int, str] = {}
    for row in rows:
        why = _too_late(row, clock) or _forbidden(row, listed.get(row.symbol), clock)
        if why is not None:
            found[row.id] = why
    return found


def _too_late(row: Row[Any], clock: Clock) -> str | None:
    if row.bar_ts is None:
        return None
    meant_for = session_after(session_of(row.bar_ts))
    return None if meant_for >= clock.session else f"session {meant_for} is over"


def _forbidden(row: Row[Any], asset: Tradability | None, clock: Clock) -> str | None:
    try:
        check_client_order_id(row.client_order_id)
        terms = terms_of(row)
        if asset is not None:  # one our list does not have yet is the broker's to judge
            check_market(terms, asset=asset, clock=clock)
    except TradingError as error:
        return str(error)
    return None
