"""Reading the body of POST /v2/orders: Alpaca's rules for the fields, before the account is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, cast

from simulator.errors import BadRequestError, UnprocessableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulator.books import OrderType, Side, TimeInForce

TYPES = ("market", "limit")
TIMES_IN_FORCE = ("day", "gtc", "opg", "cls")
CLASSES = ("", "simple")
INTENTS = ("buy_to_open", "buy_to_close", "sell_to_open", "sell_to_close")
LATER = (
    "stop_price",
    "trail_price",
    "trail_percent",
    "take_profit",
    "stop_loss",
    "legs",
    "advanced_instructions",
)
LONGEST_ID = 128
MOST_DECIMALS = 9
LARGEST = Decimal(10) ** 12
ONE_DOLLAR = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRequest:
    """What a client asks for; exactly one of `qty` and `notional` is set."""

    symbol: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    qty: Decimal | None = None
    notional: Decimal | None = None
    limit_price: Decimal | None = None
    extended_hours: bool = False
    client_order_id: str | None = None
    position_intent: str | None = None

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
    for name in LATER:
        if body.get(name) is not None:
            raise UnprocessableError(f"{name} is not supported by this simulator: market and limit orders only")
    _one_of(body, "order_class", CLASSES, default="simple")
    request = OrderRequest(
        symbol=symbol.strip().upper(),
        side=cast("Side", _one_of(body, "side", ("buy", "sell"))),
        type=cast("OrderType", _one_of(body, "type", TYPES)),
        time_in_force=cast("TimeInForce", _one_of(body, "time_in_force", TIMES_IN_FORCE)),
        qty=_amount(body, "qty"),
        notional=_amount(body, "notional"),
        limit_price=_amount(body, "limit_price"),
        extended_hours=body.get("extended_hours") is True,
        client_order_id=_client_order_id(body),
        position_intent=_one_of(body, "position_intent", INTENTS) if body.get("position_intent") else None,
    )
    _check_amount(request)
    _check_limit(request)
    return request


def _one_of(body: Mapping[str, Any], name: str, allowed: tuple[str, ...], *, default: str | None = None) -> str:
    value = body.get(name, default)
    if value is None:
        raise UnprocessableError(f"{name} is required")
    if value not in allowed:
        names = ", ".join(word for word in allowed if word)
        raise UnprocessableError(f"invalid {name} {value!r}: this simulator knows {names}")
    return str(value)


def _amount(body: Mapping[str, Any], name: str) -> Decimal | None:
    """Return a positive decimal, sent as text or as a number."""
    value = body.get(name)
    if value is None:
        return None
    try:
        # a JSON number reaches here as a float: its shortest text is what the client wrote
        amount = Decimal("NaN" if isinstance(value, bool) else str(value).strip())
    except InvalidOperation:
        amount = Decimal("NaN")
    if amount.is_nan():
        raise UnprocessableError(f"invalid {name} {value!r}: expected a decimal number")
    if not amount.is_finite() or not 0 < amount < LARGEST:
        raise UnprocessableError(f"{name} must be > 0 and < {LARGEST}, got {value!r}")
    if decimals(amount) > MOST_DECIMALS:
        raise UnprocessableError(f"{name} must have at most {MOST_DECIMALS} decimals, got {value!r}")
    return amount


def decimals(amount: Decimal) -> int:
    """Return how many decimals a finite number really needs."""
    exponent = amount.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _client_order_id(body: Mapping[str, Any]) -> str | None:
    value = body.get("client_order_id")
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > LONGEST_ID:
        raise UnprocessableError(f"client_order_id must be a text of at most {LONGEST_ID} characters")
    return value


def _check_amount(request: OrderRequest) -> None:
    if (request.qty is None) == (request.notional is None):
        raise UnprocessableError("exactly one of qty or notional is required")
    if request.fractional and request.time_in_force != "day":
        raise UnprocessableError("fractional orders must be DAY orders")
    if request.notional is not None and request.type != "market":
        raise UnprocessableError("notional orders must be market orders")


def _check_limit(request: OrderRequest) -> None:
    price = request.limit_price
    if request.type == "market" and price is not None:
        raise UnprocessableError("market orders require no limit price")
    if request.extended_hours and (request.type != "limit" or request.time_in_force not in {"day", "gtc"}):
        raise UnprocessableError("extended hours order must be DAY or GTC limit orders")
    if request.type == "market":
        return
    if price is None:
        raise UnprocessableError("limit orders require a limit price")
    places = 2 if price >= ONE_DOLLAR else 4
    if decimals(price) > places:
        raise UnprocessableError(
            f"invalid limit_price {price}. sub-penny increment does not fulfill minimum pricing criteria"
        )
