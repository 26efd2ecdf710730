"""What the account holds: its orders, positions and activities, as frozen records.

Quantities are shares, amounts dollars, both exact decimals; times are UTC.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict

ZERO = Decimal(0)

Side = Literal["buy", "sell"]
OrderType = Literal["market", "limit"]
TimeInForce = Literal["day", "gtc", "opg", "cls"]
Status = Literal["accepted", "new", "filled", "canceled", "expired"]

OPEN_STATUSES: frozenset[str] = frozenset({"accepted", "new"})
"""Statuses in which an order may still fill."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class Account(_Record):
    """The one account; a reset makes another with a number of its own."""

    id: str
    number: str
    generation: int
    created_at: datetime
    opening_cash: Decimal
    cash: Decimal
    clock: datetime
    activities_written: int = 0


class Order(_Record):
    """One order and what became of it."""

    id: str
    client_order_id: str
    sequence: int
    symbol: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    qty: Decimal | None
    notional: Decimal | None
    limit_price: Decimal | None
    extended_hours: bool
    position_intent: str
    reserved: Decimal
    """Buying power held while the order is open; zero when it reduces a position."""
    status: Status
    submitted_at: datetime
    updated_at: datetime
    expires_at: datetime
    filled_qty: Decimal = ZERO
    filled_avg_price: Decimal | None = None
    filled_at: datetime | None = None
    canceled_at: datetime | None = None
    expired_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether the order may still fill."""
        return self.status in OPEN_STATUSES

    @property
    def sign(self) -> int:
        """Return +1 for a buy, -1 for a sell."""
        return 1 if self.side == "buy" else -1


class Position(_Record):
    """Shares held in one symbol, negative when short; `cost` has the sign of the quantity."""

    symbol: str
    qty: Decimal
    cost: Decimal
    session_cost: Decimal
    """What the shares were worth at the last close, or cost if bought since: the basis of today's gain."""

    @property
    def average(self) -> Decimal:
        """Average entry price."""
        return self.cost / self.qty


class Activity(_Record):
    """One line of the account's history: a fill, a dividend or a split."""

    id: str
    sequence: int
    type: Literal["FILL", "DIV", "SPLIT"]
    at: datetime
    symbol: str
    qty: Decimal
    order_id: str | None = None
    side: Side | None = None
    price: Decimal | None = None
    per_share: Decimal | None = None
    net_amount: Decimal = ZERO


class EquityPoint(_Record):
    """The account at one session's close, marked at that close."""

    day: date
    equity: Decimal
    maintenance_margin: Decimal


def after_trade(position: Position | None, *, symbol: str, qty: Decimal, price: Decimal) -> Position | None:
    """Return the position after buying (`qty` > 0) or selling (`qty` < 0) at a price; None when flat.

    Adding to a position averages its cost; reducing keeps the average; what goes through zero starts anew.
    """
    value = qty * price
    if position is None or position.qty == 0:
        return Position(symbol=symbol, qty=qty, cost=value, session_cost=value)
    held = position.qty + qty
    if held == 0:
        return None
    if (position.qty > 0) == (qty > 0):
        cost, session_cost = position.cost + value, position.session_cost + value
    elif (held > 0) == (position.qty > 0):
        left = held / position.qty
        cost, session_cost = position.cost * left, position.session_cost * left
    else:
        cost = session_cost = held * price
    return Position(symbol=symbol, qty=held, cost=cost, session_cost=session_cost)
