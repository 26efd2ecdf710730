"""The universe, bars, the screener, ingestion."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Any

from sqlalchemy import or_, select

from db import frames
from db.models.data_ingestion import Asset, IngestionRun
from db.models.strategy_engine import IndicatorValue
from trading.calendar import session_dates

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from sqlalchemy import Connection

    from db.frames import Adjustment
    from db.results.rows import Rows

PRICES = ("open", "high", "low", "close")


@dataclass(frozen=True, slots=True)
class BarRow:
    """A bar: start (UTC), prices in USD, shares, and what the rules said of it."""

    ts: datetime
    open: float | None
    high: float | None
    low: float | None
    close: float | None
    volume: int | None
    quality: str


@dataclass(frozen=True, slots=True)
class ScreenedRow:
    """A tracked symbol at its latest usable bar, which it need not have."""

    symbol: str
    sector: str | None
    close: float | None = None
    change_1d: float | None = None
    volume: int | None = None
    bar_ts: datetime | None = None


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
    adjustment: Adjustment = "raw",
    as_of: date | None = None,
) -> list[BarRow]:
    """Return the newest `limit` bars of the range with their quality, oldest first; see `db.frames.newest`."""
    found = frames.newest(
        connection,
        [symbol],
        timeframe=timeframe,
        count=limit,
        start=start,
        end=end,
        as_of=as_of,
        adjustment=adjustment,
        quarantined=True,
    )
    prices = (map(_known, found[name].tolist()) for name in PRICES)
    volumes = [None if volume is None else round(volume) for volume in map(_known, found["volume"].tolist())]
    stamps = [ts.to_pydatetime() for ts in found["ts"]]
    return list(map(BarRow, stamps, *prices, volumes, found["quality"]))


def screener(connection: Connection, timeframe: str, *, as_of: date | None = None) -> list[ScreenedRow]:
    """Return one row per tracked symbol: its latest usable bar and the change since the session before.

    Prices are adjusted for splits as of `as_of`, by default the day of the newest bar of all; symbols without
    bars come with nulls.
    """
    tracked = connection.execute(select(Asset.symbol, Asset.sector).where(Asset.tracked).order_by(Asset.symbol)).all()
    found = frames.last_sessions(connection, [row.symbol for row in tracked], timeframe=timeframe, as_of=as_of)
    days = session_dates(found["ts"].dt.tz_localize(None).to_numpy())
    last = found.assign(day=days).groupby("symbol").tail(1).set_index("symbol")
    earlier = found[days < last["day"].reindex(found["symbol"]).to_numpy()]
    latest: dict[Any, Any] = last.to_dict("index")
    before: dict[Any, float] = earlier.groupby("symbol")["close"].last().to_dict()
    return [_screened(row.symbol, row.sector, latest.get(row.symbol), before.get(row.symbol)) for row in tracked]


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


def _screened(symbol: str, sector: str | None, bar: Mapping[str, Any] | None, before: float | None) -> ScreenedRow:
    if bar is None:
        return ScreenedRow(symbol, sector)
    volume = _known(bar["volume"])
    return ScreenedRow(
        symbol,
        sector,
        bar["close"],
        bar["close"] / before - 1 if before else None,
        None if volume is None else round(volume),
        bar["ts"].to_pydatetime(),
    )


def _known(value: float) -> float | None:
    return None if isnan(value) else value
