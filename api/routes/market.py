"""The universe, bars, the screener, ingestion."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query

from api.dependencies import ConnectionDep, EngineDep, From, Limit, Until, known_symbol
from api.schemas.market import Asset, AssetChange, Bar, Bars, IngestionRun, ScreenerRow
from db.frames import Adjustment
from db.repositories import assets, audit
from db.results import market
from trading.bars import Timeframe
from trading.errors import UnknownNameError

router = APIRouter(prefix="/api", tags=["market"])

ACTOR = "api"
AsOf = Annotated[date | None, Query(description="the date (New York) whose knowledge counts; default: of the last bar")]


@router.get("/universe")
def universe(
    *,
    connection: ConnectionDep,
    tracked: Annotated[bool | None, Query(description="only tracked symbols, or only others")] = None,
    search: Annotated[str | None, Query(max_length=80, description="part of a symbol or name")] = None,
    limit: Limit = 1000,
) -> list[Asset]:
    """Return the broker's symbols, tracked ones first."""
    return Asset.each(market.universe(connection, tracked=tracked, search=search, limit=limit))


@router.put("/universe/{symbol:path}")
def change_asset(engine: EngineDep, symbol: str, body: AssetChange) -> Asset:
    """Change a symbol's tracked flag, sector or tags."""
    symbol = symbol.upper()
    change = body.model_dump(exclude_none=True)
    with engine.begin() as connection:
        known = market.symbols(connection)
        if symbol not in known:
            raise UnknownNameError("symbol", symbol, known)
        assets.update(connection, symbol, **change)
        audit.record(connection, actor=ACTOR, action="universe.changed", subject=symbol, detail=change)
        return next(asset for asset in Asset.each(market.universe(connection, search=symbol)) if asset.symbol == symbol)


@router.get("/bars/{symbol:path}")
def bars(
    *,
    connection: ConnectionDep,
    symbol: str,
    timeframe: Timeframe = "1Day",
    start: From = None,
    end: Until = None,
    limit: Annotated[int, Query(ge=1, le=10_000, description="bars at most, the newest of the range")] = 1000,
    adjustment: Annotated[
        Adjustment, Query(description="as traded, splits divided out, or dividends and spin-offs taken out too")
    ] = "raw",
    as_of: AsOf = None,
) -> Bars:
    """Return a symbol's bars with their quality, oldest first, archived ones included.

    The symbol means the company it meant on `as_of`; prices are as whoever looked at them then saw them.
    """
    symbol = known_symbol(connection, symbol)
    found = market.bars(
        connection, symbol, timeframe, start=start, end=end, limit=limit, adjustment=adjustment, as_of=as_of
    )
    return Bars(symbol=symbol, timeframe=timeframe, adjustment=adjustment, items=Bar.each(found))


@router.get("/screener")
def screener(connection: ConnectionDep, timeframe: Timeframe = "1Day", as_of: AsOf = None) -> list[ScreenerRow]:
    """Return every tracked symbol at its latest bar (of `as_of`, if given), with the indicators computed there.

    Prices are adjusted for splits. Indicators are of the newest bars only: with `as_of` there are none.
    """
    values = market.indicators(connection, timeframe) if as_of is None else {}
    return [
        ScreenerRow.of(row).model_copy(update={"indicators": values.get(row.symbol, {})})
        for row in market.screener(connection, timeframe, as_of=as_of)
    ]


@router.get("/ingestion")
def ingestion(connection: ConnectionDep, limit: Limit = 100) -> list[IngestionRun]:
    """Return fetches and imports, newest first."""
    return IngestionRun.each(market.ingestion_runs(connection, limit=limit))
