"""Which company a ticker meant on a day, and which tickers a company traded under."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal

from sqlalchemy import Date, func, insert, literal, or_, select, text, update

from db.models.data_ingestion import SymbolLife
from trading.errors import DataError, InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

Ending = Literal["renamed", "delisted", "merged"]
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, order=True)
class Spell:
    """The days, both included, on which an asset's bars are stored under a symbol; None is without end."""

    first_day: date | None
    last_day: date | None
    symbol: str


@dataclass(frozen=True, slots=True)
class Life:
    """An asset's time under a symbol; `reason` is what ended it, `listed` while it goes on."""

    asset_id: int
    symbol: str
    first_day: date
    last_day: date | None
    reason: str


ALWAYS: tuple[None, None] = (None, None)


def record_life(
    connection: Connection,
    symbol: str,
    *,
    first_day: date,
    last_day: date | None = None,
    reason: Ending | None = None,
    asset_id: int | None = None,
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
    values = {"asset_id": asset, "symbol": symbol, "first_day": first_day, "last_day": last_day}
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
    """Write that the asset under `symbol` is called `new_symbol` from `first_day` on; return its id, which stays."""
    asset = end_life(connection, symbol, last_day=first_day - DAY, reason="renamed")
    return record_life(connection, new_symbol, first_day=first_day, asset_id=asset)


def lives(connection: Connection, symbols: Sequence[str]) -> list[Life]:
    """Return every life of `symbols`, by symbol and first day; symbols without one have none recorded."""
    table = SymbolLife.__table__.c
    statement = select(table.asset_id, table.symbol, table.first_day, table.last_day, table.reason)
    chosen = statement.where(SymbolLife.symbol.in_(symbols)).order_by(SymbolLife.symbol, SymbolLife.first_day)
    return [Life(*row) for row in connection.execute(chosen)]


def spells(connection: Connection, symbols: Sequence[str], as_of: date) -> dict[str, tuple[Spell, ...]]:
    """Return, per symbol, where the bars of the asset are that it means on `as_of`, oldest first.

    A symbol means the asset that carries it on the day, else the one that carried it last before; only what
    is known on the day counts, so a later rename is not followed. A symbol with lives that all begin later means
    nothing yet and has no spells; one without a recorded life is one asset for ever.
    """
    recorded = lives(connection, symbols)
    named = {life.symbol for life in recorded}
    meant = {life.symbol: life.asset_id for life in recorded if life.first_day <= as_of}
    pieces: dict[int, list[Spell]] = defaultdict(list)
    known = select(SymbolLife.asset_id, SymbolLife.first_day, SymbolLife.last_day, SymbolLife.symbol).where(
        SymbolLife.asset_id.in_(set(meant.values())), SymbolLife.first_day <= as_of
    )
    for row in connection.execute(known) if meant else ():
        pieces[row.asset_id].append(Spell(row.first_day, row.last_day, row.symbol))
    return {
        symbol: tuple(sorted(pieces[meant[symbol]], key=lambda spell: spell.first_day or date.min))
        if symbol in meant
        else () if symbol in named else (Spell(*ALWAYS, symbol),)
        for symbol in symbols
    }  # fmt: skip


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
