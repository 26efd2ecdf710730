"""The universe, bars, the screener, ingestion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Numeric, case, cast, func, literal_column, or_, select, true

from db.models.data_ingestion import Asset, Bar, CorporateAction, IngestionRun
from db.models.strategy_engine import IndicatorValue

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from sqlalchemy import ColumnElement, Connection, Select

    from db.results.rows import Rows

QUARANTINED = "quarantined"
_NEW_YORK = "America/New_York"


def universe(
    connection: Connection, *, tracked: bool | None = None, search: str | None = None, limit: int = 1000
) -> Rows:
    """Return assets, tracked ones first, then by symbol; `search` looks in symbol and name."""
    statement = select(Asset.__table__)
    if tracked is not None:
        statement = statement.where(Asset.tracked == tracked)
    if search:
        statement = statement.where(
            or_(Asset.symbol.icontains(search, autoescape=True), Asset.name.icontains(search, autoescape=True))
        )
    return connection.execute(statement.order_by(Asset.tracked.desc(), Asset.symbol).limit(limit)).all()


def symbols(connection: Connection) -> list[str]:
    """Return every symbol the system knows."""
    return list(connection.execute(select(Asset.symbol).order_by(Asset.symbol)).scalars())


def bars(
    connection: Connection,
    symbol: str,
    timeframe: str,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    limit: int = 1000,
) -> Rows:
    """Return the newest `limit` raw bars of the range with their quality, oldest first."""
    columns = Bar.__table__.c
    statement = select(
        columns.ts, columns.open, columns.high, columns.low, columns.close, columns.volume, columns.quality
    ).where(Bar.symbol == symbol, Bar.timeframe == timeframe)
    if start is not None:
        statement = statement.where(Bar.ts >= start)
    if end is not None:
        statement = statement.where(Bar.ts <= end)
    return connection.execute(statement.order_by(Bar.ts.desc()).limit(limit)).all()[::-1]


def screener(connection: Connection, timeframe: str) -> Rows:
    """Return one row per tracked symbol: its latest usable bar and the change since the session before.

    The earlier close is adjusted for splits in between; symbols without bars come with nulls.
    """
    last = _usable(Asset.symbol, timeframe).correlate(Asset).lateral("last")
    midnight = func.timezone(_NEW_YORK, func.date_trunc("day", func.timezone(_NEW_YORK, last.c.ts)))
    before = _usable(Asset.symbol, timeframe).where(Bar.ts < midnight).correlate(Asset, last).lateral("before")
    now, then = cast(last.c.close, Numeric), cast(func.nullif(before.c.close, 0), Numeric)
    change = now * _split_ratio(Asset.symbol, before.c.ts, last.c.ts) / then - 1
    statement = (
        select(
            Asset.symbol,
            Asset.sector,
            last.c.close,
            change.label("change_1d"),
            last.c.volume,
            last.c.ts.label("bar_ts"),
        )
        .outerjoin(last, true())
        .outerjoin(before, true())
        .where(Asset.tracked)
        .order_by(Asset.symbol)
    )
    return connection.execute(statement).all()


def indicators(connection: Connection, timeframe: str) -> dict[str, dict[str, float | None]]:
    """Return symbol -> indicator -> its value at the symbol's latest bar."""
    found: dict[str, dict[str, float | None]] = {}
    statement = select(IndicatorValue.symbol, IndicatorValue.indicator, IndicatorValue.value)
    for row in connection.execute(statement.where(IndicatorValue.timeframe == timeframe)):
        found.setdefault(row.symbol, {})[row.indicator] = row.value
    return found


def ingestion_runs(connection: Connection, *, limit: int = 100) -> Rows:
    """Return ingestion runs, newest first."""
    statement = select(IngestionRun.__table__).order_by(IngestionRun.started_at.desc(), IngestionRun.id.desc())
    return connection.execute(statement.limit(limit)).all()


def _usable(symbol: Any, timeframe: str) -> Select[datetime, Decimal | None, int | None]:
    return (
        select(Bar.ts, Bar.close, Bar.volume)
        .where(Bar.symbol == symbol, Bar.timeframe == timeframe)
        .where(Bar.quality != QUARANTINED, Bar.close.is_not(None))
        .order_by(Bar.ts.desc())
        .limit(1)
    )


def _split_ratio(symbol: Any, after: ColumnElement[Any], until: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the product of the split ratios with an ex-date after one bar, up to another."""
    product = func.exp(func.sum(func.ln(CorporateAction.ratio)))
    return (
        select(case((func.count() == 0, literal_column("1")), else_=product))
        .where(
            CorporateAction.symbol == symbol,
            CorporateAction.kind == "split",
            CorporateAction.ex_date > func.date(func.timezone(_NEW_YORK, after)),
            CorporateAction.ex_date <= func.date(func.timezone(_NEW_YORK, until)),
        )
        .scalar_subquery()
    )
