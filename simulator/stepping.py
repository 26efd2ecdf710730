"""What happens at each open and close as the clock passes it."""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING

from simulator.execution import end
from simulator.matching.session import match_close, match_open
from trading.adjustment import CashDividend, Split

if TYPE_CHECKING:
    from datetime import datetime

    from simulator.books import Order, Position
    from simulator.ledger import Ledger
    from simulator.sessions import Event

CENT = Decimal("0.01")
BORROW_YEAR = 360
"""Days of a year for the cost of borrowed shares."""


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
    match_open(ledger, event)


def _close(ledger: Ledger, event: Event) -> None:
    """Match along the session and at the closing price, then write the day's equity."""
    match_close(ledger, event)
    _charge_borrowed(ledger, event.at)
    ledger.record_equity(event.day, event.at)


def _charge_borrowed(ledger: Ledger, at: datetime) -> None:
    """Charge a day of the yearly rate on what shorted shares are worth, by the market's convention of 360 days."""
    daily = Decimal(str(ledger.frictions.borrow)) / BORROW_YEAR
    for position in list(ledger.positions.values()) if daily else []:
        fee = (-position.qty * ledger.price(position.symbol, at) * daily).quantize(CENT, rounding=ROUND_HALF_EVEN)
        if fee > 0:
            ledger.change_account(cash=ledger.account.cash - fee)
            ledger.record("FEE", at=at, symbol=position.symbol, qty=-position.qty, net_amount=-fee)


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
        after = position.model_copy(update={"qty": held})
        ledger.put_position(split.symbol, after)
        ledger.record("SPLIT", at=at, symbol=split.symbol, qty=held - position.qty)
        if position.qty == position.qty.to_integral_value():
            _pay_fraction(ledger, after, at)
    for order in ledger.orders_in(split.symbol):
        if order.id not in ledger.open_orders:
            continue
        changed = order.model_copy(update={**_split_terms(order, split), "updated_at": at})
        if changed.qty is not None and changed.qty <= changed.filled_qty:
            end(ledger, order, "canceled", at)
        else:
            ledger.announce("restated", ledger.put_order(changed), at)


def _pay_fraction(ledger: Ledger, position: Position, at: datetime) -> None:
    """Take the fraction that a split leaves of whole shares for cash, at the price of the session's open."""
    whole = position.qty.to_integral_value(rounding=ROUND_DOWN)
    fraction = position.qty - whole
    if not fraction:
        return
    amount = (fraction * ledger.price(position.symbol, at)).quantize(CENT, rounding=ROUND_HALF_EVEN)
    kept = whole / position.qty
    shares = {"qty": whole, "cost": position.cost * kept, "session_cost": position.session_cost * kept}
    ledger.put_position(position.symbol, position.model_copy(update=shares) if whole else None)
    ledger.change_account(cash=ledger.account.cash + amount)
    ledger.record("CIL", at=at, symbol=position.symbol, qty=-fraction, net_amount=amount)


def _split_terms(order: Order, split: Split) -> dict[str, Decimal | None]:
    """Return quantity and prices in new shares: whole orders stay whole, prices stay on the cent grid.

    What was filled before the split stays as it was booked; only the rest is of new shares.
    """
    qty = order.qty
    if qty is not None:
        whole = qty == qty.to_integral_value()
        left = (qty - order.filled_qty) * split.ratio
        qty = order.filled_qty + (left.to_integral_value(rounding=ROUND_FLOOR) if whole else left)
    prices = {name: getattr(order, name) for name in ("limit_price", "stop_price", "trail_price", "hwm")}
    changed = {name: None if price is None else _per_new_share(price, split) for name, price in prices.items()}
    return {"qty": qty, **changed}


def _per_new_share(price: Decimal, split: Split) -> Decimal:
    return max((price / split.ratio).quantize(CENT, rounding=ROUND_HALF_EVEN), CENT)


def _pay(ledger: Ledger, dividend: CashDividend, at: datetime) -> None:
    """Credit holders, debit the short: Alpaca does on the payable date, which the data do not have."""
    position = ledger.positions.get(dividend.symbol)
    if position is None:
        return
    amount = position.qty * dividend.rate
    ledger.change_account(cash=ledger.account.cash + amount)
    fields = {"per_share": dividend.rate, "net_amount": amount}
    ledger.record("DIV", at=at, symbol=dividend.symbol, qty=position.qty, **fields)
