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
OrderType = Literal["market", "limit", "stop", "stop_limit", "trailing_stop"]
TimeInForce = Literal["day", "gtc", "opg", "cls", "ioc", "fok"]
OrderClass = Literal["simple", "bracket", "oco", "oto"]
Role = Literal["entry", "take_profit", "stop_loss"]
Status = Literal[
    "accepted",
    "new",
    "partially_filled",
    "held",
    "pending_cancel",
    "filled",
    "canceled",
    "expired",
    "replaced",
    "rejected",
]

OPEN_STATUSES: frozenset[str] = frozenset({"accepted", "new", "partially_filled", "held", "pending_cancel"})
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
    failed_at: datetime | None = None
    replaced_at: datetime | None = None
    replaced_by: str | None = None
    replaces: str | None = None
    stop_price: Decimal | None = None
    trail_price: Decimal | None = None
    trail_percent: Decimal | None = None
    hwm: Decimal | None = None
    """Best price a trailing stop has seen: highest for a sell, lowest for a buy."""
    triggered: bool = False
    """Whether a stop was reached: from then on it is a market or a limit order."""
    order_class: OrderClass = "simple"
    role: Role | None = None
    parent_id: str | None = None
    """Of a leg: the order it was sent with."""
    leg_ids: tuple[str, ...] = ()
    group_id: str | None = None
    active_at: datetime | None = None
    """Of a leg: when its entry was filled; before that it cannot fill."""

    @property
    def is_open(self) -> bool:
        """Whether the order may still fill."""
        return self.status in OPEN_STATUSES

    @property
    def sign(self) -> int:
        """Return +1 for a buy, -1 for a sell."""
        return 1 if self.side == "buy" else -1

    @property
    def is_active(self) -> bool:
        """Whether it may fill now: open, and if a leg, with its entry filled."""
        return self.is_open and (self.parent_id is None or self.active_at is not None)

    @property
    def filled_value(self) -> Decimal:
        """Dollars filled so far."""
        return self.filled_qty * (self.filled_avg_price or ZERO)

    @property
    def works_as(self) -> Literal["market", "limit", "stop"]:
        """What it is at present: a stop that was reached is a market order, a stop-limit a limit order."""
        if self.type in {"market", "limit"}:
            return "market" if self.type == "market" else "limit"
        if not self.triggered:
            return "stop"
        return "limit" if self.type == "stop_limit" else "market"

    @property
    def stop(self) -> Decimal | None:
        """The price that triggers it: fixed, or trailing the best price seen."""
        if self.type != "trailing_stop" or self.hwm is None:
            return self.stop_price
        trail = self.trail_price if self.trail_price is not None else self.hwm * (self.trail_percent or ZERO) / 100
        return self.hwm + trail if self.side == "buy" else self.hwm - trail


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
    """One line of the account's history: a fill, a dividend, a split, cash for a fraction of a share, or a fee."""

    id: str
    sequence: int
    type: Literal["FILL", "DIV", "SPLIT", "CIL", "FEE"]
    at: datetime
    symbol: str
    qty: Decimal
    order_id: str | None = None
    side: Side | None = None
    price: Decimal | None = None
    per_share: Decimal | None = None
    net_amount: Decimal = ZERO
    cum_qty: Decimal | None = None
    leaves_qty: Decimal = ZERO

    @property
    def execution_id(self) -> str:
        """The part of a fill's id that the stream calls its execution id."""
        return self.id.rpartition("::")[2]


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
