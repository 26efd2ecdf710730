"""Which company a ticker meant on a day, and which tickers a company traded under: writing it down, looking it up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import Date, delete, func, insert, literal, or_, select, text, update

from db.models.data_ingestion import SymbolLife
from trading.calendar import FIRST_DAY
from trading.errors import DataError, InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

Ending = Literal["renamed", "delisted", "merged"]
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Life:
    """An asset's time under a symbol, days included; `reason` is what ended it, `listed` while it goes on."""

    asset_id: int
    symbol: str
    first_day: date
    last_day: date | None
    reason: str
    name: str | None

    def covers(self, day: date) -> bool:
        """Return whether the asset bore the symbol on `day`."""
        return self.first_day <= day <= (self.last_day or date.max)


def record_life(
    connection: Connection,
    symbol: str,
    *,
    first_day: date = FIRST_DAY,
    last_day: date | None = None,
    reason: Ending | None = None,
    asset_id: int | None = None,
    name: str | None = None,
) -> int:
    """Write that an asset traded under `symbol` from `first_day` on, and return the asset's id.

    Without `asset_id` it is a new asset: another company that takes the ticker.

    Raises
    ------
    DataError
        Another life of the symbol, or another symbol of the asset, has a day in common with this one.
    InvalidValueError
        The last day is before the first, or is given without a reason or the other way round.
    """
    if last_day is not None and last_day < first_day:
        raise InvalidValueError("last day", last_day.isoformat(), f"{first_day} or later")
    if (last_day is None) != (reason is None):
        raise InvalidValueError("reason", str(reason), "one for a life with a last day, none for one without")
    connection.execute(text("LOCK TABLE data_ingestion.symbol_lives IN SHARE ROW EXCLUSIVE MODE"))
    _require_free(connection, symbol, asset_id, first_day, last_day)
    asset = asset_id or 1 + connection.execute(select(func.coalesce(func.max(SymbolLife.asset_id), 0))).scalar_one()
    values = {"asset_id": asset, "symbol": symbol, "first_day": first_day, "last_day": last_day, "name": name}
    connection.execute(insert(SymbolLife).values(**values, reason=reason or "listed"))
    return asset


def end_life(connection: Connection, symbol: str, *, last_day: date, reason: Ending) -> int:
    """Write that the life that goes on under `symbol` ended, and return its asset's id.

    Raises
    ------
    DataError
        No life of the symbol goes on, or it began later.
    """
    ended = (
        update(SymbolLife)
        .where(SymbolLife.symbol == symbol, SymbolLife.last_day.is_(None), SymbolLife.first_day <= last_day)
        .values(last_day=last_day, reason=reason)
        .returning(SymbolLife.asset_id)
    )
    asset = connection.execute(ended).scalar_one_or_none()
    if asset is None:
        raise DataError(f"{symbol}: no life of it goes on at {last_day}; record one first")
    return asset


def rename(connection: Connection, symbol: str, new_symbol: str, *, first_day: date) -> int:
    """Write that the asset under `symbol` is called `new_symbol` from `first_day` on; return its id, which stays.

    A symbol without a life that reaches the day gets one, from the end of the life before it, or from the
    beginning of the calendar. A rename that is recorded already changes nothing.

    Raises
    ------
    DataError
        The life under `symbol` ended before, or another company bears `new_symbol` from the day on.
    """
    before = first_day - DAY
    borne = lives(connection, [symbol])
    for life in lives(connection, [new_symbol]):
        if life.first_day == first_day and any(life.asset_id == old.asset_id for old in borne):
            return life.asset_id
    if any(life.covers(before) for life in borne):
        asset = end_life(connection, symbol, last_day=before, reason="renamed")
    else:
        ended = [life.last_day + DAY for life in borne if life.last_day is not None and life.last_day < before]
        begin = max(ended, default=FIRST_DAY)
        asset = record_life(connection, symbol, first_day=begin, last_day=before, reason="renamed")
    return record_life(connection, new_symbol, first_day=first_day, asset_id=asset)


