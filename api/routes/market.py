"""The universe, bars, the screener, ingestion."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from api.dependencies import ConnectionDep, EngineDep, From, Limit, Until, known_symbol
from api.schemas.market import Asset, AssetChange, Bar, Bars, IngestionRun, ScreenerRow
from db.repositories import assets, audit
from db.results import market
from trading.bars import Timeframe
from trading.errors import UnknownNameError

router = APIRouter(prefix="/api", tags=["market"])

ACTOR = "api"


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
) -> Bars:
    """Return a symbol's raw bars with their quality, oldest first."""
    symbol = known_symbol(connection, symbol)
    rows = market.bars(connection, symbol, timeframe, start=start, end=end, limit=limit)
    return Bars(symbol=symbol, timeframe=timeframe, items=Bar.each(rows))


@router.get("/screener")
def screener(connection: ConnectionDep, timeframe: Timeframe = "1Day") -> list[ScreenerRow]:
    """Return every tracked symbol at its latest bar, with the indicators computed there."""
    values = market.indicators(connection, timeframe)
    return [
        ScreenerRow.of(row).model_copy(update={"indicators": values.get(row.symbol, {})})
        for row in market.screener(connection, timeframe)
    ]


@router.get("/ingestion")
def ingestion(connection: ConnectionDep, limit: Limit = 100) -> list[IngestionRun]:
    """Return fetches and imports, newest first."""
    return IngestionRun.each(market.ingestion_runs(connection, limit=limit))
