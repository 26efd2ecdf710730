"""What the seeded world is made of: its names, its real bars, and how rows are added."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import insert

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from db.models import Base

ACCOUNT, EARLIER = "SIM0002", "SIM0001"
SECTORS = {"AAPL": "Technology", "FB": "Technology", "GOOG": "Technology", "IBM": "Services", "MSFT": "Software"}
SESSIONS = 130
LAST = date(2012, 12, 7)
MISSING = date(2012, 12, 10)
"""The session after the last, of which a bar is missed."""
CAPITAL = Decimal(100_000)
RUN = UUID("11111111-2222-3333-4444-555555555555")
NEW_YORK = ZoneInfo("America/New_York")

CROSSOVER, MOMENTUM = "sma_crossover", "momentum_rotation"
TRADES = (  # session, strategy, symbol, side, shares
    (60, MOMENTUM, "AAPL", "buy", 40),
    (60, MOMENTUM, "GOOG", "buy", 35),
    (65, CROSSOVER, "IBM", "buy", 60),
    (85, CROSSOVER, "IBM", "sell", 60),
    (90, CROSSOVER, "MSFT", "buy", 300),
    (110, MOMENTUM, "GOOG", "sell", 35),
    (115, CROSSOVER, "MSFT", "sell", 100),
    (129, CROSSOVER, "IBM", "buy", 80),
)


@dataclass(frozen=True)
class Bar:
    """A real daily bar of `bokeh_sampledata`."""

    session: date
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int

    @property
    def ts(self) -> datetime:
        return midnight(self.session)


@cache
def bars(symbol: str) -> tuple[Bar, ...]:
    """Return the symbol's last `SESSIONS` daily bars up to `LAST`."""
    from bokeh_sampledata import stocks

    table: dict[str, list[Any]] = getattr(stocks, symbol)
    columns = zip(*(table[name] for name in ("date", "open", "high", "low", "close", "volume")), strict=True)
    found = [
        Bar(date.fromisoformat(day), exact(opening), exact(high), exact(low), exact(close), volume)
        for day, opening, high, low, close, volume in columns
        if day <= LAST.isoformat()
    ]
    return tuple(found[-SESSIONS:])


def exact(price: float) -> Decimal:
    """Return a price as it is written."""
    return Decimal(str(price))


def midnight(day: date) -> datetime:
    """Return when a daily bar starts: midnight New York, in UTC."""
    return datetime.combine(day, time.min, NEW_YORK).astimezone(UTC)


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """Return a New York wall time in UTC."""
    return datetime.combine(day, time(hour, minute), NEW_YORK).astimezone(UTC)


def add(connection: Connection, model: type[Base], *rows: dict[str, Any]) -> None:
    """Insert rows; column names as in the table."""
    connection.execute(insert(model), list(rows))


def add_one(connection: Connection, model: Any, **row: Any) -> int:
    """Insert a row and return its id."""
    key: int = connection.execute(insert(model).returning(model.id), row).scalar_one()
    return key
