"""Signals."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query

from api.dependencies import ConnectionDep, Cursor, Limit, StrategyFilter, SymbolFilter
from api.schemas.base import Listing
from api.schemas.signals import Signal
from db.results import signals

router = APIRouter(prefix="/api", tags=["signals"])


@router.get("/signals")
def signal_list(
    *,
    connection: ConnectionDep,
    strategy: StrategyFilter,
    symbol: SymbolFilter,
    session: Annotated[date | None, Query(description="New York date of the bar")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Listing[Signal]:
    """Return signals, newest bar first."""
    found = signals.signals(connection, strategy=strategy, symbol=symbol, session=session, limit=limit, cursor=cursor)
    return Listing[Signal].page(Signal, found)
