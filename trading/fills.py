"""Fills: positions at average cost, round trips first in first out, and how far a trade went either way.

Everything is Decimal: books add up to the cent.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

import numpy as np

from trading.bars import instant
from trading.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime, timedelta

    import pandas as pd

    from trading.orders import Side

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Fill:
    """An execution: quantity above zero at a price in USD.

    `fee` in USD is what it cost besides; `key` is the caller's name for it, handed on to round trips.
    """

    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    ts: datetime
    fee: Decimal = ZERO
    key: int | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """What is held of a symbol: signed quantity, average cost per share, and profit realised so far (USD)."""

    symbol: str
    quantity: Decimal = ZERO
    average_cost: Decimal = ZERO
    realised_pnl: Decimal = ZERO

    def unrealised_pnl(self, price: Decimal) -> Decimal:
        """Return the profit in USD if the position were closed at `price`."""
        return (price - self.average_cost) * self.quantity


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """Shares opened by one fill and closed by another.

    Attributes
    ----------
    quantity
        Shares, above zero.
    pnl
        Profit in USD after the fees of both fills, pro rata.
    rate_of_return
        `pnl` over the entry's notional.
    entry_key, exit_key
        The `key` of either fill.
    """

    symbol: str
    direction: Literal["long", "short"]
    quantity: Decimal
    entry_ts: datetime
    entry_price: Decimal
    exit_ts: datetime
    exit_price: Decimal
    pnl: Decimal
    rate_of_return: Decimal
    entry_key: int | None = None
    exit_key: int | None = None

    @property
    def holding_time(self) -> timedelta:
        """From entry to exit."""
        return self.exit_ts - self.entry_ts


@dataclass(frozen=True, slots=True)
class Excursions:
    """Largest moves as fractions of the entry: `adverse` (zero or below), `favourable` (zero or above)."""

    adverse: float
    favourable: float


def apply_fill(position: Position, *, side: Side, quantity: Decimal, price: Decimal) -> Position:
    """Return the position after a fill, at average cost.

    Adding moves the average; reducing realises profit against it; a fill larger than the position closes it
    and opens the rest the other way at the fill's price.

    Raises
    ------
    InvalidValueError
        The quantity is not above zero, or the price is negative or not finite.
    """
    _check(position.symbol, quantity, price)
    signed = quantity if side == "buy" else -quantity
    held, after = position.quantity, position.quantity + signed
    if held * signed >= 0:
        cost = (position.average_cost * abs(held) + price * quantity) / abs(after)
        return replace(position, quantity=after, average_cost=cost)
    closed = min(quantity, abs(held))
    gain = (price - position.average_cost) * closed * (1 if held > 0 else -1)
    flipped = abs(signed) > abs(held)
    cost = price if flipped else position.average_cost if after else ZERO
    return replace(position, quantity=after, average_cost=cost, realised_pnl=position.realised_pnl + gain)


def round_trips(fills: Iterable[Fill]) -> list[RoundTrip]:
    """Return the closed round trips of fills in order of time, first in first out per symbol.

    Fills must come in the order they happened; what is still open at the end is not among the round trips.
    """
    open_lots: dict[str, deque[Fill]] = {}
    closed: list[RoundTrip] = []
    for fill in fills:
        _check(fill.symbol, fill.quantity, fill.price)
        lots = open_lots.setdefault(fill.symbol, deque())
        rest = fill
        while rest.quantity and lots and lots[0].side != fill.side:
            size = min(lots[0].quantity, rest.quantity)
            entry, remaining = _split(lots[0], size)
            exit_, rest = _split(rest, size)
            closed.append(_round_trip(entry, exit_))
            if remaining.quantity:
                lots[0] = remaining
            else:
                lots.popleft()
        if rest.quantity:
            lots.append(rest)
    return closed


def excursions(round_trip: RoundTrip, bars: pd.DataFrame) -> Excursions:
    """Return how far the trade went against and for its holder.

    Parameters
    ----------
    round_trip
        The trade.
    bars
        Bars of its symbol in order of time: ts (timezone-aware), high, low. The bar that holds the entry
        counts whole; of the bar that holds the exit only the exit price does: its range may come later.
    """
    stamps = bars["ts"].dt.tz_convert("UTC").dt.tz_localize(None).to_numpy(dtype="datetime64[ns]")
    first = max(0, int(np.searchsorted(stamps, instant(round_trip.entry_ts), side="right")) - 1)
    last = int(np.searchsorted(stamps, instant(round_trip.exit_ts), side="right")) - 1
    entry, exit_price = float(round_trip.entry_price), float(round_trip.exit_price)
    held = bars.iloc[first : max(first, last)]
    high = float(np.nanmax([entry, exit_price, *held["high"].to_numpy(dtype=np.float64)]))
    low = float(np.nanmin([entry, exit_price, *held["low"].to_numpy(dtype=np.float64)]))
    up, down = high / entry - 1, low / entry - 1
    return Excursions(down, up) if round_trip.direction == "long" else Excursions(-up, -down)


def _split(fill: Fill, quantity: Decimal) -> tuple[Fill, Fill]:
    """Return the first `quantity` shares of a fill and the rest, the fee divided pro rata."""
    fee = fill.fee * quantity / fill.quantity
    taken = replace(fill, quantity=quantity, fee=fee)
    return taken, replace(fill, quantity=fill.quantity - quantity, fee=fill.fee - fee)


def _round_trip(entry: Fill, exit_: Fill) -> RoundTrip:
    sign = 1 if entry.side == "buy" else -1
    pnl = (exit_.price - entry.price) * entry.quantity * sign - entry.fee - exit_.fee
    notional = entry.price * entry.quantity
    return RoundTrip(
        symbol=entry.symbol,
        direction="long" if sign > 0 else "short",
        quantity=entry.quantity,
        entry_ts=entry.ts,
        entry_price=entry.price,
        exit_ts=exit_.ts,
        exit_price=exit_.price,
        pnl=pnl,
        rate_of_return=pnl / notional if notional else ZERO,
        entry_key=entry.key,
        exit_key=exit_.key,
    )


def _check(symbol: str, quantity: Decimal, price: Decimal) -> None:
    if not (quantity.is_finite() and quantity > 0):
        raise InvalidValueError(f"quantity of a fill of {symbol}", quantity, "a number above zero")
    if not (price.is_finite() and price >= 0):
        raise InvalidValueError(f"price of a fill of {symbol}", price, "a price in USD, zero or more")
