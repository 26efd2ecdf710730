"""What an order asks for: its kind, size, prices and life, checked by Alpaca's rules before anything is sent.

These rules need nothing but the order; `trading.order_admission` adds those of the symbol and of the hour.
Source: Alpaca's "Orders at Alpaca" and its OpenAPI document of the trading API.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from trading.errors import TradingError
from trading.orders import Side

OrderType = Literal["market", "limit", "stop", "stop_limit", "trailing_stop"]
TimeInForce = Literal["day", "gtc", "opg", "cls", "ioc", "fok"]
OrderClass = Literal["simple", "bracket", "oco", "oto"]

LONGEST_ID = 128
MOST_DECIMALS = 9
LARGEST = Decimal(10) ** 12
ONE_DOLLAR = Decimal(1)
CENT = Decimal("0.01")

_PRICES: dict[str, frozenset[str]] = {
    "market": frozenset(),
    "limit": frozenset({"limit_price"}),
    "stop": frozenset({"stop_price"}),
    "stop_limit": frozenset({"stop_price", "limit_price"}),
    "trailing_stop": frozenset({"trail_price", "trail_percent"}),
}
"""Which prices each type has; a trailing stop has one of its two."""


class OrderTermsError(TradingError):
    """Raised when an order breaks a rule that the broker would refuse it for."""


def decimal_of(value: object) -> object:
    """Return a number as the decimal a person would write; refuse NaN, infinity and what is no number."""
    if value is None or (isinstance(value, Decimal) and value.is_finite()):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise ValueError(f"{value!r} is no number")  # noqa: TRY004 - pydantic collects ValueErrors
    try:
        number = Decimal(str(value).strip())
    except ArithmeticError:
        raise ValueError(f"{value!r} is no number") from None
    if not number.is_finite():
        raise ValueError(f"{value!r} is no number; expected one above zero")
    return number


Amount = Annotated[Decimal, BeforeValidator(decimal_of), Field(gt=0, lt=LARGEST)]


class OrderTerms(BaseModel):
    """An order as it is asked for: all that the broker needs but the id.

    Prices are USD a share; `quantity` is shares, `notional` USD, exactly one of them is set; `trail_percent` is
    percent (1 is 1 %). A bracket, oco or oto carries its exits: `take_profit_price` (a limit) and
    `stop_loss_price`, the latter with a limit of its own when `stop_loss_limit_price` is set.

    Raises
    ------
    pydantic.ValidationError
        A rule is broken; `order_terms` turns it into one line.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    symbol: str = Field(pattern=r"^[A-Z][A-Z0-9]{0,9}([./-][A-Z0-9]{1,4})?$")
    side: Side
    quantity: Amount | None = None
    notional: Amount | None = None
    type: OrderType = "market"
    time_in_force: TimeInForce = "day"
    limit_price: Amount | None = None
    stop_price: Amount | None = None
    trail_price: Amount | None = None
    trail_percent: Amount | None = None
    extended_hours: bool = False
    order_class: OrderClass = "simple"
    take_profit_price: Amount | None = None
    stop_loss_price: Amount | None = None
    stop_loss_limit_price: Amount | None = None

    @model_validator(mode="after")
    def _keeps_the_rules(self) -> Self:
        for rule in (_size, _prices, _grid, _hours, _exits):
            rule(self)
        return self

    @property
    def fractional(self) -> bool:
        """Whether the order is for less than whole shares, or by amount."""
        return self.quantity is None or self.quantity != self.quantity.to_integral_value()

    @property
    def price(self) -> Decimal | None:
        """The price the order names by itself: its limit, else its stop."""
        return self.limit_price if self.limit_price is not None else self.stop_price

    def body(self, client_order_id: str) -> dict[str, Any]:
        """Return the body of POST /v2/orders: amounts as text, without exponents, absent fields left out."""
        sent: dict[str, Any] = {
            "client_order_id": client_order_id,
            "symbol": self.symbol,
            "side": self.side,
            "type": self.type,
            "time_in_force": self.time_in_force,
            "qty": self.quantity,
            **{name: getattr(self, name) for name in ("notional", *_PRICE_NAMES)},
        }
        if self.extended_hours:
            sent["extended_hours"] = True
        if self.order_class != "simple":
            sent["order_class"] = self.order_class
        if self.take_profit_price is not None:
            sent["take_profit"] = {"limit_price": written(self.take_profit_price)}
        if self.stop_loss_price is not None:
            loss = {"stop_price": self.stop_loss_price, "limit_price": self.stop_loss_limit_price}
            sent["stop_loss"] = {name: written(price) for name, price in loss.items() if price is not None}
        return {
            name: written(value) if isinstance(value, Decimal) else value
            for name, value in sent.items()
            if value is not None
        }

    def words(self) -> str:
        """Return the order as people say it: `buy 10 AAPL limit 180 gtc`."""
        size = f"{written(self.quantity)} {self.symbol}" if self.quantity is not None else ""
        if self.notional is not None:
            size = f"${written(self.notional)} of {self.symbol}"
        prices = [written(price) for name in _PRICE_NAMES if (price := getattr(self, name)) is not None]
        trail = "%" if self.trail_percent is not None else ""
        kind = " ".join((self.type, *prices)) + trail
        klass = "" if self.order_class == "simple" else f" {self.order_class}"
        return f"{self.side} {size} {kind} {self.time_in_force}{klass}"


