"""The books of symbols in one account: fills, corporate actions and adjustments, replayed in order of time.

The result depends on the events alone, not on when they became known: a fill that is told of late, or twice,
leaves the same books. Everything is Decimal.

A spin-off divides the cost of the shares between the parent's and the new company's in proportion to what they are
worth (US Internal Revenue Code, sections 355 and 358(b)(2), Treasury Regulation 1.358-2: the basis is allocated by the
fair market values after the distribution); `trading.adjustment.share_of_value` is that proportion. A rename takes
shares and cost to the new symbol.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from trading.errors import InvalidValueError
from trading.fills import Position, apply_fill
from trading.lots import ZERO, Lot, apportion, exact, rounded, split_lots, trade_lots

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

Kind = Literal["split", "dividend", "spin_off", "rename", "cash_in_lieu", "trade", "adjustment"]
ORDER: tuple[Kind, ...] = ("split", "dividend", "spin_off", "rename", "cash_in_lieu", "trade", "adjustment")
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
        New shares per old of a split; shares of the new company per share of a spin-off.
    share
        Of the cost that goes to the new company with a spin-off, zero while that is not known, below 1.
    new_symbol
        Of the new company, or the new name.
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
    share: Decimal = ZERO
    new_symbol: str = ""
    fill: int | None = None

    def __post_init__(self) -> None:
        terms = {"split": self.ratio, "spin_off": self.ratio, "dividend": self.rate, "cash_in_lieu": self.shares}
        needed = terms.get(self.kind)
        if self.kind in {"spin_off", "rename"} and not self.new_symbol:
            raise InvalidValueError(f"{self.kind} {self.key}", self.new_symbol, "the new symbol")
        if not 0 <= self.share < 1:
            raise InvalidValueError(f"share of {self.kind} {self.key}", self.share, "zero or more, below 1")
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
    """Return the books of a symbol after all its events, in whatever order they are given."""
    return replay_together({symbol: events})[symbol]


def replay_together(events: Mapping[str, Iterable[Event]]) -> dict[str, Books]:
    """Return the books of symbols that shares went between; symbol -> its events, in whatever order.

    The books of a symbol that only receives shares are among them.
    """
    known = {(symbol, event.key): event for symbol, own in events.items() for event in own}
    found = {symbol: Books(symbol) for symbol in events}
    for (symbol, _), event in sorted(known.items(), key=lambda item: _rank(item[1], item[0][0])):
        books = found[symbol]
        match event.kind:
            case "trade" | "adjustment":
                _trade(books, event, event.strategy, event.shares)
            case "split":
                _split(books, event)
            case "dividend":
                _pay(books, event)
            case "spin_off":
                _spin_off(books, found.setdefault(event.new_symbol, Books(event.new_symbol)), event)
            case "rename":
                _rename(books, found.setdefault(event.new_symbol, Books(event.new_symbol)), event)
            case "cash_in_lieu":
                _cash_in_lieu(books, event)
    return found


def _rank(event: Event, symbol: str) -> tuple[datetime, int, str, str]:
    return event.at, ORDER.index(event.kind), event.key, symbol


def received(key: str, symbol: str) -> str:
    """Return the key of what an action brought into the books of another symbol."""
    return f"{key}>{symbol}"


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


def _spin_off(books: Books, others: Books, event: Event) -> None:
    """Give holders the new company's shares, and the part of the cost that is theirs.

    Fractions divide as a split's do. A strategy whose fraction rounds to nothing keeps its whole cost.
    """
    names = sorted(books.holdings)
    quantities = [books.holdings[name].position.quantity for name in names]
    news = apportion([exact(quantity, event.ratio) for quantity in quantities])
    for name, new in zip(names, news, strict=True):
        if not new:
            continue
        holding = books.holdings[name]
        moved = [replace(lot, cost=lot.cost * event.share) for lot in holding.lots]
        kept = [replace(lot, cost=lot.cost - gone.cost) for lot, gone in zip(holding.lots, moved, strict=True)]
        lots, _ = split_lots(moved, event.ratio, new)
        basis = holding.position.quantity * holding.position.average_cost
        left = basis - basis * event.share
        position = replace(holding.position, average_cost=left / holding.position.quantity)
        books.holdings[name] = replace(holding, position=position, lots=tuple(kept))
        books.effects[name, event.key] = Effect(ZERO, ZERO)
        _receive(others, event, name, quantity=new, cost=basis - left, lots=lots)


def _rename(books: Books, others: Books, event: Event) -> None:
    """Take shares and cost to the new symbol; what was realised under the old one stays there."""
    for name in sorted(books.holdings):
        holding = books.holdings[name]
        quantity, cost = holding.position.quantity, holding.position.quantity * holding.position.average_cost
        if not quantity:
            continue
        books.holdings[name] = replace(holding, position=_emptied(holding.position), lots=())
        books.effects[name, event.key] = Effect(-quantity, ZERO)
        _receive(others, event, name, quantity=quantity, cost=cost, lots=holding.lots)


def _emptied(position: Position) -> Position:
    return replace(position, quantity=ZERO, average_cost=ZERO)


def _receive(
    books: Books, event: Event, strategy: str, *, quantity: Decimal, cost: Decimal, lots: tuple[Lot, ...]
) -> None:
    """Add shares at their cost, lot by lot: those against a position of the other sign close it."""
    before = books.holdings.get(strategy) or Holding(Position(books.symbol))
    position, kept, realised = before.position, before.lots, before.fifo_realised
    side: Literal["buy", "sell"] = "buy" if quantity > 0 else "sell"
    position = apply_fill(position, side=side, quantity=abs(quantity), price=cost / quantity)
    for lot in lots:
        kept, won = trade_lots(kept, lot)
        realised += won
    books.holdings[strategy] = replace(before, position=position, lots=kept, fifo_realised=realised)
    books.effects[strategy, received(event.key, books.symbol)] = Effect(quantity, ZERO)


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
