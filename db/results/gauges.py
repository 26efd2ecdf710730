"""The figures that monitoring scrapes, each as one aggregate query."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from db.models.data_ingestion import TIMEFRAMES
from db.models.execution import Account, Fill, Order, Position
from db.models.notification import Delivery
from db.models.risk_management import LimitBreach
from db.models.strategy_engine import Signal
from db.repositories import bars

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Select


def orders_by_status(connection: Connection, account: str | None) -> dict[str, int]:
    """Return how many of the account's orders stand in each status."""
    statement = select(Order.status, func.count()).where(Order.account == account).group_by(Order.status)
    return {row[0]: row[1] for row in connection.execute(statement)}


def open_orders(connection: Connection, account: str | None) -> int:
    """Return how many of the account's orders are not final."""
    return _count(connection, select(func.count()).where(Order.account == account, Order.closed_at.is_(None)))


def open_positions(connection: Connection, account: str | None) -> int:
    """Return how many positions hold shares."""
    return _count(connection, select(func.count()).where(Position.account == account, Position.quantity != 0))


def fills(connection: Connection, account: str | None) -> int:
    """Return how many fills the account has had."""
    return _count(connection, select(func.count()).where(Fill.account == account))


def signals(connection: Connection) -> int:
    """Return how many signals there are."""
    return _count(connection, select(func.count()).select_from(Signal))


def breaches(connection: Connection, account: str | None) -> int:
    """Return how many limit breaches the account has had."""
    return _count(connection, select(func.count()).where(LimitBreach.account == account))


def undelivered(connection: Connection) -> int:
    """Return how many deliveries are pending or have failed."""
    return _count(connection, select(func.count()).where(Delivery.status != "delivered"))


def last_bars(connection: Connection) -> dict[str, datetime]:
    """Return the start of the newest bar of each timeframe."""
    found = ((timeframe, bars.newest(connection, timeframe=timeframe)) for timeframe in TIMEFRAMES)
    return {timeframe: ts for timeframe, ts in found if ts is not None}


def last_seen(connection: Connection) -> datetime | None:
    """Return the broker's time when an account was seen last: the system's idea of now."""
    return connection.execute(select(func.max(Account.last_seen_at))).scalar_one()


def _count(connection: Connection, statement: Select[int]) -> int:
    return connection.execute(statement).scalar_one()
