"""Metrics, round trips and their breakdowns."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from api.dependencies import AccountDep, ConnectionDep, Limit, StrategyFilter, SymbolFilter
from api.errors import MissingError
from api.schemas.performance import Breakdown, Performance, RoundTrip
from db.results import performance
from db.results.portfolio import PORTFOLIO
from trading.errors import UnknownNameError

router = APIRouter(prefix="/api", tags=["performance"])

Scope = Annotated[str, Query(description="portfolio, or a strategy")]


@router.get("/performance")
def performance_of(connection: ConnectionDep, account: AccountDep, scope: Scope = PORTFOLIO) -> Performance:
    """Return a scope's metrics over the longest of the periods that end last."""
    row = performance.performance(connection, account, scope)
    if row is None:
        known = performance.scopes(connection, account)
        if known:
            raise UnknownNameError("scope", scope, known)
        raise MissingError("no performance has been computed yet; run the deployment calculate-performance")
    return Performance.of(row)


@router.get("/performance/scopes")
def performance_scopes(connection: ConnectionDep, account: AccountDep) -> list[str]:
    """Return the scopes that have metrics."""
    return performance.scopes(connection, account)


@router.get("/trades")
def round_trips(
    *,
    connection: ConnectionDep,
    account: AccountDep,
    strategy: StrategyFilter,
    symbol: SymbolFilter,
    limit: Limit = 100,
) -> list[RoundTrip]:
    """Return round trips, the one closed last first."""
    return RoundTrip.each(performance.round_trips(connection, account, strategy=strategy, symbol=symbol, limit=limit))


@router.get("/trades/breakdown")
def trade_breakdown(
    *,
    connection: ConnectionDep,
    account: AccountDep,
    scope: Scope = PORTFOLIO,
    dimension: Annotated[str | None, Query(description="symbol, weekday, hour, exit_reason; default: all")] = None,
) -> list[Breakdown]:
    """Return round trips summed over the buckets of a dimension."""
    return Breakdown.each(performance.breakdown(connection, account, scope, dimension=dimension))
