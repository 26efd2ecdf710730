"""Lives made out of what is stored: renames that the broker told of, and symbols that it lists no longer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from db.models.data_ingestion import Asset, CorporateAction, FetchedRange
from db.repositories import bars as bars_repository
from db.repositories.assets import IMPORTED
from db.repositories.lives import change, lives, rename
from trading.calendar import session_of
from trading.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from sqlalchemy import Connection

DAY = timedelta(days=1)
SILENCE = timedelta(days=10)
"""For how long the broker must have been asked in vain before a symbol's last bar counts as its last day."""


@dataclass(frozen=True, slots=True)
class Derived:
    """What was written, a sentence each, and what could not be, with the reason."""

    written: list[str]
    refused: list[str]


def derive(connection: Connection, symbols: Sequence[str] | None = None) -> Derived:
    """Write the lives that stored facts tell of; what is recorded already stays, so it may run as often as it likes.

    A rename among the corporate actions ends the old ticker's life and begins the new one's. A symbol that the
    broker lists as inactive ended with its last bar, when the broker has answered for the days after it and had
    none; without that it may only be that nobody asked. `symbols` (default: all) are looked at.
    """
    found = Derived([], [])
    _renames(connection, symbols, found)
    _endings(connection, symbols, found)
    return found


def _renames(connection: Connection, symbols: Sequence[str] | None, found: Derived) -> None:
    statement = (
        select(CorporateAction.symbol, CorporateAction.new_symbol, CorporateAction.ex_date)
        .where(CorporateAction.kind == "rename")
        .order_by(CorporateAction.ex_date, CorporateAction.symbol)
    )
    if symbols is not None:
        wanted = list(symbols)
        statement = statement.where(CorporateAction.symbol.in_(wanted) | CorporateAction.new_symbol.in_(wanted))
    for row in connection.execute(statement).all():
        old, new, day = row.symbol, str(row.new_symbol), row.ex_date
        if old == new or _known(connection, old, new, day):
            continue
        sentence = f"{old} is called {new} from {day} on"
        try:
            with connection.begin_nested():
                rename(connection, old, new, first_day=day)
        except DataError as error:
            found.refused.append(f"{sentence}: {error}")
        else:
            found.written.append(sentence)


def _known(connection: Connection, old: str, new: str, day: date) -> bool:
    borne = lives(connection, [old, new])
    before = {life.asset_id for life in borne if life.symbol == old and life.covers(day - DAY)}
    after = {life.asset_id for life in borne if life.symbol == new and life.covers(day)}
    return bool(before & after)


def _endings(connection: Connection, symbols: Sequence[str] | None, found: Derived) -> None:
    statement = select(Asset.symbol).where(Asset.status == "inactive", Asset.exchange != IMPORTED)
    if symbols is not None:
        statement = statement.where(Asset.symbol.in_(list(symbols)))
    last = bars_repository.latest(connection, list(connection.scalars(statement)), timeframe="1Day")
    asked = _asked_until(connection, sorted(last))
    borne = lives(connection, sorted(last))
    for symbol, ts in sorted(last.items()):
        day = session_of(ts)
        own = [life for life in borne if life.symbol == symbol]
        current = own and own[-1].last_day is None and own[-1].first_day <= day
        if (own and not current) or asked.get(symbol, ts) < ts + SILENCE:
            continue
        change(connection, symbol, delisted=day)
        found.written.append(f"{symbol} ended on {day}, its last bar")


def _asked_until(connection: Connection, symbols: Sequence[str]) -> dict[str, datetime]:
    """Return until when the broker has answered for the daily bars of each symbol."""
    symbol = func.unnest(FetchedRange.symbols).label("symbol")
    answered = select(symbol, FetchedRange.range_end).where(FetchedRange.timeframe == "1Day").subquery()
    statement = select(answered.c.symbol, func.max(answered.c.range_end)).where(answered.c.symbol.in_(symbols))
    return {row[0]: row[1] for row in connection.execute(statement.group_by(answered.c.symbol))}
