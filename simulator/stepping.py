"""What happens at each open and close as the clock passes it."""

from __future__ import annotations

from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING

from simulator.execution import end
from simulator.matching.session import match_close, match_open
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
    match_open(ledger, event)


def _close(ledger: Ledger, event: Event) -> None:
    """Match along the session and at the closing price, then write the day's equity."""
    match_close(ledger, event)
    ledger.record_equity(event.day, event.at)


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
        if order.id not in ledger.open_orders:
            continue
        changed = order.model_copy(update={**_split_terms(order, split), "updated_at": at})
        if changed.qty is not None and changed.qty <= changed.filled_qty:
            end(ledger, order, "canceled", at)
        else:
            ledger.announce("restated", ledger.put_order(changed), at)


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
