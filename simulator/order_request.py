"""Reading the body of POST /v2/orders: Alpaca's rules for the fields, before the account is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, cast

from simulator.errors import BadRequestError, UnprocessableError
from simulator.order_rules import check, decimals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulator.books import OrderClass, OrderType, Side, TimeInForce

TYPES = ("market", "limit", "stop", "stop_limit", "trailing_stop")
TIMES_IN_FORCE = ("day", "gtc", "opg", "cls", "ioc", "fok")
CLASSES = ("simple", "bracket", "oco", "oto")
INTENTS = ("buy_to_open", "buy_to_close", "sell_to_open", "sell_to_close")
ABSENT = ("legs", "advanced_instructions")
EXITS = (
    ("take_profit", "limit_price", "take_profit", True),
    ("stop_loss", "stop_price", "stop_loss", True),
    ("stop_loss", "limit_price", "stop_loss_limit", False),
)
"""Object and field of the body, field of the request, and whether the object has to have it."""
LONGEST_ID = 128
MOST_DECIMALS = 9
LARGEST = Decimal(10) ** 12


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRequest:
    """What a client asks for; exactly one of `qty` and `notional` is set.

    `take_profit`, `stop_loss` and `stop_loss_limit` are the prices of the exits sent with an entry or as a pair.
    """

    symbol: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    qty: Decimal | None = None
    notional: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_price: Decimal | None = None
    trail_percent: Decimal | None = None
    extended_hours: bool = False
    client_order_id: str | None = None
    position_intent: str | None = None
    order_class: OrderClass = "simple"
    take_profit: Decimal | None = None
    stop_loss: Decimal | None = None
    stop_loss_limit: Decimal | None = None

    @property
    def fractional(self) -> bool:
        """Whether the order is for less than whole shares, or by amount."""
        return self.qty is None or self.qty != self.qty.to_integral_value()


def read_order(body: object) -> OrderRequest:
    """Return the order that a decoded JSON body asks for.

    Raises
    ------
    BadRequestError
        The body is not a JSON object.
    UnprocessableError
        A field is missing, has the wrong form, or contradicts another.
    """
    if not isinstance(body, dict):
        raise BadRequestError("request body format is invalid")
    symbol = body.get("symbol")
    if not isinstance(symbol, str) or not symbol.strip():
        raise UnprocessableError("symbol is required")
    for name in ABSENT:
        if body.get(name) is not None:
            raise UnprocessableError(f"{name} is not supported by this simulator: single shares only")
    exits = _exits(body)
    request = OrderRequest(
        symbol=symbol.strip().upper(),
        side=cast("Side", _one_of(body, "side", ("buy", "sell"))),
        type=cast("OrderType", _one_of(body, "type", TYPES, default="limit" if _is_oco(body) else None)),
        time_in_force=cast("TimeInForce", _one_of(body, "time_in_force", TIMES_IN_FORCE)),
        qty=amount(body, "qty"),
        notional=amount(body, "notional"),
        # the take-profit of a pair is the order itself
        limit_price=exits["take_profit"] if _is_oco(body) else amount(body, "limit_price"),
        stop_price=amount(body, "stop_price"),
        trail_price=amount(body, "trail_price"),
        trail_percent=amount(body, "trail_percent"),
        extended_hours=body.get("extended_hours") is True,
        client_order_id=read_client_order_id(body),
        position_intent=_one_of(body, "position_intent", INTENTS) if body.get("position_intent") else None,
        order_class=cast("OrderClass", _one_of(body, "order_class", CLASSES, default="simple")),
        **exits,
    )
    check(request)
    return request


def _is_oco(body: Mapping[str, Any]) -> bool:
    return body.get("order_class") == "oco"


def _exits(body: Mapping[str, Any]) -> dict[str, Decimal | None]:
    """Return the prices of take-profit and stop-loss."""
    found: dict[str, Decimal | None] = {"take_profit": None, "stop_loss": None, "stop_loss_limit": None}
    for name, field, place, needed in EXITS:
        leg = body.get(name)
        if leg is None:
            continue
        if not isinstance(leg, dict):
            raise UnprocessableError(f"{name} must be an object")
        found[place] = amount(leg, field, shown=f"{name}.{field}")
        if needed and found[place] is None:
            raise UnprocessableError(f"{name}.{field} is required")
    return found


def _one_of(body: Mapping[str, Any], name: str, allowed: tuple[str, ...], *, default: str | None = None) -> str:
    value = body.get(name)
    value = default if value is None or value == "" else value
    if value is None:
        raise UnprocessableError(f"{name} is required")
    if value not in allowed:
        names = ", ".join(word for word in allowed if word)
        raise UnprocessableError(f"invalid {name} {value!r}: this simulator knows {names}")
    return str(value)


def amount(body: Mapping[str, Any], field: str, *, shown: str | None = None) -> Decimal | None:
    """Return a positive decimal, sent as text or as a number; None when it is absent.

    Raises
    ------
    UnprocessableError
        It is no number, not positive, too large, or has more than nine decimals.
    """
    value, name = body.get(field), shown or field
    if value is None:
        return None
    try:
        # a JSON number reaches here as a float: its shortest text is what the client wrote
        number = Decimal("NaN" if isinstance(value, bool) else str(value).strip())
    except InvalidOperation:
        number = Decimal("NaN")
    if number.is_nan():
        raise UnprocessableError(f"invalid {name} {value!r}: expected a decimal number")
    if not number.is_finite() or not 0 < number < LARGEST:
        raise UnprocessableError(f"{name} must be > 0 and < {LARGEST}, got {value!r}")
    if decimals(number) > MOST_DECIMALS:
        raise UnprocessableError(f"{name} must have at most {MOST_DECIMALS} decimals, got {value!r}")
    return number


def read_client_order_id(body: Mapping[str, Any]) -> str | None:
    """Return the client's own id; None when it sends none.

    Raises
    ------
    UnprocessableError
        It is no text, or longer than 128 characters.
    """
    value = body.get("client_order_id")
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > LONGEST_ID:
        raise UnprocessableError(f"client_order_id must be a text of at most {LONGEST_ID} characters")
    return value
