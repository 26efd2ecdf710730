"""What happens at each open and close as the clock passes it."""

from __future__ import annotations

from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING

from simulator.books import ZERO
from simulator.matching import fill_quantity, price_at_close, price_at_open
from trading.adjustment import CashDividend, Split

if TYPE_CHECKING:
    from datetime import datetime

    from simulator.books import Order
    from simulator.ledger import Ledger
    from simulator.sessions import Event

CENT = Decimal("0.01")


def happen(ledger: Ledger, event: Event) -> None:
    """Carry out one event and move the clock to it, in one transaction."""
    with ledger.transaction():
        if event.kind == "open":
            _open(ledger, event)
        else:
            _close(ledger, event)
        ledger.change_account(clock=event.at)


def _open(ledger: Ledger, event: Event) -> None:
    """Apply corporate actions, then match at the opening prices."""
    _start_session(ledger, event.at)
    for symbol in sorted({*ledger.positions, *(order.symbol for order in ledger.open_orders.values())}):
        for action in ledger.market.actions_on(symbol, event.day):
            if isinstance(action, Split):
                _split(ledger, action, event.at)
            else:
                _pay(ledger, action, event.at)
    for order in list(ledger.open_orders.values()):
        bar = ledger.market.session_bar(order.symbol, event.day)
        price = None if bar is None else price_at_open(order, bar.open)
        if price is not None:
            ledger.fill(order, qty=fill_quantity(order, price), price=price, at=event.at)
        elif order.time_in_force == "opg":
            _expire(ledger, order, event.at)
        elif order.status == "accepted":
            ledger.put_order(order.model_copy(update={"status": "new", "updated_at": event.at}))


def _close(ledger: Ledger, event: Event) -> None:
    """Match at the closing prices, then expire, then write the day's equity."""
    opened = ledger.market.sessions.open_of(event.day)
    for order in list(ledger.open_orders.values()):
        bar = ledger.market.session_bar(order.symbol, event.day)
        whole = order.submitted_at < opened
        price = None if bar is None else price_at_close(order, bar, whole_session=whole)
        if price is not None:
            ledger.fill(order, qty=fill_quantity(order, price), price=price, at=event.at)
        elif order.time_in_force != "gtc" or order.expires_at <= event.at:
            _expire(ledger, order, event.at)
    ledger.record_equity(event.day, event.at)


def _expire(ledger: Ledger, order: Order, at: datetime) -> None:
    ledger.put_order(order.model_copy(update={"status": "expired", "expired_at": at, "updated_at": at}))


def _start_session(ledger: Ledger, at: datetime) -> None:
    """Take the last close as the basis of the session's gain."""
    yesterday = ledger.market.sessions.close_of(ledger.market.sessions.last_closed(at))
    for symbol, position in list(ledger.positions.items()):
        worth = position.qty * ledger.price(symbol, yesterday)
        ledger.put_position(symbol, position.model_copy(update={"session_cost": worth}))


def _split(ledger: Ledger, split: Split, at: datetime) -> None:
    """Multiply shares and divide prices, of the position and of every open order."""
    position = ledger.positions.get(split.symbol)
    if position is not None:
        held = position.qty * split.ratio
        ledger.put_position(split.symbol, position.model_copy(update={"qty": held}))
        ledger.record("SPLIT", at=at, symbol=split.symbol, qty=held - position.qty)
    for order in ledger.orders_in(split.symbol):
        changed = order.model_copy(update={**_split_terms(order, split), "updated_at": at})
        if changed.qty == ZERO:
            ledger.put_order(changed.model_copy(update={"qty": order.qty, "status": "canceled", "canceled_at": at}))
        else:
            ledger.put_order(changed)


def _split_terms(order: Order, split: Split) -> dict[str, Decimal | None]:
    """Return quantity and limit in new shares: whole orders stay whole, limits stay on the cent grid."""
    qty, limit = order.qty, order.limit_price
    if qty is not None:
        whole = qty == qty.to_integral_value()
        qty *= split.ratio
        qty = qty.to_integral_value(rounding=ROUND_FLOOR) if whole else qty
    if limit is not None:
        limit = (limit / split.ratio).quantize(CENT, rounding=ROUND_HALF_EVEN)
    return {"qty": qty, "limit_price": limit}


def _pay(ledger: Ledger, dividend: CashDividend, at: datetime) -> None:
    """Credit holders, debit the short: Alpaca does on the payable date, which the data do not have."""
    position = ledger.positions.get(dividend.symbol)
    if position is None:
        return
    amount = position.qty * dividend.rate
    ledger.change_account(cash=ledger.account.cash + amount)
    fields = {"per_share": dividend.rate, "net_amount": amount}
    ledger.record("DIV", at=at, symbol=dividend.symbol, qty=position.qty, **fields)