def change(
    connection: Connection,
    symbol: str,
    *,
    listed: date | None = None,
    delisted: date | None = None,
    reason: Ending = "delisted",
    name: str | None = None,
) -> Life:
    """Write what is known of a life of `symbol`, and return it: the one on these days is changed, or a new one made.

    The life is the one that begins on `listed`, else one that holds `listed` or `delisted`; without either the
    latest. What is not given stays as it is; of a new life the beginning is then the calendar's, and it goes on.

    Raises
    ------
    DataError
        Another life of the symbol or asset has a day in common with it.
    InvalidValueError
        The last day is before the first.
    """
    known = lives(connection, [symbol])
    life = _meant(known, listed, delisted)
    if life is None:
        end: dict[str, Any] = {"last_day": delisted, "reason": reason if delisted else None}
        first = listed or _after(known, delisted)
        record_life(connection, symbol, first_day=first, name=name, **end)
    else:
        connection.execute(
            delete(SymbolLife).where(SymbolLife.asset_id == life.asset_id, SymbolLife.first_day == life.first_day)
        )
        first = listed or life.first_day
        last = delisted or life.last_day
        ended: Any = reason if delisted else life.reason
        record_life(
            connection,
            symbol,
            first_day=first,
            last_day=last,
            reason=ended if last else None,
            asset_id=life.asset_id,
            name=name or life.name,
        )
    return next(life for life in lives(connection, [symbol]) if life.first_day == first)


def lives(connection: Connection, symbols: Iterable[str] | None = None) -> list[Life]:
    """Return every life of `symbols` (default: of all), by symbol and first day; most symbols have none recorded."""
    chosen = _lives().order_by(SymbolLife.symbol, SymbolLife.first_day)
    if symbols is not None:
        chosen = chosen.where(SymbolLife.symbol.in_(list(symbols)))
    return [Life(*row) for row in connection.execute(chosen)]


def lives_of_assets(connection: Connection, assets: Iterable[int]) -> list[Life]:
    """Return every life of the assets, by first day."""
    chosen = _lives().where(SymbolLife.asset_id.in_(list(assets))).order_by(SymbolLife.first_day)
    return [Life(*row) for row in connection.execute(chosen)]


def _lives() -> Any:
    table = SymbolLife.__table__.c
    return select(table.asset_id, table.symbol, table.first_day, table.last_day, table.reason, table.name)


def _meant(known: Sequence[Life], listed: date | None, delisted: date | None) -> Life | None:
    days = [day for day in (listed, delisted) if day is not None]
    if not days:
        return known[-1] if known else None
    exact = [life for life in known if life.first_day == listed]
    held = [life for day in days for life in known if life.covers(day)]
    return next(iter(exact + held), None)


def _after(known: Sequence[Life], day: date | None) -> date:
    """Return the first day after the lives that ended before `day`, or the calendar's first."""
    ends = [life.last_day + DAY for life in known if life.last_day and life.last_day < (day or date.max)]
    return max(ends, default=FIRST_DAY)


def _require_free(
    connection: Connection, symbol: str, asset_id: int | None, first_day: date, last_day: date | None
) -> None:
    asset = SymbolLife.asset_id == asset_id if asset_id is not None else literal(False)
    ends_later = or_(SymbolLife.last_day.is_(None), SymbolLife.last_day >= first_day)
    statement = select(SymbolLife.symbol, SymbolLife.first_day, SymbolLife.last_day).where(
        or_(SymbolLife.symbol == symbol, asset),
        ends_later,
        SymbolLife.first_day <= func.coalesce(literal(last_day, Date), literal(date.max)),
    )
    other = connection.execute(statement.limit(1)).one_or_none()
    if other is not None:
        span = f"{other.first_day} to {other.last_day or 'now'}"
        raise DataError(f"{symbol} from {first_day}: overlaps the life of {other.symbol}, {span}; end that one first")
