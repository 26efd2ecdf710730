"""What routes take: settings, connections, the account, and the parameters they share."""

from __future__ import annotations

from collections.abc import AsyncIterator  # noqa: TC003 - FastAPI reads annotations at run time
from datetime import UTC, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Depends, Path, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BeforeValidator
from sqlalchemy import Connection, Engine, select

from api.orchestrator import Orchestrator
from db.models.execution import EXTERNAL, Order
from db.results import market, portfolio, strategies
from trading.config import Settings
from trading.errors import UnknownNameError

NEW_YORK = ZoneInfo("America/New_York")


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


def _engine(request: Request) -> Engine:
    engine: Engine = request.app.state.engine
    return engine


def _orchestrator(request: Request) -> Orchestrator:
    orchestrator: Orchestrator = request.app.state.orchestrator
    return orchestrator


SettingsDep = Annotated[Settings, Depends(_settings)]
EngineDep = Annotated[Engine, Depends(_engine)]
OrchestratorDep = Annotated[Orchestrator, Depends(_orchestrator)]


async def _connection(request: Request, engine: EngineDep) -> AsyncIterator[Connection]:
    # Waiting for a turn here, not in a thread for the pool: threads that all wait for connections would leave
    # none to the requests that hold them.
    async with request.app.state.readers:
        connection = await run_in_threadpool(engine.connect)
        try:
            # One snapshot for all queries of an answer, so that positions and equity belong together.
            yield connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        finally:
            await run_in_threadpool(connection.close)


ConnectionDep = Annotated[Connection, Depends(_connection)]
"""A connection that can only read; routes that change something open their own transaction instead."""


AccountQuery = Annotated[str | None, Query(description="broker account; default: the one seen last")]


def _account(connection: ConnectionDep, account: AccountQuery = None) -> str | None:
    return portfolio.account(connection, account)


def _strategy(
    connection: ConnectionDep, strategy: Annotated[str | None, Query(description="only this strategy")] = None
) -> str | None:
    if strategy is not None and strategy != EXTERNAL:
        known = strategies.names(connection)
        if strategy not in known:
            raise UnknownNameError("strategy", strategy, known)
    return strategy


def _symbol(
    connection: ConnectionDep, symbol: Annotated[str | None, Query(description="only this symbol")] = None
) -> str | None:
    return None if symbol is None else known_symbol(connection, symbol)


def known_symbol(connection: Connection, symbol: str) -> str:
    """Return a symbol, in capitals, that the system knows or that somebody has traded.

    Raises
    ------
    UnknownNameError
        Nobody knows it.
    """
    symbol = symbol.upper()
    known = market.symbols(connection)
    traded = select(Order.id).where(Order.symbol == symbol).limit(1)
    if symbol not in known and connection.execute(traded).one_or_none() is None:
        raise UnknownNameError("symbol", symbol, known)
    return symbol


AccountDep = Annotated[str | None, Depends(_account)]
StrategyFilter = Annotated[str | None, Depends(_strategy)]
SymbolFilter = Annotated[str | None, Depends(_symbol)]
Limit = Annotated[int, Query(ge=1, le=1000, description="rows at most")]
Cursor = Annotated[str | None, Query(max_length=200, description="`next` of the page before")]


def _start(value: object) -> object:
    return _moment(value, last=False)


def _end(value: object) -> object:
    return _moment(value, last=True)


def _moment(value: object, *, last: bool) -> object:
    """Return a text as a moment in UTC: a bare date is its whole New York day, a time without zone New York's."""
    if not isinstance(value, str):
        return value
    try:
        return _read(value, last=last).astimezone(UTC)
    except OverflowError:
        raise ValueError("beyond the years 1 to 9999") from None


def _read(value: str, *, last: bool) -> datetime:
    moment = datetime.fromisoformat(value)
    if len(value) == len("2012-12-03"):
        day = datetime.combine(moment.date(), time.min, NEW_YORK)
        return day + timedelta(days=1, microseconds=-1) if last else day
    return moment if moment.tzinfo else moment.replace(tzinfo=NEW_YORK)


From = Annotated[datetime | None, BeforeValidator(_start), Query(description="ISO date (New York) or time, inclusive")]
BarStart = Annotated[
    datetime, BeforeValidator(_start), Path(description="a bar's start: ISO time, or a daily bar's date (New York)")
]
Until = Annotated[datetime | None, BeforeValidator(_end), Query(description="ISO date (New York) or time, inclusive")]
