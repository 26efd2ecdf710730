"""What the database holds of a timeframe: whose bars, from when to when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from db.repositories import inventory
from trading.calendar import session_of
from trading.errors import DataError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import pandas as pd
    from sqlalchemy import Connection


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
    for symbol in symbols or ():
        if symbol not in known:
            raise UnknownNameError(f"symbol with {timeframe} bars", symbol, known)
    chosen = list(symbols or known)
    held = inventory.held(connection, chosen, timeframe=timeframe)
    return Extent(chosen, session_of(held.first), session_of(held.last), held.bars)


def adjusted(connection: Connection, symbols: Sequence[str], bars: pd.DataFrame, *, as_of: date) -> pd.DataFrame:
    """Return bars with the splits that were known on `as_of` divided out."""
    from db.repositories import ingestion
    from trading.adjustment import adjust

    return adjust(bars, ingestion.known_actions(connection, symbols, day=as_of), as_of)