_PRICE_NAMES = ("limit_price", "stop_price", "trail_price", "trail_percent")


def order_terms(**fields: Any) -> OrderTerms:
    """Return the terms of an order.

    Raises
    ------
    OrderTermsError
        A rule is broken: one line that says which, with the value.
    """
    try:
        return OrderTerms(**fields)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        words = str(first["msg"]).removeprefix("Value error, ")
        given = "" if first["type"] == "value_error" or not where else f", got {first['input']!r}"
        raise OrderTermsError(f"{where}: {words}{given}" if where else words) from None


def written(amount: Decimal) -> str:
    """Return a decimal without exponent and trailing zeros, as the broker and people write it."""
    return f"{amount.normalize():f}"


def decimals(amount: Decimal) -> int:
    """Return how many decimals a finite number needs."""
    exponent = amount.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def on_grid(price: Decimal) -> bool:
    """Return whether a price is one the market knows: cents from 1 dollar on, hundredths of them below."""
    return decimals(price) <= (2 if price >= ONE_DOLLAR else 4)


def rounded_to_grid(price: float | Decimal, side: Side) -> Decimal:
    """Return the nearest price on the grid that is no worse for us: a buy's is rounded down, a sale's up."""
    exact = Decimal(str(price))
    step = CENT if exact >= ONE_DOLLAR else Decimal("0.0001")
    rounding = "ROUND_FLOOR" if side == "buy" else "ROUND_CEILING"
    return exact.quantize(step, rounding=rounding)


def check_client_order_id(identity: str) -> None:
    """Refuse an id the broker does not take.

    Raises
    ------
    OrderTermsError
        It is empty or longer than 128 characters.
    """
    if not 0 < len(identity) <= LONGEST_ID:
        raise OrderTermsError(f"client_order_id has {len(identity)} characters; expected 1 to {LONGEST_ID}")


def _size(terms: OrderTerms) -> None:
    if (terms.quantity is None) == (terms.notional is None):
        raise ValueError("give exactly one of quantity (shares) and notional (USD)")
    size = terms.quantity if terms.quantity is not None else terms.notional
    name, most = ("quantity", MOST_DECIMALS) if terms.quantity is not None else ("notional", 2)
    if size is not None and decimals(size) > most:
        raise ValueError(f"{name} is {written(size)}; expected at most {most} decimals")
    if not terms.fractional:
        return
    what = "an order by amount" if terms.notional is not None else "an order of fractions of a share"
    if terms.time_in_force != "day":
        raise ValueError(f"{what} must be time in force day, not {terms.time_in_force}")
    if terms.type == "trailing_stop":
        raise ValueError(f"{what} cannot be a trailing stop")
    if terms.order_class != "simple":
        raise ValueError(f"{what} cannot be {terms.order_class}: exits need whole shares")


