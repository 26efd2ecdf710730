"""Alpaca's rules for the fields of an order: which may stand together, and which prices are on the grid."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from simulator.errors import UnprocessableError

if TYPE_CHECKING:
    from simulator.order_request import OrderRequest

ONE_DOLLAR = Decimal(1)
CENT = Decimal("0.01")
HUNDRED = Decimal(100)
PRICES = {
    "market": frozenset[str](),
    "limit": frozenset({"limit_price"}),
    "stop": frozenset({"stop_price"}),
    "stop_limit": frozenset({"stop_price", "limit_price"}),
    "trailing_stop": frozenset({"trail_price", "trail_percent"}),
}
"""The price fields that each type of order has; of the trails exactly one."""
AT_ONCE_OR_AUCTION = frozenset({"opg", "cls", "ioc", "fok"})
LASTING = frozenset({"day", "gtc"})


def decimals(amount: Decimal) -> int:
    """Return how many decimals a finite number really needs."""
    exponent = amount.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def check(request: OrderRequest) -> None:
    """Refuse what contradicts itself.

    Raises
    ------
    UnprocessableError
        In the words of the first rule that is broken.
    """
    if request.order_class == "oco" and request.type != "limit":
        raise UnprocessableError("oco orders must be limit orders")
    _check_amount(request)
    _check_prices(request)
    _check_time_in_force(request)
    if request.order_class == "simple":
        if request.take_profit is not None or request.stop_loss is not None:
            raise UnprocessableError("take_profit and stop_loss need an order_class of bracket, oco or oto")
    else:
        _check_class(request)


def check_grid(name: str, price: Decimal | None) -> None:
    """Refuse a price off the grid: cents from a dollar on, hundredths of a cent below (SEC rule 612).

    Raises
    ------
    UnprocessableError
        The price has too many decimals.
    """
    if price is not None and decimals(price) > (2 if price >= ONE_DOLLAR else 4):
        raise UnprocessableError(
            f"invalid {name} {price}. sub-penny increment does not fulfill minimum pricing criteria"
        )


def _check_amount(request: OrderRequest) -> None:
    if (request.qty is None) == (request.notional is None):
        raise UnprocessableError("exactly one of qty or notional is required")
    if request.fractional and request.time_in_force != "day":
        raise UnprocessableError("fractional orders must be DAY orders")
    if request.fractional and request.type == "trailing_stop":
        raise UnprocessableError("fractional orders must not be trailing_stop orders")
    if request.fractional and request.order_class != "simple":
        raise UnprocessableError("fractional orders must be simple orders")
    if request.notional is not None and request.type != "market":
        raise UnprocessableError("notional orders must be market orders")


def _check_prices(request: OrderRequest) -> None:
    wanted = PRICES[request.type]
    for name in ("limit_price", "stop_price", "trail_price", "trail_percent"):
        if name not in wanted and getattr(request, name) is not None:
            raise UnprocessableError(f"{request.type} orders require no {name.replace('_', ' ')}")
    if request.type == "trailing_stop":
        if (request.trail_price is None) == (request.trail_percent is None):
            raise UnprocessableError("trailing_stop orders require exactly one of trail_price and trail_percent")
        if request.trail_percent is not None and request.trail_percent >= HUNDRED:
            raise UnprocessableError("trail_percent must be < 100")
    else:
        for name in sorted(wanted):
            if getattr(request, name) is None:
                raise UnprocessableError(f"{request.type} orders require a {name.replace('_', ' ')}")
    for name in ("limit_price", "stop_price", "take_profit", "stop_loss", "stop_loss_limit"):
        check_grid(name, getattr(request, name))


def _check_time_in_force(request: OrderRequest) -> None:
    if request.extended_hours and (request.type != "limit" or request.time_in_force not in LASTING):
        raise UnprocessableError("extended hours order must be DAY or GTC limit orders")
    if request.time_in_force in AT_ONCE_OR_AUCTION and request.type not in {"market", "limit"}:
        raise UnprocessableError(f"{request.type} orders must be DAY or GTC orders")


def _check_class(request: OrderRequest) -> None:
    kind = request.order_class
    if request.time_in_force not in LASTING:
        raise UnprocessableError(f"{kind} orders must be DAY or GTC orders")
    if request.extended_hours:
        raise UnprocessableError(f"{kind} orders are not eligible for extended hours")
    if kind == "oto":
        if (request.take_profit is None) == (request.stop_loss is None):
            raise UnprocessableError("oto orders require exactly one of take_profit and stop_loss")
    else:
        exits = {"take_profit.limit_price": request.take_profit, "stop_loss.stop_price": request.stop_loss}
        for name, price in exits.items():
            if price is None:
                raise UnprocessableError(f"{kind} orders require {name}")
    if request.type == "trailing_stop":
        raise UnprocessableError(f"{kind} orders must not be trailing_stop orders")


def check_exits(request: OrderRequest, base: Decimal) -> None:
    """Refuse exits on the wrong side: of the entry's price, or with an oco of each other.

    `base` is the entry's limit or stop, or the latest price; an oco has no use for it.

    Raises
    ------
    UnprocessableError
        A take-profit or stop-loss is less than a cent beyond the base price, or the stop-loss's limit is on the
        wrong side of its stop.
    """
    # the exits of a buy are sells: profit above, loss below; an oco is itself the exit
    long = (request.side == "buy") != (request.order_class == "oco")
    profit, loss, limit = request.take_profit, request.stop_loss, request.stop_loss_limit
    if request.order_class == "oco":
        if profit is not None and loss is not None and (profit <= loss if long else profit >= loss):
            raise UnprocessableError(f"take_profit.limit_price must be {'>' if long else '<'} stop_loss.stop_price")
    else:
        above, below = (">= base_price + 0.01", "<= base_price - 0.01")[:: 1 if long else -1]
        if profit is not None and not _beyond(profit, base, up=long):
            raise UnprocessableError(f"take_profit.limit_price must be {above}", base_price=f"{base:f}")
        if loss is not None and not _beyond(loss, base, up=not long):
            raise UnprocessableError(f"stop_loss.stop_price must be {below}", base_price=f"{base:f}")
    if loss is not None and limit is not None and (limit > loss if long else limit < loss):
        raise UnprocessableError(f"stop_loss.limit_price must be {'<=' if long else '>='} stop_loss.stop_price")


def _beyond(price: Decimal, base: Decimal, *, up: bool) -> bool:
    return price >= base + CENT if up else price <= base - CENT
