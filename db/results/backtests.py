"""Backtests with their trades and equity, and research runs with every try they made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from db.models.analytics import ResearchResult, ResearchRun
from db.models.strategy_engine import Backtest, BacktestEquity, BacktestTrade

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from db.results.rows import AnyRow, Rows


def backtests(connection: Connection, *, strategy: str | None = None, limit: int = 100) -> Rows:
    """Return backtests with their metrics, newest first."""
    statement = select(Backtest.__table__)
    if strategy is not None:
        statement = statement.where(Backtest.strategy == strategy)
    return connection.execute(statement.order_by(Backtest.created_at.desc(), Backtest.id.desc()).limit(limit)).all()


def backtest(connection: Connection, backtest_id: int) -> AnyRow | None:
    """Return one backtest."""
    return connection.execute(select(Backtest.__table__).where(Backtest.id == backtest_id)).one_or_none()


def trades(connection: Connection, backtest_id: int) -> Rows:
    """Return a backtest's round trips in order."""
    statement = select(BacktestTrade.__table__).where(BacktestTrade.backtest_id == backtest_id)
    return connection.execute(statement.order_by(BacktestTrade.ordinal)).all()


def equity(connection: Connection, backtest_id: int) -> Rows:
    """Return a backtest's equity by session, oldest first."""
    statement = select(BacktestEquity.__table__).where(BacktestEquity.backtest_id == backtest_id)
    return connection.execute(statement.order_by(BacktestEquity.session)).all()


def research_runs(connection: Connection, *, limit: int = 100) -> Rows:
    """Return research runs with the number of tries each holds, newest first."""
    tries = (
        select(func.count())
        .where(ResearchResult.research_run_id == ResearchRun.id)
        .correlate(ResearchRun)
        .scalar_subquery()
        .label("tries")
    )
    statement = select(ResearchRun.__table__, tries)
    return connection.execute(
        statement.order_by(ResearchRun.created_at.desc(), ResearchRun.id.desc()).limit(limit)
    ).all()


def research_run(connection: Connection, research_run_id: int) -> AnyRow | None:
    """Return one research run."""
    return connection.execute(select(ResearchRun.__table__).where(ResearchRun.id == research_run_id)).one_or_none()


def research_results(connection: Connection, research_run_id: int) -> Rows:
    """Return every try of a research run in order."""
    statement = select(ResearchResult.__table__).where(ResearchResult.research_run_id == research_run_id)
    return connection.execute(statement.order_by(ResearchResult.ordinal)).all()
