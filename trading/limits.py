"""Risk limits: each proposed order against every limit, one after another, with the figures that decided."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from trading.orders import Side

TradingState = Literal["ACTIVE", "REDUCING", "HALTED"]
Verdict = Literal["approved", "reduced", "rejected"]
Outcome = Literal["pass", "reduce", "reject"]
type _Measure = tuple[str, float, float, float, str]


class Limits(BaseModel):
    """What the account may do; fractions are of equity unless said otherwise."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_gross_exposure: float = Field(1.0, gt=0, le=4, description="long plus short notional over equity")
    max_net_exposure: float = Field(1.0, gt=0, le=4, description="long minus short notional over equity, either way")
    max_position_weight: float = Field(0.6, gt=0, le=4, description="notional of one symbol over equity")
    max_order_notional: float = Field(100_000.0, gt=0, description="notional of one order, USD")
    max_participation: float = Field(0.05, gt=0, le=1, description="order over 20-day average daily volume")
    min_price: float = Field(1.0, ge=0, description="lowest price at which a position is opened or added to, USD")
    max_daily_loss: float = Field(0.05, gt=0, le=1, description="loss since the last close that halts trading")
    max_drawdown: float = Field(0.25, gt=0, le=1, description="fall from the equity's peak that halts trading")
    reduce_drawdown: float = Field(0.15, gt=0, le=1, description="fall from the peak from which positions only shrink")
    allow_short: bool = Field(False, description="whether a position may go below zero")
    max_open_orders: int = Field(200, ge=1, le=10_000, description="open orders in the account")

    @model_validator(mode="after")
    def _reduces_before_it_halts(self) -> Limits:
        if self.reduce_drawdown > self.max_drawdown:
            raise ValueError(
                f"reduce_drawdown ({self.reduce_drawdown}) must not exceed max_drawdown ({self.max_drawdown})"
            )
        return self


@dataclass(frozen=True, slots=True)
class ProposedOrder:
    """An order somebody would like to send.

    Attributes
    ----------
    key
        The caller's name for it, returned with the decision.
    quantity
        Shares, above zero.
    price
        Last close in USD, by which notional is judged.
    average_volume
        20-day average daily volume in shares; None where unknown, which refuses an order that adds risk.
    """

    key: str | int
    strategy: str
    symbol: str
    side: Side
    quantity: float
    price: float
    average_volume: float | None


@dataclass(frozen=True, slots=True)
class Book:
    """What the account holds and has under way.

    Attributes
    ----------
    equity, buying_power
        USD.
    positions
        Symbol to signed quantity.
    prices
        Symbol to last price in USD, of every position.
    open_orders
        Symbol to the side of its open orders.
    pending
        Symbol to the signed quantity that open orders may still fill.
    open_order_count
        Open orders in the account; None counts `open_orders`.
    """

    equity: float
    buying_power: float
    positions: Mapping[str, float] = field(default_factory=dict)
    prices: Mapping[str, float] = field(default_factory=dict)
    open_orders: Mapping[str, Side] = field(default_factory=dict)
    pending: Mapping[str, float] = field(default_factory=dict)
    open_order_count: int | None = None


