"""What analytics computes: backtests, performance, round trips, reports, research."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from db.models.analytics import (
    EquityPoint,
    Performance,
    Report,
    ResearchResult,
    ResearchRun,
    RoundTrip,
    TradeBreakdown,
)
from db.models.strategy_engine import Backtest, BacktestEquity, BacktestTrade
from db.statements import insert_missing, upsert

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from sqlalchemy import Connection, Row


def record_backtest(
    connection: Connection,
    backtest: Mapping[str, Any],
    *,
    trades: Iterable[Mapping[str, Any]],
    equity: Iterable[Mapping[str, Any]],
) -> int:
    """Write a backtest with its trades and equity, unless the same one is there; return its id."""
    new = insert_missing(connection, Backtest, [backtest]) == 1
    identity = connection.scalars(select(Backtest.id).where(Backtest.key == backtest["key"])).one()
    if new:
        insert_missing(connection, BacktestTrade, [{**row, "backtest_id": identity} for row in trades])
        insert_missing(connection, BacktestEquity, [{**row, "backtest_id": identity} for row in equity])
    return identity


def record_performance(connection: Connection, row: Mapping[str, Any]) -> None:
    """Write the metric set of a scope and period, replacing an earlier computation."""
    upsert(connection, Performance, [row], keys=["account", "scope", "period_start", "period_end"])


def record_curve(connection: Connection, points: Iterable[Mapping[str, Any]]) -> None:
    """Write a scope's equity curve."""
    upsert(connection, EquityPoint, points, keys=["account", "scope", "session"])


def record_round_trips(connection: Connection, account: str, trips: Iterable[Mapping[str, Any]]) -> int:
    """Replace an account's round trips by the ones computed from all its fills; return how many."""
    connection.execute(delete(RoundTrip).where(RoundTrip.account == account))
    rows = list(trips)
    if rows:
        connection.execute(insert(RoundTrip), rows)
    return len(rows)


def record_breakdowns(connection: Connection, account: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Replace an account's trade breakdowns."""
    connection.execute(delete(TradeBreakdown).where(TradeBreakdown.account == account))
    insert_missing(connection, TradeBreakdown, rows)


def curve(connection: Connection, account: str, scope: str) -> Sequence[Row[Any]]:
    """Return a scope's equity curve, oldest session first."""
    statement = select(EquityPoint.__table__).where(EquityPoint.account == account, EquityPoint.scope == scope)
    return connection.execute(statement.order_by(EquityPoint.session)).all()


def performance(connection: Connection, account: str, *, until: date) -> Sequence[Row[Any]]:
    """Return the newest metric set of every scope that ends at or before `until`."""
    statement = (
        select(Performance.__table__)
        .where(Performance.account == account, Performance.period_end <= until)
        .order_by(Performance.scope, Performance.period_end.desc(), Performance.period_start)
        .distinct(Performance.scope)
    )
    return connection.execute(statement).all()


def round_trips(connection: Connection, account: str) -> Sequence[Row[Any]]:
    """Return an account's round trips, by exit."""
    statement = select(RoundTrip.__table__).where(RoundTrip.account == account)
    return connection.execute(statement.order_by(RoundTrip.exit_at, RoundTrip.id)).all()


def record_report(connection: Connection, row: Mapping[str, Any]) -> None:
    """Register a report file; the same report again replaces it."""
    upsert(connection, Report, [row], keys=["account", "kind", "period_start", "period_end"])


def begin_research(connection: Connection, row: Mapping[str, Any]) -> tuple[int, set[int]]:
    """Open a research run, or find the same one; return its id and the tries that are done."""
    insert_missing(connection, ResearchRun, [row])
    identity = connection.scalars(select(ResearchRun.id).where(ResearchRun.key == row["key"])).one()
    done = connection.scalars(select(ResearchResult.ordinal).where(ResearchResult.research_run_id == identity))
    return identity, set(done)


def specification(connection: Connection, run: int) -> dict[str, Any]:
    """Return what a research run asked."""
    found: dict[str, Any] = connection.scalars(select(ResearchRun.specification).where(ResearchRun.id == run)).one()
    return found


def record_tries(connection: Connection, run: int, rows: Iterable[Mapping[str, Any]]) -> int:
    """Write tries of a research run; one already there stays."""
    return insert_missing(connection, ResearchResult, [{**row, "research_run_id": run} for row in rows])


def tries(connection: Connection, run: int) -> Sequence[Row[Any]]:
    """Return every try of a research run, in order."""
    statement = select(ResearchResult.__table__).where(ResearchResult.research_run_id == run)
    return connection.execute(statement.order_by(ResearchResult.ordinal)).all()


def sharpes_tried(connection: Connection, strategy: str) -> list[float]:
    """Return the annual Sharpe ratio of every try that was recorded for a strategy and has one."""
    sharpe = ResearchResult.metrics["sharpe"].as_float()
    statement = (
        select(sharpe)
        .join(ResearchRun, ResearchRun.id == ResearchResult.research_run_id)
        .where(ResearchRun.strategy == strategy, sharpe.is_not(None))
    )
    return list(map(float, connection.scalars(statement)))


def finish_research(connection: Connection, run: int) -> None:
    """Mark a research run as complete."""
    connection.execute(update(ResearchRun).where(ResearchRun.id == run).values(status="completed"))
