"""What a broker tells: clock, account, orders, fills and positions, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trading.calendar import session_before, session_of

if TYPE_CHECKING:
    from datetime import date, datetime
    from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Clock:
    """The broker's clock, which is the system's; all times UTC."""

    now: datetime
    is_open: bool
    next_open: datetime
    next_close: datetime

    @property
    def session(self) -> date:
        """The session orders sent now trade in: today's while the market is open, else the next one."""
        return session_of(self.next_close)

    @property
    def last_completed(self) -> date:
        """The session whose bar is complete: the one before the session orders trade in."""
        return session_before(self.session)

    @property
    def last_opened(self) -> date:
        """The session the account's present state belongs to."""
        return self.session if self.is_open else self.last_completed


@dataclass(frozen=True, slots=True)
class BrokerAccount:
    """The account's own figures, USD."""

    number: str
    equity: Decimal
    cash: Decimal
    buying_power: Decimal
    long_value: Decimal
    short_value: Decimal


@dataclass(frozen=True, slots=True)
class BrokerOrder:
    """An order as the broker has it.

    `quantity` is what it has filled where it was ordered by amount (`notional`, USD). `legs` are the exits that the
    broker keeps for it, where the answer tells of them; `replaces` and `replaced_by` are the broker's ids.
    """

    broker_order_id: str
    client_order_id: str
    symbol: str
    side: str
    type: str
    time_in_force: str
    quantity: Decimal
    limit_price: Decimal | None
    status: str
    filled_quantity: Decimal
    filled_average_price: Decimal | None
    submitted_at: datetime
    updated_at: datetime
    notional: Decimal | None = None
    stop_price: Decimal | None = None
    trail_price: Decimal | None = None
    trail_percent: Decimal | None = None
    extended_hours: bool = False
    order_class: str = "simple"
    replaces: str | None = None
    replaced_by: str | None = None
    legs: tuple[BrokerOrder, ...] = ()


@dataclass(frozen=True, slots=True)
class BrokerFill:
    """One execution; `execution_id` is unique in the account."""

    execution_id: str
    broker_order_id: str
    symbol: str
    side: str
    quantity: Decimal
    price: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class BrokerPosition:
    """What the account holds of one symbol, signed."""

    symbol: str
    quantity: Decimal
    market_price: Decimal


@dataclass(frozen=True, slots=True)
class BrokerActivity:
    """A line of the account's history that is no fill: a dividend, a split, cash in lieu, a fee, a transfer.

    `net_amount` is USD, signed; `quantity` shares, signed, and `per_share` USD where the broker tells them.
    """

    activity_id: str
    kind: str
    symbol: str | None
    day: date
    net_amount: Decimal
    quantity: Decimal | None
    per_share: Decimal | None

    @property
    def is_dividend(self) -> bool:
        """Whether it pays, or takes from the short, a cash dividend."""
        return self.kind.startswith("DIV")

    @property
    def is_split(self) -> bool:
        """Whether shares were multiplied."""
        return self.kind in {"SPLIT", "SSP"}

    @property
    def is_exchange(self) -> bool:
        """Whether shares of a symbol came from another's: a spin-off, or another name or symbol for the same shares."""
        return self.kind in {"SPIN", "SSO", "NC", "SC"}

    @property
    def is_cash_in_lieu(self) -> bool:
        """Whether fractions of shares were taken for money."""
        return self.kind == "CIL"
