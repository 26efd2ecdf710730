"""Backtests and research runs."""

from __future__ import annotations

from fastapi import APIRouter

from api.dependencies import ConnectionDep, Limit, StrategyFilter
from api.errors import MissingError
from api.schemas.backtests import (
    Backtest,
    BacktestDetail,
    BacktestEquity,
    BacktestTrade,
    Research,
    ResearchDetail,
    ResearchResult,
    ResearchSummary,
)
from db.repositories import results
from db.results import backtests
from trading.robustness.luck import deflated_best

router = APIRouter(prefix="/api", tags=["backtests"])


@router.get("/backtests")
def backtest_list(connection: ConnectionDep, strategy: StrategyFilter, limit: Limit = 100) -> list[Backtest]:
    """Return backtests with their metrics, newest first."""
    return Backtest.each(backtests.backtests(connection, strategy=strategy, limit=limit))


@router.get("/backtests/{backtest_id}")
def backtest_detail(connection: ConnectionDep, backtest_id: int) -> BacktestDetail:
    """Return a backtest with its equity and trades."""
    row = backtests.backtest(connection, backtest_id)
    if row is None:
        raise MissingError(f"no backtest {backtest_id}; GET /api/backtests lists them")
    return BacktestDetail(
        **Backtest.of(row).model_dump(),
        bars_sha256=row.bars_sha256,
        assumptions=row.assumptions,
        equity=BacktestEquity.each(backtests.equity(connection, backtest_id)),
        trades=BacktestTrade.each(backtests.trades(connection, backtest_id)),
    )


@router.get("/research")
def research_list(connection: ConnectionDep, limit: Limit = 100) -> list[ResearchSummary]:
    """Return sweeps and walk-forwards, newest first."""
    return ResearchSummary.each(backtests.research_runs(connection, limit=limit))


@router.get("/research/{research_run_id}")
def research_detail(connection: ConnectionDep, research_run_id: int) -> ResearchDetail:
    """Return a research run with every try it made."""
    row = backtests.research_run(connection, research_run_id)
    if row is None:
        raise MissingError(f"no research run {research_run_id}; GET /api/research lists them")
    tries = backtests.research_results(connection, research_run_id)
    recorded = results.sharpes_tried(connection, row.strategy)
    return ResearchDetail(
        **Research.of(row).model_dump(),
        tries_recorded=len(recorded),
        deflated_sharpe=deflated_best((each.metrics for each in tries), recorded),
        results=ResearchResult.each(tries),
    )
