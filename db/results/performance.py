"""Metrics, round trips and their breakdowns, reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from db.models.analytics import Performance, Report, RoundTrip, TradeBreakdown

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from db.results.rows import AnyRow, Rows


def performance(connection: Connection, account: str | None, scope: str) -> AnyRow | None:
    """Return a scope's metrics over the period that ends last, the longest of those."""
    statement = (
        select(Performance.__table__)
        .where(Performance.account == account, Performance.scope == scope)
        .order_by(Performance.period_end.desc(), Performance.period_start, Performance.id.desc())
        .limit(1)
    )
    return connection.execute(statement).one_or_none()


def scopes(connection: Connection, account: str | None) -> list[str]:
    """Return the scopes that have metrics."""
    statement = select(Performance.scope).where(Performance.account == account).distinct()
    return sorted(connection.execute(statement).scalars())


def round_trips(
    connection: Connection,
    account: str | None,
    *,
    strategy: str | None = None,
    symbol: str | None = None,
    limit: int = 100,
) -> Rows:
    """Return round trips, the one closed last first."""
    statement = select(RoundTrip.__table__).where(RoundTrip.account == account)
    if strategy is not None:
        statement = statement.where(RoundTrip.strategy == strategy)
    if symbol is not None:
        statement = statement.where(RoundTrip.symbol == symbol)
    return connection.execute(statement.order_by(RoundTrip.exit_at.desc(), RoundTrip.id.desc()).limit(limit)).all()


def breakdown(connection: Connection, account: str | None, scope: str, *, dimension: str | None = None) -> Rows:
    """Return round trips summed by the buckets of one dimension, or of all."""
    statement = select(TradeBreakdown.__table__).where(TradeBreakdown.account == account, TradeBreakdown.scope == scope)
    if dimension is not None:
        statement = statement.where(TradeBreakdown.dimension == dimension)
    return connection.execute(statement.order_by(TradeBreakdown.dimension, TradeBreakdown.bucket)).all()


def reports(connection: Connection, account: str | None, *, limit: int = 100) -> Rows:
    """Return report files, newest first."""
    statement = select(Report.__table__).where(Report.account == account)
    return connection.execute(statement.order_by(Report.created_at.desc(), Report.id.desc()).limit(limit)).all()


def report(connection: Connection, report_id: int) -> AnyRow | None:
    """Return one report file's row."""
    return connection.execute(select(Report.__table__).where(Report.id == report_id)).one_or_none()
