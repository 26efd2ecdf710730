"""What the strategies wanted to hold, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Date, cast, func, select

from db.models.strategy_engine import Signal
from db.results.rows import Page, page

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy import Connection


def signals(
    connection: Connection,
    *,
    strategy: str | None = None,
    symbol: str | None = None,
    session: date | None = None,
    limit: int = 100,
    cursor: str | None = None,
) -> Page:
    """Return signals, newest bar first; `session` is the New York date of the bar."""
    statement = select(Signal.__table__)
    if strategy is not None:
        statement = statement.where(Signal.strategy == strategy)
    if symbol is not None:
        statement = statement.where(Signal.symbol == symbol)
    if session is not None:
        statement = statement.where(cast(func.timezone("America/New_York", Signal.bar_ts), Date) == session)
    columns = Signal.__table__.c
    return page(connection, statement, at=columns.bar_ts, key=columns.id, limit=limit, cursor=cursor)