def _prices(terms: OrderTerms) -> None:
    wanted = _PRICES[terms.type]
    for name in _PRICE_NAMES:
        if getattr(terms, name) is not None and name not in wanted:
            raise ValueError(f"a {terms.type} order takes no {name}")
    if terms.type == "trailing_stop":
        if (terms.trail_price is None) == (terms.trail_percent is None):
            raise ValueError("a trailing_stop order needs exactly one of trail_price and trail_percent")
        return
    for name in sorted(wanted):
        if getattr(terms, name) is None:
            raise ValueError(f"a {terms.type} order needs a {name}")


def _grid(terms: OrderTerms) -> None:
    names = ("limit_price", "stop_price", "take_profit_price", "stop_loss_price", "stop_loss_limit_price")
    for name in names:
        price = getattr(terms, name)
        if price is not None and not on_grid(price):
            raise ValueError(
                f"{name} is {written(price)}; expected a price in cents, or with 4 decimals below 1 dollar"
            )


def _hours(terms: OrderTerms) -> None:
    auction = {"opg": ("market", "limit"), "cls": ("market", "limit"), "ioc": ("market", "limit")}
    allowed = auction.get(terms.time_in_force, ())
    if allowed and terms.type not in allowed:
        raise ValueError(f"time in force {terms.time_in_force} is for market and limit orders, not {terms.type}")
    if terms.time_in_force == "fok" and terms.type not in {"market", "limit"}:
        raise ValueError(f"time in force fok is for market and limit orders, not {terms.type}")
    if terms.type == "trailing_stop" and terms.time_in_force not in {"day", "gtc"}:
        raise ValueError("a trailing_stop order is day or gtc")
    if not terms.extended_hours:
        return
    if terms.type != "limit" or terms.time_in_force not in {"day", "gtc"}:
        raise ValueError("extended hours take limit orders, day or gtc, and no others")
    if terms.order_class != "simple":
        raise ValueError(f"extended hours take simple orders, not {terms.order_class}")


def _exits(terms: OrderTerms) -> None:
    profit, loss = terms.take_profit_price, terms.stop_loss_price
    if terms.stop_loss_limit_price is not None and loss is None:
        raise ValueError("stop_loss_limit_price needs a stop_loss_price")
    if terms.order_class == "simple":
        if profit is not None or loss is not None:
            raise ValueError("take profit and stop loss need order class bracket, oco or oto")
        return
    if terms.time_in_force not in {"day", "gtc"}:
        raise ValueError(f"{terms.order_class} orders are day or gtc, not {terms.time_in_force}")
    if terms.order_class == "oto":
        if (profit is None) == (loss is None):
            raise ValueError("an oto order needs exactly one of take_profit_price and stop_loss_price")
    elif profit is None or loss is None:
        raise ValueError(f"a {terms.order_class} order needs take_profit_price and stop_loss_price")
    if terms.order_class == "oco" and (terms.type != "limit" or terms.limit_price != profit):
        raise ValueError("an oco order is a limit order at its take_profit_price: it is the exit itself")
    _exit_sides(terms, profit, loss)


def _exit_sides(terms: OrderTerms, profit: Decimal | None, loss: Decimal | None) -> None:
    """Keep take profit and stop loss on their sides of each other and, by a cent, of the entry's price."""
    entry_buys = (terms.side == "buy") != (terms.order_class == "oco")  # an oco sells what is held
    sign = 1 if entry_buys else -1
    if profit is not None and loss is not None and sign * (profit - loss) < CENT:
        order = "above" if entry_buys else "below"
        raise ValueError(f"take_profit_price {written(profit)} must be {order} stop_loss_price {written(loss)}")
    base = terms.price if terms.order_class != "oco" else None
    if base is None:
        return
    below = "below" if entry_buys else "above"
    if loss is not None and sign * (base - loss) < CENT:
        raise ValueError(f"stop_loss_price {written(loss)} must be at least 0.01 {below} {written(base)}")
    if profit is not None and sign * (profit - base) < CENT:
        other = "above" if entry_buys else "below"
        raise ValueError(f"take_profit_price {written(profit)} must be at least 0.01 {other} {written(base)}")
