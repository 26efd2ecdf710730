"""Reading the body of PATCH /v2/orders/{id}: what may change of an open order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from simulator.errors import BadRequestError, UnprocessableError
from simulator.order_request import OrderRequest, amount, read_client_order_id
from simulator.order_rules import check

if TYPE_CHECKING:
    from decimal import Decimal

    from simulator.books import Order, TimeInForce

NOT_AT_THE_EXCHANGE = frozenset({"accepted", "pending_cancel"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """The new terms; None is as before."""

    qty: Decimal | None = None
    time_in_force: TimeInForce | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail: Decimal | None = None
    client_order_id: str | None = None

    def applied(self, order: Order) -> OrderRequest:
        """Return the order that results, as a request of its own.

        Raises
        ------
        UnprocessableError
            The order cannot be replaced, or the result breaks a rule.
        """
        _check_replaceable(order)
        if self.qty is not None and (self.qty != self.qty.to_integral_value() or order.order_class != "simple"):
            raise UnprocessableError("only the qty of simple orders can be replaced, by whole shares")
        if self.trail is not None and order.type != "trailing_stop":
            raise UnprocessableError("trail works only for trailing_stop orders")
        by_price = order.trail_price is not None
        request = OrderRequest(
            symbol=order.symbol,
            side=order.side,
            type=order.type,
            time_in_force=self.time_in_force or order.time_in_force,
            qty=self.qty or order.qty,
            limit_price=self.limit_price or order.limit_price,
            stop_price=self.stop_price or order.stop_price,
            trail_price=(self.trail or order.trail_price) if by_price else None,
            trail_percent=None if by_price else (self.trail or order.trail_percent),
            extended_hours=order.extended_hours,
        )
        check(request)
        if self.terms(request) == {name: getattr(order, name) for name in self.terms(request)}:
            raise UnprocessableError("order parameters are not changed")
        return request

    @staticmethod
    def terms(request: OrderRequest) -> dict[str, Any]:
        """Return the fields of an order that a replacement may change."""
        names = ("qty", "time_in_force", "limit_price", "stop_price", "trail_price", "trail_percent")
        return {name: getattr(request, name) for name in names}


def _check_replaceable(order: Order) -> None:
    if not order.is_open:
        raise UnprocessableError(f'order is already in "{order.status}" state')
    if order.status in NOT_AT_THE_EXCHANGE:
        raise UnprocessableError(f"unable to replace order, it is {order.status}: not at the exchange")
    if order.notional is not None:
        raise UnprocessableError("notional orders cannot be replaced")
    if order.qty is not None and order.qty != order.qty.to_integral_value():
        raise UnprocessableError("fractional orders cannot be replaced")


def read_replacement(body: object) -> Replacement:
    """Return the changes that a decoded JSON body asks for.

    Raises
    ------
    BadRequestError
        The body is not a JSON object.
    UnprocessableError
        A field has the wrong form.
    """
    if not isinstance(body, dict):
        raise BadRequestError("request body format is invalid")
    if body.get("notional") is not None or body.get("advanced_instructions") is not None:
        raise UnprocessableError("notional and advanced_instructions cannot be replaced")
    lasting = body.get("time_in_force")
    if lasting is not None and lasting not in {"day", "gtc", "opg", "cls", "ioc", "fok"}:
        raise UnprocessableError(f"invalid time_in_force {lasting!r}")
    return Replacement(
        qty=amount(body, "qty"),
        time_in_force=cast("TimeInForce | None", lasting),
        limit_price=amount(body, "limit_price"),
        stop_price=amount(body, "stop_price"),
        trail=amount(body, "trail"),
        client_order_id=read_client_order_id(body),
    )
