"""Whether the account may place an order: shares, buying power, wash trades, auction cut-offs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from simulator.books import ZERO
from simulator.errors import ForbiddenError, UnprocessableError
from simulator.margin import opening_cost
from simulator.matching.prices import wanted
from simulator.order_rules import check_exits
from simulator.sessions import NEW_YORK, exchange_day

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from simulator.books import Order
    from simulator.ledger import Ledger
    from simulator.order_request import OrderRequest

CENT = Decimal("0.01")
OPG_LEAD = timedelta(minutes=2)
CLS_LEAD = timedelta(minutes=10)
AUCTIONS_REOPEN = time(19, 0)


@dataclass(frozen=True, slots=True)
class Admission:
    """What an accepted order means for the account."""

    position_intent: str
    reserved: Decimal


def admit(ledger: Ledger, request: OrderRequest, now: datetime, *, instead_of: Order | None = None) -> Admission:
    """Return what the order means for the account, or raise Alpaca's refusal; `instead_of` is what it replaces.

    Raises
    ------
    UnprocessableError
        The symbol is unknown, has no price yet, or the auction takes no more orders.
    ForbiddenError
        Shares or buying power do not suffice, an order of the other side is open, or the account's own
        configuration forbids it.
    """
    if not ledger.market.is_listed(request.symbol, now):
        raise UnprocessableError(f'asset "{request.symbol}" not found')
    settings = ledger.configuration
    if settings.suspend_trade:
        raise ForbiddenError("new orders are rejected by user request")
    if request.fractional and not settings.fractional_trading:
        raise ForbiddenError("fractional trading is not enabled for this account")
    _check_auction(ledger, request, now)
    _check_wash_trade(ledger, request, instead_of)
    position = ledger.positions.get(request.symbol)
    held = position.qty if position else ZERO
    qty = _shares(ledger, request, now)
    closing = held * (1 if request.side == "sell" else -1) > 0
    _check_class(ledger, request, now, closing=closing)
    if closing:
        _check_shares(ledger, request, instead_of, qty=qty, held=abs(held))
        return Admission(_intent(request, closing=True), ZERO)
    if request.side == "sell" and request.fractional:
        raise UnprocessableError("fractional orders cannot be sold short")
    if request.side == "sell" and not settings.shorting:
        raise ForbiddenError("account is not allowed to short")
    cost = _cost(ledger, request, qty=qty, now=now)
    power = ledger.valuation(now).buying_power + (instead_of.reserved if instead_of else ZERO)
    if cost > power:
        details = {"buying_power": str(power.quantize(CENT)), "cost_basis": str(cost.quantize(CENT))}
        raise ForbiddenError("insufficient buying power", **details)
    return Admission(_intent(request, closing=False), cost)


def _intent(request: OrderRequest, *, closing: bool) -> str:
    actual = f"{request.side}_to_{'close' if closing else 'open'}"
    if request.position_intent is not None and request.position_intent != actual:
        raise UnprocessableError(f"position intent mismatch, inferred: {actual}, specified: {request.position_intent}")
    return actual


def _check_auction(ledger: Ledger, request: OrderRequest, now: datetime) -> None:
    sessions, today = ledger.market.sessions, exchange_day(now)
    if today not in sessions or request.time_in_force not in {"opg", "cls"}:
        return
    if request.time_in_force == "opg":
        cutoff = sessions.open_of(today) - OPG_LEAD
    else:
        cutoff = sessions.close_of(today) - CLS_LEAD
    if now >= cutoff and now.astimezone(NEW_YORK).time() < AUCTIONS_REOPEN:
        shown = f"{cutoff.astimezone(NEW_YORK):%H:%M}"
        raise UnprocessableError(f"{request.time_in_force} orders are refused from {shown} to 19:00 New York")


def _check_wash_trade(ledger: Ledger, request: OrderRequest, instead_of: Order | None) -> None:
    """Refuse what could trade with the account's own orders; brackets and pairs are exempt, as Alpaca advises."""
    group = instead_of.group_id if instead_of else None
    if request.order_class != "simple" or group is not None:
        return
    for order in ledger.orders_on(request.symbol, "sell" if request.side == "buy" else "buy"):
        if order.is_active and order.status != "held" and _may_cross(order, request):
            kind = "limit" if order.works_as == "limit" else "market/stop"
            raise ForbiddenError(
                "potential wash trade detected. use complex orders",
                reject_reason=f"opposite side {kind} order exists",
                existing_order_id=order.id,
            )


def _may_cross(order: Order, request: OrderRequest) -> bool:
    """Return whether two orders could fill each other: two limits only where they overlap."""
    if order.type != "limit" or request.type != "limit" or order.limit_price is None or request.limit_price is None:
        return True
    buy, sell = (order, request) if order.side == "buy" else (request, order)
    return (buy.limit_price or ZERO) >= (sell.limit_price or ZERO)


def _check_class(ledger: Ledger, request: OrderRequest, now: datetime, *, closing: bool) -> None:
    if request.order_class == "simple":
        return
    if closing != (request.order_class == "oco"):
        needed = "exit" if request.order_class == "oco" else "entry"
        raise UnprocessableError(f"{request.order_class} orders must be {needed} orders")
    base = request.limit_price or request.stop_price or _last(ledger, request, now)
    check_exits(request, base)


def _shares(ledger: Ledger, request: OrderRequest, now: datetime) -> Decimal:
    """Return the shares asked for, a notional taken at the last price."""
    if request.qty is not None:
        return request.qty
    return (request.notional or ZERO) / _last(ledger, request, now)


def _last(ledger: Ledger, request: OrderRequest, now: datetime) -> Decimal:
    mark = ledger.market.mark(request.symbol, now)
    if mark is None:
        raise UnprocessableError(f"{request.symbol} has no price yet: use a limit order by quantity")
    return mark.price


def _cost(ledger: Ledger, request: OrderRequest, *, qty: Decimal, now: datetime) -> Decimal:
    if request.notional is not None:
        return request.notional
    unpriced = request.limit_price is not None and ledger.market.mark(request.symbol, now) is None
    last = request.limit_price if unpriced and request.limit_price else _last(ledger, request, now)
    if request.stop_price is not None and request.side == "buy":
        # a buy stop fills where the price has risen to
        last = max(last, request.stop_price)
    return opening_cost(qty=qty, last=last, limit=request.limit_price, short=request.side == "sell")


def held_for_orders(orders: Collection[Order], price: Decimal) -> Decimal:
    """Return the shares that open orders, all of one side, already claim; notionals at a price.

    Exits claim nothing before their entry is filled, and the pair of them claims its shares once.
    """
    mine = [order for order in orders if order.is_active and order.status != "held"]
    return sum((wanted(order, price) for order in mine), start=ZERO)


def _check_shares(
    ledger: Ledger, request: OrderRequest, instead_of: Order | None, *, qty: Decimal, held: Decimal
) -> None:
    price = ledger.price(request.symbol, ledger.account.clock)
    claims = ledger.orders_on(request.symbol, request.side)
    if instead_of is not None:
        # an exit that is replaced shares its hold on the shares with the other exit
        gone = instead_of.group_id or instead_of.id
        claims = [order for order in claims if gone not in {order.id, order.group_id}]
    claimed = held_for_orders(claims, price)
    available = max(held - claimed, ZERO)
    if qty > available:
        raise ForbiddenError(
            f"insufficient qty available for order (requested: {qty:f}, available: {available:f})",
            symbol=request.symbol,
            existing_qty=f"{held:f}",
            held_for_orders=f"{claimed:f}",
            available=f"{available:f}",
        )
