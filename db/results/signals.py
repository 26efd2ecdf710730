"""What the strategies wanted to hold, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Date, cast, func, select

from db.models.strategy_engine import Signal, StrategyRun, StrategyVersion
from db.results.rows import AnyRow, Page, page

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


def explained(connection: Connection, identity: int) -> AnyRow | None:
    """Return a signal with its version's definition, and what its evaluation saw and left undecided."""
    statement = (
        select(
            Signal.__table__,
            StrategyVersion.definition,
            StrategyRun.bars_sha256,
            StrategyRun.undecided,
        )
        .join(StrategyVersion, StrategyVersion.version == Signal.strategy_version)
        .join(StrategyRun, StrategyRun.id == Signal.strategy_run_id)
        .where(Signal.id == identity)
    )
    return connection.execute(statement).one_or_none()
