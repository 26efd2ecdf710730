"""What people decide about single bars: to release one that was held back, or to correct it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from db.models.data_ingestion import Bar, BarRevision, QualityDecision
from db.repositories import audit
from trading.errors import DataError, InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from decimal import Decimal

    from sqlalchemy import Connection, Row

FIGURES = ("open", "high", "low", "close", "volume")
PERSON = "person"
"""The source of a bar that somebody corrected."""


@dataclass(frozen=True, slots=True)
class Figures:
    """A bar's figures as they should be: prices in USD, volume in shares."""

    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int

    def __post_init__(self) -> None:
        if not (0 < self.low <= min(self.open, self.close) and max(self.open, self.close) <= self.high):
            prices = f"{self.open} {self.high} {self.low} {self.close}"
            raise InvalidValueError("prices", prices, "low <= open and close <= high, all above zero")
        if self.volume < 0:
            raise InvalidValueError("volume", self.volume, "zero or more shares")


def release(connection: Connection, symbol: str, *, timeframe: str, ts: datetime, who: str, why: str) -> None:
    """Make a bar count as good although rules complain, for as long as it has the figures it has now.

    Raises
    ------
    DataError
        The bar is not in the table.
    """
    bar = _held(connection, symbol, timeframe, ts)
    values = {name: getattr(bar, name) for name in FIGURES}
    _decide(connection, bar, "release", values, who=who, why=why)
    connection.execute(update(Bar).where(*_key(symbol, timeframe, ts)).values(quality="good"))


def correct(
    connection: Connection, symbol: str, *, timeframe: str, ts: datetime, figures: Figures, who: str, why: str
) -> None:
    """Give a bar other figures, keep the old ones as a revision, and count it as good.

    The old figures do not come back when they are delivered again; others do, and are checked anew.

    Raises
    ------
    DataError
        The bar is not in the table.
    """
    bar = _held(connection, symbol, timeframe, ts)
    values = asdict(figures)
    _decide(connection, bar, "correct", values, who=who, why=why)
    provenance = {
        "old_source": bar.source,
        "old_quality": bar.quality,
        "new_source": PERSON,
        "old_ingestion_run_id": bar.ingestion_run_id,
    }
    connection.execute(insert(BarRevision).values(**_change(bar, values), **provenance))
    connection.execute(update(Bar).where(*_key(symbol, timeframe, ts)).values(**values, quality="good", source=PERSON))


def decided(connection: Connection, symbol: str, *, timeframe: str) -> Sequence[Row[Any]]:
    """Return what was decided about a symbol's bars, the latest first."""
    statement = select(QualityDecision.__table__).where(
        QualityDecision.symbol == symbol, QualityDecision.timeframe == timeframe
    )
    return connection.execute(statement.order_by(QualityDecision.id.desc())).all()


def revisions(connection: Connection, symbol: str, *, timeframe: str) -> Sequence[Row[Any]]:
    """Return the replaced figures of a symbol's bars, the latest first."""
    statement = select(BarRevision.__table__).where(BarRevision.symbol == symbol, BarRevision.timeframe == timeframe)
    return connection.execute(statement.order_by(BarRevision.id.desc())).all()


def _held(connection: Connection, symbol: str, timeframe: str, ts: datetime) -> Row[Any]:
    """Return a bar, locked until the transaction ends."""
    statement = select(Bar.__table__).where(*_key(symbol, timeframe, ts)).with_for_update()
    bar = connection.execute(statement).one_or_none()
    if bar is None:
        raise DataError(f"{symbol} {timeframe} {ts}: no such bar in the table; restore it when it is archived")
    return bar


def _key(symbol: str, timeframe: str, ts: datetime) -> tuple[Any, ...]:
    return Bar.symbol == symbol, Bar.timeframe == timeframe, Bar.ts == ts


def _change(bar: Row[Any], values: dict[str, Any]) -> dict[str, Any]:
    key = {"symbol": bar.symbol, "timeframe": bar.timeframe, "ts": bar.ts}
    old = {f"old_{name}": getattr(bar, name) for name in FIGURES}
    return key | old | {f"new_{name}": values[name] for name in FIGURES}


def _decide(
    connection: Connection, bar: Row[Any], decision: str, values: dict[str, Any], *, who: str, why: str
) -> None:
    connection.execute(insert(QualityDecision).values(**_change(bar, values), decision=decision, who=who, why=why))
    figures = {name: {"old": str(getattr(bar, name)), "new": str(values[name])} for name in FIGURES}
    audit.record(
        connection,
        actor=who,
        action="quality.released" if decision == "release" else "quality.corrected",
        subject=f"{bar.symbol} {bar.timeframe} {bar.ts.isoformat()}",
        detail={"why": why, **figures},
    )
