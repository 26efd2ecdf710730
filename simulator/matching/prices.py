"""Where an order acts on a price that moves: pure functions of the order and of prices."""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulator.books import Order
    from simulator.market import Bar

SHARE_STEP = Decimal("0.000000001")
"""Fractions of a share have at most nine decimals."""


def session_path(bar: Bar) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    """Return the turning points of a session: open, the nearer extreme, the other one, close."""
    if bar.high - bar.open <= bar.open - bar.low:
        return bar.open, bar.high, bar.low, bar.close
    return bar.open, bar.low, bar.high, bar.close


def as_good_as_limit(order: Order, price: Decimal) -> bool:
    """Return whether the order takes a price: always when it has no limit."""
    if order.limit_price is None:
        return True
    return price <= order.limit_price if order.side == "buy" else price >= order.limit_price


def beyond_stop(order: Order, price: Decimal) -> bool:
    """Return whether a price triggers the order: never when it has no stop."""
    if order.stop is None:
        return False
    return price >= order.stop if order.side == "buy" else price <= order.stop


def touch(order: Order, start: Decimal, end: Decimal) -> Decimal | None:
    """Return the first price on the way from `start` to `end`, both included, at which the order fills or triggers."""
    kind = order.works_as
    if kind == "market":
        return start
    acts = beyond_stop if kind == "stop" else as_good_as_limit
    if acts(order, start):
        return start
    return (order.stop if kind == "stop" else order.limit_price) if acts(order, end) else None


def trailed(order: Order, price: Decimal) -> Decimal | None:
    """Return the best price a trailing stop has seen once the market is at `price`; None for other orders."""
    if order.type != "trailing_stop" or order.triggered:
        return order.hwm
    if order.hwm is None:
        return price
    return min(order.hwm, price) if order.side == "buy" else max(order.hwm, price)


def wanted(order: Order, price: Decimal) -> Decimal:
    """Return the shares still to fill: those ordered, or what is left of the notional buys, rounded down."""
    if order.qty is not None:
        return order.qty - order.filled_qty
    left = (order.notional or Decimal(0)) - order.filled_value
    return (left / price).quantize(SHARE_STEP, rounding=ROUND_DOWN)
