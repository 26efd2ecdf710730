"""Accounts, the portfolio, positions, the equity curve."""

from __future__ import annotations

from datetime import date, datetime

from api.schemas.base import Answer


class Account(Answer):
    """A broker account the system has traded."""

    account: str
    kind: str
    opening_equity: float
    first_seen_at: datetime
    last_seen_at: datetime


class Position(Answer):
    """What one strategy holds of one symbol; `weight` is its share of the account's equity."""

    strategy: str
    symbol: str
    quantity: float
    average_cost: float
    market_price: float | None
    market_value: float | None
    unrealised_pnl: float | None
    realised_pnl: float
    weight: float | None
    marked_at: datetime | None


class Portfolio(Answer):
    """The account as of its last marked session; figures are null before the first one."""

    account: str
    kind: str
    session: date | None
    at: datetime | None
    equity: float | None
    cash: float | None
    buying_power: float | None
    long_value: float | None
    short_value: float | None
    day_return: float | None
    total_return: float | None
    opening_equity: float
    trading_state: str
    orders: int
    fills: int
    positions: list[Position]


class EquityPoint(Answer):
    """One session of an equity curve; `drawdown` is at most zero."""

    session: date
    equity: float
    benchmark: float | None
    drawdown: float


class EquityCurve(Answer):
    """The equity of a scope by session, oldest first."""

    scope: str
    points: list[EquityPoint]
