"""Orders acting on prices: triggers, fills, ends, and what each of these does to the orders sent together."""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal
from typing import TYPE_CHECKING, Any, Literal

from simulator.faults.models import PartialFill
from simulator.matching.prices import SHARE_STEP, as_good_as_limit, beyond_stop, trailed, wanted

if TYPE_CHECKING:
    from datetime import date, datetime

    from simulator.books import Order
    from simulator.ledger import Ledger

WHOLE = Decimal(1)
End = Literal["canceled", "expired", "rejected"]
STAMPS = {"canceled": "canceled_at", "expired": "expired_at", "rejected": "failed_at"}


def act(ledger: Ledger, order: Order, price: Decimal, *, day: date, at: datetime) -> bool:
    """Let an active order meet a price of a session; return whether anything happened.

    A stop that the price reaches becomes a market or limit order and meets the price at once.
    """
    acted = False
    if order.works_as == "stop":
        if not beyond_stop(order, price):
            return False
        order, acted = _trigger(ledger, order, at), True
    if order.works_as == "limit" and not as_good_as_limit(order, price):
        return acted
    return _fill(ledger, order, price, day=day, at=at) or acted


def trail(ledger: Ledger, order: Order, price: Decimal, at: datetime) -> None:
    """Let a trailing stop follow the market to a price."""
    best = trailed(order, price)
    if best != order.hwm:
        ledger.put_order(order.model_copy(update={"hwm": best, "updated_at": at}))


def end(ledger: Ledger, order: Order, how: End, at: datetime) -> Order:
    """End an order, and with it those that were sent together with it and depend on it."""
    ended = ledger.put_order(order.model_copy(update={"status": how, STAMPS[how]: at, "updated_at": at}))
    ledger.announce(how, ended, at)
    for other in _dependent(ledger, ended):
        how_other: End = "canceled" if how == "rejected" else how
        end(ledger, other, how_other, at)
    return ended


def late_fill(ledger: Ledger, order: Order, price: Decimal, *, fraction: Decimal, at: datetime) -> None:
    """Fill an order that was cancelled already, without regard to volume; a part of it leaves it cancelled."""
    left = wanted(order, price)
    quantity = _part(order, left, fraction) or left
    if quantity > 0:
        _book(ledger, order, quantity, leaves=left - quantity, price=price, at=at)


def _trigger(ledger: Ledger, order: Order, at: datetime) -> Order:
    """Make a stop a market or limit order; the take-profit beside it goes, because it holds the shares."""
    fields: dict[str, Any] = {"triggered": True, "updated_at": at}
    if order.status == "held":
        fields["status"] = "new"
    changed = ledger.put_order(order.model_copy(update=fields))
    if order.status == "held":
        ledger.announce("new", changed, at)
    for other in siblings(ledger, order):
        # its own end would take this order with it
        gone = {"status": "canceled", "canceled_at": at, "updated_at": at}
        ledger.announce("canceled", ledger.put_order(other.model_copy(update=gone)), at)
    return changed


def _fill(ledger: Ledger, order: Order, price: Decimal, *, day: date, at: datetime) -> bool:
    left = wanted(order, price)
    bar = ledger.market.session_bar(order.symbol, day)
    volume = 0 if bar is None else bar.volume
    room = None
    if ledger.frictions.participation is not None:
        room = ledger.frictions.room(volume=volume, taken=ledger.traded(order.symbol, day))
    quantity = left if room is None else min(left, room)
    if order.time_in_force == "fok" and quantity < left:
        return False
    fault = ledger.faults.first(PartialFill, lambda fault: fault.hits(order)) if quantity > 0 else None
    if fault is not None and order.time_in_force != "fok":
        quantity = min(quantity, _part(order, left, Decimal(str(fault.fraction))) or quantity)
    if quantity <= 0:
        return False
    price = ledger.frictions.price(order, price, quantity=quantity, volume=volume)
    if order.notional is not None:
        left = wanted(order, price)
        quantity = min(quantity, left)
    _book(ledger, order, quantity, leaves=left - quantity, price=price, at=at)
    return True


def _part(order: Order, left: Decimal, fraction: Decimal) -> Decimal:
    """Return a part of what is left to fill, in whole shares when the order is; zero when that is none."""
    whole = order.qty is not None and order.qty == order.qty.to_integral_value()
    return (left * fraction).quantize(WHOLE if whole else SHARE_STEP, rounding=ROUND_DOWN)


def _book(ledger: Ledger, order: Order, quantity: Decimal, *, leaves: Decimal, price: Decimal, at: datetime) -> None:
    filled = ledger.fill(order, qty=quantity, price=price, leaves=leaves, at=at)
    fee = ledger.frictions.fee(quantity=quantity, price=price)
    if fee:
        ledger.change_account(cash=ledger.account.cash - fee)
        ledger.record("FEE", at=at, symbol=order.symbol, qty=quantity, net_amount=-fee, order_id=order.id)
    if filled.role == "entry":
        if filled.status == "filled":
            _activate(ledger, filled, at)
        return
    for other in siblings(ledger, filled):
        if filled.status == "filled":
            end(ledger, other, "canceled", at)
        elif other.qty is not None:
            smaller = {"qty": other.qty - quantity, "updated_at": at}
            ledger.announce("restated", ledger.put_order(other.model_copy(update=smaller)), at)


def _activate(ledger: Ledger, entry: Order, at: datetime) -> None:
    """Make the exits of a filled entry work: beside a take-profit the stop-loss stays held, as at Alpaca."""
    legs = _exits(ledger, entry)
    for leg in legs:
        fields: dict[str, Any] = {"active_at": at, "updated_at": at}
        held = leg.role == "stop_loss" and len(legs) > 1
        changed = ledger.put_order(leg.model_copy(update=fields if held else {**fields, "status": "new"}))
        if not held:
            ledger.announce("new", changed, at)


def _exits(ledger: Ledger, order: Order) -> list[Order]:
    """Return the open exits of an order's group."""
    group = [] if order.group_id is None else ledger.group(order.group_id)
    return [other for other in group if other.role != "entry"]


def siblings(ledger: Ledger, order: Order) -> list[Order]:
    """Return the open orders of which only one may fill, besides the given exit."""
    return [] if order.role == "entry" else [other for other in _exits(ledger, order) if other.id != order.id]


def _dependent(ledger: Ledger, ended: Order) -> list[Order]:
    """Return the open orders that end with one: the legs of an entry, the other exit of an exit."""
    if ended.role == "entry":
        return _exits(ledger, ended)
    return siblings(ledger, ended)
