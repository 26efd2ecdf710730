"""What the database holds of a timeframe: whose bars, from when to when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from db.repositories import inventory
from db.repositories.spells import spells
from trading.calendar import LAST_DAY, session_of
from trading.errors import DataError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from sqlalchemy import Connection

    from db.repositories.spells import Spell


@dataclass(frozen=True, slots=True)
class Extent:
    """Symbols with bars, the first and the last session among them, and how many bars there are."""

    symbols: list[str]
    first: date
    last: date
    bars: int


def extent(connection: Connection, symbols: Sequence[str] | None, *, timeframe: str) -> Extent:
    """Return what is stored of `symbols`, by default of all.

    Raises
    ------
    DataError
        Nothing is stored.
    UnknownNameError
        A symbol has no bars.
    """
    known = inventory.symbols(connection, timeframe=timeframe)
    if not known:
        raise DataError(f"no {timeframe} bars are stored; `trading data import` or fetch-market-data brings some")
    chosen = list(symbols or known)
    stored = {symbol: _stored_as(pieces, known) for symbol, pieces in spells(connection, chosen, LAST_DAY).items()}
    for symbol, names in stored.items():
        if not names:
            raise UnknownNameError(f"symbol with {timeframe} bars", symbol, known)
    held = inventory.held(connection, sorted(set().union(*stored.values())), timeframe=timeframe)
    return Extent(chosen, session_of(held.first), session_of(held.last), held.bars)


def _stored_as(pieces: Sequence[Spell], known: Sequence[str]) -> set[str]:
    return {spell.symbol for spell in pieces}.intersection(known)
