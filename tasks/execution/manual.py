"""Orders of a person: through the same limits, the same intents and the same single post as a strategy's."""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from db.models.execution import MANUAL
from db.repositories import accounts, orders, risk
from tasks.books import open_books
from tasks.execution import changing
from tasks.execution.intents import terms_columns
from tasks.execution.posting import send
from tasks.panels import decision_bar, load_panel
from tasks.resources import broker, database, locks
from tasks.risk_management.limits import average_volumes, book_of
from trading.errors import TradingError, UnknownNameError
from trading.limits import ProposedOrder, validate
from trading.order_admission import check_market
from trading.orders import OrderState, client_order_id, reduces

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection, Row

    from tasks.broker import Broker
    from trading.broker import BrokerAccount, Clock
    from trading.order_terms import OrderTerms


class OrderRefusedError(TradingError):
    """Raised when a limit or the trading state forbids an order; nothing was sent."""


def place_order(terms: OrderTerms, *, by: str) -> Row[Any]:
    """Check a person's order against the market and every limit, send it once, and return its row.

    Raises
    ------
    OrderTermsError
        The symbol or the hour does not allow it.
    OrderRefusedError
        The trading state or a limit does not.
    """
    gateway = broker()
    with locks().begin() as guard:
        clock = gateway.clock()
        with database().begin() as connection:
            account = open_books(connection, gateway, clock)
        accounts.lock(guard, account.number, "submit")
        held = {position.symbol: position.quantity for position in gateway.positions()}.get(terms.symbol, Decimal(0))
        check_market(terms, asset=gateway.asset(terms.symbol), clock=clock, held=held)
        with database().begin() as connection:
            quantity = _check_limits(connection, gateway, account, terms, clock, held=held)
            row = _intend(connection, account.number, terms, quantity=quantity, clock=clock, by=by)
        send([row], account=account.number, clock=clock, refused={}, left={})
        with database().connect() as connection:
            return orders.by_client_id(connection, [row.client_order_id])[row.client_order_id]


def cancel_order(order: int) -> Row[Any]:
    """Cancel an order by its number in the books, and return it as it is then; one that ended stays as it ended.

    Raises
    ------
    UnknownNameError
        The account has no order of this number.
    """
    gateway = broker()
    clock = gateway.clock()
    with database().begin() as connection:
        row = _row(connection, open_books(connection, gateway, clock).number, order)
    return changing.cancel(gateway, row, clock)


def replace_order(order: int, changes: Mapping[str, Any], *, by: str) -> Row[Any]:
    """Replace an order by one with other terms; return the replacement.

    Raises
    ------
    UnknownNameError
        The account has no order of this number.
    OrderTermsError
        It cannot be replaced, or not so.
    OrderRefusedError
        The trading state or a limit forbids the replacement.
    """
    gateway = broker()
    with locks().begin() as guard:
        clock = gateway.clock()
        with database().begin() as connection:
            account = open_books(connection, gateway, clock)
        accounts.lock(guard, account.number, "submit")
        with database().begin() as connection:
            row = _row(connection, account.number, order)
            terms = changing.replaced_terms(row, changes)
            held = {each.symbol: each.quantity for each in gateway.positions()}.get(row.symbol, Decimal(0))
            check_market(terms, asset=gateway.asset(terms.symbol), clock=clock)
            _check_limits(connection, gateway, account, terms, clock, held=held, replaces=row)
        return changing.replace(gateway, row, terms, clock, by=by)


def list_orders(*, everything: bool) -> Sequence[Row[Any]]:
    """Return the orders of the broker's account: the open ones, or all of them, newest first."""
    gateway = broker()
    with database().begin() as connection:
        account = open_books(connection, gateway, gateway.clock()).number
        found = orders.of_account(connection, account) if everything else orders.open_orders(connection, account)
    return sorted(found, key=lambda row: row.id, reverse=True)


def _row(connection: Connection, account: str, order: int) -> Row[Any]:
    row = orders.one(connection, account, order)
    if row is None:
        known = [str(each.id) for each in orders.open_orders(connection, account)]
        raise UnknownNameError("order", str(order), known)
    return row


def _check_limits(
    connection: Connection,
    gateway: Broker,
    account: BrokerAccount,
    terms: OrderTerms,
    clock: Clock,
    *,
    held: Decimal,
    replaces: Row[Any] | None = None,
) -> Decimal:
    """Refuse an order that the trading state or a limit does not let pass whole; return its shares.

    Raises
    ------
    OrderRefusedError
        One line with every limit that refuses it.
    """
    bar = decision_bar("1Day", clock.now)
    price = _price(connection, gateway, terms, bar)
    quantity = terms.quantity if terms.quantity is not None else (terms.notional or Decimal(0)) / price
    state = risk.trading_state(connection, account.number)
    if state != "ACTIVE" and not reduces(terms.side, quantity, held):
        words = f"trading is {state}: only orders that reduce a position pass (held: {held.normalize():f})"
        raise OrderRefusedError(f"{words}; `trading resume` lets others pass again")
    if replaces is not None and quantity <= replaces.quantity and replaces.limit_price == terms.limit_price:
        return quantity
    proposed = ProposedOrder(
        key=terms.symbol,
        strategy=MANUAL,
        symbol=terms.symbol,
        side=terms.side,
        quantity=float(quantity if replaces is None else quantity - replaces.filled_quantity),
        price=float(price),
        average_volume=average_volumes(connection, [terms.symbol], bar).get(terms.symbol),
    )
    book = book_of(connection, gateway, account, {terms.symbol: float(price)})
    if replaces is not None:
        waiting = {**book.pending, terms.symbol: book.pending.get(terms.symbol, 0.0) - float(_signed(replaces))}
        book = dataclasses.replace(book, pending=waiting)
    (decision,) = validate([proposed], book, risk.limits(connection), state)
    if decision.verdict != "approved":
        why = "; ".join(check.sentence for check in decision.checks if check.outcome != "pass")
        raise OrderRefusedError(f"{terms.words()}: {why}")
    return quantity


def _signed(row: Row[Any]) -> Decimal:
    left: Decimal = row.quantity - row.filled_quantity
    return left if row.side == "buy" else -left


def _price(connection: Connection, gateway: Broker, terms: OrderTerms, bar: Any) -> Decimal:
    """Return the price (USD) an order is judged by: its own, the broker's for a position, or the last close."""
    if terms.price is not None:
        return terms.price
    for position in gateway.positions():
        if position.symbol == terms.symbol:
            return position.market_price
    panel = load_panel(connection, [terms.symbol], timeframe="1Day", bars=1, until=bar)
    closes = [value for value in panel.close[:, 0].tolist() if value == value] if len(panel) else []  # noqa: PLR0124
    if not closes:
        raise OrderRefusedError(f"no price of {terms.symbol} is known; give a limit, or fetch its bars first")
    return Decimal(str(round(closes[-1], 6)))


def _intend(
    connection: Connection, account: str, terms: OrderTerms, *, quantity: Decimal, clock: Clock, by: str
) -> Row[Any]:
    identity = client_order_id(
        account=account,
        strategy=MANUAL,
        version=uuid4().hex,  # a person who asks twice wants two
        bar_ts=clock.now,
        symbol=terms.symbol,
        side=terms.side,
    )
    intent = {
        **terms_columns(terms),
        "quantity": quantity.quantize(Decimal("1e-9")),
        "account": account,
        "client_order_id": identity,
        "strategy": MANUAL,
        "placed_by": by,
        "status": OrderState.INTENT,
        "intended_at": clock.now,
    }
    orders.intend(connection, [intent])
    return orders.by_client_id(connection, [identity])[identity]