@dataclass(frozen=True, slots=True)
class LimitCheck:
    """One limit against one order: the figure it would reach, the limit, and the outcome in words."""

    name: str
    value: float | None
    limit: float | None
    outcome: Outcome
    sentence: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What may be sent of a proposed order, and every check that led to it."""

    key: str | int
    verdict: Verdict
    approved_quantity: float
    checks: tuple[LimitCheck, ...]


@dataclass(slots=True)
class _Account:
    """The book as it would be with every approved order filled."""

    equity: float
    buying_power: float
    quantities: dict[str, float]
    prices: dict[str, float]
    sides: dict[str, Side]
    open_orders: int

    def exposures(self, symbol: str, quantity: float) -> tuple[float, float]:
        """Return gross and net notional (USD) if `symbol` were held in `quantity`."""
        held = {**self.quantities, symbol: quantity}
        notionals = [amount * self.prices.get(name, 0.0) for name, amount in held.items()]
        return sum(map(abs, notionals)), sum(notionals)


def validate(orders: Sequence[ProposedOrder], book: Book, limits: Limits, state: TradingState) -> list[Decision]:
    """Decide every order as if those decided before it had filled.

    Orders that only reduce a position are decided first and pass every limit but sane figures and the
    wash-trade rule, whatever the trading state. Of the others, the part that adds exposure is
    cut to whole shares within every limit, or rejected when nothing is left. A sale adds no buying power.

    Returns
    -------
    One decision per order, in the order of `orders`.
    """
    account = _account(book)
    decisions: dict[int, Decision] = {}
    ranked = sorted(range(len(orders)), key=lambda index: not _reduces(orders[index], account))
    for index in ranked:
        decision = _decide(orders[index], account, limits, state)
        decisions[index] = decision
        if decision.approved_quantity:
            _book(orders[index], decision.approved_quantity, account)
    return [decisions[index] for index in range(len(orders))]


def _account(book: Book) -> _Account:
    quantities = dict(book.positions)
    for symbol, quantity in book.pending.items():
        quantities[symbol] = quantities.get(symbol, 0.0) + quantity
    count = len(book.open_orders) if book.open_order_count is None else book.open_order_count
    return _Account(book.equity, book.buying_power, quantities, dict(book.prices), dict(book.open_orders), count)


def _reduces(order: ProposedOrder, account: _Account) -> bool:
    held = account.quantities.get(order.symbol, 0.0)
    return held * _signed(order) < 0 and order.quantity <= abs(held)


def _signed(order: ProposedOrder) -> float:
    return order.quantity if order.side == "buy" else -order.quantity


def _book(order: ProposedOrder, quantity: float, account: _Account) -> None:
    held = account.quantities.get(order.symbol, 0.0)
    signed = math.copysign(quantity, _signed(order))
    added = max(0.0, abs(held + signed) - abs(held)) if held * signed >= 0 else max(0.0, quantity - abs(held))
    account.quantities[order.symbol] = held + signed
    account.buying_power -= added * order.price
    account.sides[order.symbol] = order.side
    account.open_orders += 1


def _decide(order: ProposedOrder, account: _Account, limits: Limits, state: TradingState) -> Decision:
    problem = _insane(order, account) or _wash_trade(order, account)
    if problem:
        return Decision(order.key, "rejected", 0.0, (problem,))
    account.prices[order.symbol] = order.price
    held = account.quantities.get(order.symbol, 0.0)
    reducing = min(order.quantity, abs(held)) if held * _signed(order) < 0 else 0.0
    if reducing == order.quantity:
        sentence = f"{order.side} {order.quantity:g} {order.symbol} only reduces the position of {held:g}"
        return Decision(order.key, "approved", order.quantity, (LimitCheck("reduction", held, None, "pass", sentence),))
    return _decide_addition(order, account, limits, state, reducing)


def _decide_addition(
    order: ProposedOrder, account: _Account, limits: Limits, state: TradingState, reducing: float
) -> Decision:
    added = order.quantity - reducing
    checks: list[LimitCheck] = []
    room = added
    for name, value, limit, allowed, unit in _measures(order, account, limits, state, reducing):
        allowed_shares = max(0.0, allowed)
        outcome: Outcome = "pass" if allowed_shares >= added else "reduce" if math.floor(allowed_shares) else "reject"
        known = value if math.isfinite(value) else None
        checks.append(LimitCheck(name, known, limit, outcome, _sentence(name, value, limit, outcome, unit)))
        room = min(room, allowed_shares)
    approved = order.quantity if room >= added else reducing + math.floor(room + 1e-9)
    verdict: Verdict = "approved" if approved == order.quantity else "reduced" if approved else "rejected"
    return Decision(order.key, verdict, approved, tuple(checks))


def _measures(
    order: ProposedOrder, account: _Account, limits: Limits, state: TradingState, reducing: float
) -> Iterator[_Measure]:
    """Yield name, value reached, limit, shares that may be added, and unit, of every limit."""
    sign = 1.0 if order.side == "buy" else -1.0
    start = account.quantities.get(order.symbol, 0.0) + sign * reducing  # zero when the order turns the position round
    added = order.quantity - reducing
    allowed = math.inf if state == "ACTIVE" else 0.0
    yield "trading_state", float(state != "ACTIVE"), 0.0, allowed, state
    short = start + sign * added < 0
    allowed = 0.0 if short and not limits.allow_short else math.inf
    yield "allow_short", float(short), float(limits.allow_short), allowed, ""
    yield from _order_measures(order, account, limits, reducing)
    yield from _book_measures(order, account, limits, start=start, added=added, sign=sign)


def _order_measures(order: ProposedOrder, account: _Account, limits: Limits, reducing: float) -> Iterator[_Measure]:
    """Yield the limits of the order by itself."""
    price, most = order.price, limits.max_order_notional
    allowed = math.inf if price >= limits.min_price else 0.0
    yield "min_price", price, limits.min_price, allowed, "USD"
    allowed = math.inf if account.open_orders < limits.max_open_orders else 0.0
    yield "max_open_orders", account.open_orders + 1, limits.max_open_orders, allowed, "orders"
    yield "max_order_notional", order.quantity * price, most, most / price - reducing, "USD"
    volume = order.average_volume if order.average_volume and order.average_volume > 0 else math.nan
    allowed = 0.0 if math.isnan(volume) else limits.max_participation * volume - reducing
    yield "max_participation", order.quantity / volume, limits.max_participation, allowed, "of average volume"


def _book_measures(
    order: ProposedOrder, account: _Account, limits: Limits, *, start: float, added: float, sign: float
) -> Iterator[_Measure]:
    """Yield the limits of the book as it would be with the order filled."""
    price, equity, base = order.price, account.equity, abs(start)
    gross, net = account.exposures(order.symbol, start)
    most = limits.max_position_weight
    yield "max_position_weight", (base + added) * price / equity, most, most * equity / price - base, "of equity"
    most = limits.max_gross_exposure
    yield "max_gross_exposure", (gross + added * price) / equity, most, (most * equity - gross) / price, "of equity"
    most, reached = limits.max_net_exposure, abs(net + sign * added * price) / equity
    yield "max_net_exposure", reached, most, (most * equity - sign * net) / price, "of equity"
    yield "buying_power", added * price, account.buying_power, account.buying_power / price, "USD"


_WORDS: dict[str, str] = {
    "trading_state": "trading is {unit}: only reductions pass",
    "allow_short": "the order would sell short, which is not allowed",
    "min_price": "price {value:.2f} USD, at least {limit:.2f} USD",
}


def _sentence(name: str, value: float, limit: float, outcome: Outcome, unit: str) -> str:
    if name in _WORDS and outcome != "pass":
        return _WORDS[name].format(value=value, limit=limit, unit=unit)
    if name == "trading_state":
        return "trading is ACTIVE"
    if name == "allow_short":
        return "no short sale, or one that is allowed"
    if math.isnan(value):
        return f"{name}: average volume is unknown, so nothing may be added"
    style = ".1%" if unit.startswith("of") else ",.2f" if unit == "USD" else ",.0f"
    verb = {"pass": "within", "reduce": "cut to", "reject": "leaves nothing of"}[outcome]
    return f"{name}: {value:{style}} {unit}, {verb} the limit of {limit:{style}}"


def _insane(order: ProposedOrder, account: _Account) -> LimitCheck | None:
    figures = {"quantity": order.quantity, "price": order.price, "equity": account.equity}
    for name, value in figures.items():
        if not (math.isfinite(value) and value > 0):
            return LimitCheck("sane_figures", None, None, "reject", f"{name} is {value}; expected a number above zero")
    missing = sorted(s for s, q in account.quantities.items() if q and s != order.symbol and s not in account.prices)
    if missing and not _reduces(order, account):
        return LimitCheck(
            "sane_figures", None, None, "reject", f"no price for {', '.join(missing)}, so exposure is unknown"
        )
    return None


def _wash_trade(order: ProposedOrder, account: _Account) -> LimitCheck | None:
    other = account.sides.get(order.symbol)
    if other is None or other == order.side:
        return None
    sentence = f"a {other} order in {order.symbol} is open or approved; {order.side} would trade with ourselves"
    return LimitCheck("wash_trade", None, None, "reject", sentence)
