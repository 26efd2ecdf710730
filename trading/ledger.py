"""The books of one symbol in one account: fills, corporate actions and adjustments, replayed in order of time.

The result depends on the events alone, not on when they became known: a fill that is told of late, or twice,
leaves the same books. Everything is Decimal.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from trading.errors import InvalidValueError
from trading.fills import Position, apply_fill
from trading.lots import ZERO, Lot, apportion, exact, rounded, split_lots, trade_lots

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

Kind = Literal["split", "dividend", "cash_in_lieu", "trade", "adjustment"]
ORDER: tuple[Kind, ...] = ("split", "dividend", "cash_in_lieu", "trade", "adjustment")
"""What comes first of events at the same time: a dividend is per share of its ex-date, after that day's split."""
MICRO = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that changes the books; `key` is unique, and an event with a known key counts once.

    Attributes
    ----------
    kind
        trade and adjustment change one `strategy`, the others every strategy that holds the symbol.
    shares
        Signed shares of a trade (bought above zero) or adjustment; of cash in lieu the shares, above zero, that
        the broker took for money.
    price
        USD per share of those.
    ratio
        New shares per old of a split.
    rate
        USD per share of a dividend; who is short pays it.
    fill
        Id of a trade's fill; its lot keeps it.
    """

    kind: Kind
    key: str
    at: datetime
    strategy: str = ""
    shares: Decimal = ZERO
    price: Decimal = ZERO
    ratio: Decimal = ZERO
    rate: Decimal = ZERO
    fill: int | None = None

    def __post_init__(self) -> None:
        needed = {"split": self.ratio, "dividend": self.rate, "cash_in_lieu": self.shares}.get(self.kind)
        if needed is not None and not (needed.is_finite() and needed > 0):
            raise InvalidValueError(f"{self.kind} {self.key}", needed, "a number above zero")
        if self.kind in {"trade", "adjustment"} and not (self.shares.is_finite() and self.shares):
            raise InvalidValueError(f"{self.kind} {self.key}", self.shares, "a number of shares other than zero")
        if not (self.price.is_finite() and self.price >= 0):
            raise InvalidValueError(f"price of {self.kind} {self.key}", self.price, "a price in USD, zero or more")


@dataclass(frozen=True, slots=True)
class Holding:
    """One strategy's books of the symbol.

    Attributes
    ----------
    position
        At average cost, with the profit realised against it.
    lots
        What is held, oldest first; adds up to the position.
    fifo_realised
        Profit realised first in first out, USD.
    income
        Dividends received, less those paid on short positions, USD.
    """

    position: Position
    lots: tuple[Lot, ...] = ()
    fifo_realised: Decimal = ZERO
    income: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Effect:
    """What an event changed in one strategy's books: shares and cash (USD), both signed."""

    quantity: Decimal
    cash: Decimal


@dataclass(slots=True)
class Books:
    """Every strategy's holding of the symbol, and the effect of each event on each strategy it touched."""

    symbol: str
    holdings: dict[str, Holding] = field(default_factory=dict)
    effects: dict[tuple[str, str], Effect] = field(default_factory=dict)

    @property
    def total(self) -> Decimal:
        """Shares of all strategies together."""
        return sum((holding.position.quantity for holding in self.holdings.values()), ZERO)


def replay(symbol: str, events: Iterable[Event]) -> Books:
    """Return the books after all events of a symbol, in whatever order they are given."""
    books = Books(symbol)
    known = {event.key: event for event in events}
    for event in sorted(known.values(), key=lambda one: (one.at, ORDER.index(one.kind), one.key)):
        match event.kind:
            case "trade" | "adjustment":
                _trade(books, event, event.strategy, event.shares)
            case "split":
                _split(books, event)
            case "dividend":
                _pay(books, event)
            case "cash_in_lieu":
                _cash_in_lieu(books, event)
    return books


def _trade(books: Books, event: Event, strategy: str, shares: Decimal) -> None:
    before = books.holdings.get(strategy) or Holding(Position(books.symbol))
    side: Literal["buy", "sell"] = "buy" if shares > 0 else "sell"
    position = apply_fill(before.position, side=side, quantity=abs(shares), price=event.price)
    opened = Lot(event.at, shares, shares * event.price, event.fill)
    lots, realised = trade_lots(before.lots, opened)
    books.holdings[strategy] = replace(
        before, position=position, lots=lots, fifo_realised=before.fifo_realised + realised
    )
    books.effects[strategy, event.key] = Effect(shares, -shares * event.price)


def _split(books: Books, event: Event) -> None:
    """Multiply shares; the fractions are divided so that the strategies' shares add up to the account's."""
    names = sorted(books.holdings)
    before = [books.holdings[name].position.quantity for name in names]
    after = apportion([exact(quantity, event.ratio) for quantity in before])
    for name, old, new in zip(names, before, after, strict=True):
        holding = books.holdings[name]
        lots, lost = split_lots(holding.lots, event.ratio, new)
        position = _resized(holding.position, new)
        books.holdings[name] = replace(
            holding, position=position, lots=lots, fifo_realised=holding.fifo_realised - lost
        )
        books.effects[name, event.key] = Effect(new - old, ZERO)


def _resized(position: Position, quantity: Decimal) -> Position:
    cost = position.average_cost * position.quantity
    if not quantity:
        return replace(position, quantity=ZERO, average_cost=ZERO, realised_pnl=position.realised_pnl - cost)
    return replace(position, quantity=quantity, average_cost=cost / quantity)


def _pay(books: Books, event: Event) -> None:
    for name, holding in books.holdings.items():
        amount = (holding.position.quantity * event.rate).quantize(MICRO)
        books.holdings[name] = replace(holding, income=holding.income + amount)
        books.effects[name, event.key] = Effect(ZERO, amount)


def _cash_in_lieu(books: Books, event: Event) -> None:
    """Take fractions for money from those on the account's side of the symbol, in proportion to what they hold."""
    total = books.total
    sharing = {
        name: holding.position.quantity
        for name, holding in sorted(books.holdings.items())
        if holding.position.quantity * total > 0
    }
    on_side = sum(sharing.values(), ZERO)
    if not sharing or event.shares > abs(on_side):
        raise InvalidValueError(f"cash in lieu {event.key}", event.shares, f"at most the {abs(on_side)} shares held")
    taken = rounded(event.shares).copy_sign(total)
    parts = apportion([taken * quantity / on_side for quantity in sharing.values()], taken)
    for name, part in zip(sharing, parts, strict=True):
        if part:
            _trade(books, event, name, -part)
