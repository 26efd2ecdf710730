"""When an order fills and at what price: pure functions of the order and of one session's bar.

The market has one bar a session, so an order meets two prices: the open and the close.

========================  ==================================================================
order                     fills
========================  ==================================================================
market, before the open   at the open price, at the open
market, in the session    at the close price, at the close: the next price that is known
limit, before the open    at the open price if that is as good as the limit, at the open; else
                          at the limit if the session's range reaches it, stamped at the close
limit, in the session     at the close price, at the close, if that is as good as the limit
opg, cls                  like the above at that one auction only
========================  ==================================================================

A session without a bar fills nothing. There is no slippage, no commission and no volume limit.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulator.books import Order
    from simulator.market import Bar

SHARE_STEP = Decimal("0.000000001")
"""Fractions of a share have at most nine decimals."""


def as_good_as_limit(order: Order, price: Decimal) -> bool:
    """Return whether the order takes a price: always for a market order."""
    if order.limit_price is None:
        return True
    return price <= order.limit_price if order.side == "buy" else price >= order.limit_price


def price_at_open(order: Order, open_price: Decimal) -> Decimal | None:
    """Return the price at which an order accepted before the open fills there, or None."""
    if order.time_in_force == "cls" or not as_good_as_limit(order, open_price):
        return None
    return open_price


def price_at_close(order: Order, bar: Bar, *, whole_session: bool) -> Decimal | None:
    """Return the price at which an order that is open at the close fills, or None.

    `whole_session` says that it was accepted before the open, so that the session's range counts.
    """
    if order.time_in_force == "opg":
        return None
    if whole_session and order.limit_price is not None and order.time_in_force != "cls":
        reached, worst = (bar.low, bar.high) if order.side == "buy" else (bar.high, bar.low)
        if not as_good_as_limit(order, reached):
            return None
        # a limit beyond the whole range fills inside it all the same
        return worst if as_good_as_limit(order, worst) else order.limit_price
    return bar.close if as_good_as_limit(order, bar.close) else None


def fill_quantity(order: Order, price: Decimal) -> Decimal:
    """Return the shares a fill is for: those ordered, or what the notional buys, rounded down."""
    if order.qty is not None:
        return order.qty
    notional = order.notional or Decimal(0)
    return (notional / price).quantize(SHARE_STEP, rounding=ROUND_DOWN)
