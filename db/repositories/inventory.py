"""What is there: which symbols have bars, from when to when, in the table and in the archive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
from sqlalchemy import text

from db.repositories import archives

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection

SYMBOLS = """
WITH RECURSIVE found AS (
  SELECT min(symbol) AS symbol FROM data_ingestion.bars WHERE timeframe = :timeframe
  UNION ALL
  SELECT (SELECT min(symbol) FROM data_ingestion.bars WHERE timeframe = :timeframe AND symbol > found.symbol)
  FROM found WHERE found.symbol IS NOT NULL
)
SELECT symbol FROM found WHERE symbol IS NOT NULL
"""
"""Steps along the primary key from one symbol to the next: bars are not read."""

EXTENT = """
SELECT min(ts), max(ts), count(*) FROM data_ingestion.bars
WHERE timeframe = :timeframe AND symbol = ANY(:symbols)
"""


@dataclass(frozen=True, slots=True)
class Held:
    """The first and the last bar (start, UTC) and how many there are."""

    first: datetime
    last: datetime
    bars: int


def symbols(connection: Connection, *, timeframe: str) -> list[str]:
    """Return the symbols that have bars of a timeframe, archived ones included, in alphabetical order."""
    found = set(connection.scalars(text(SYMBOLS), {"timeframe": timeframe}))
    for entry in archives.listed(connection, timeframe=timeframe):
        found.update(pd.read_parquet(entry.path, columns=["symbol"])["symbol"].unique())
    return sorted(found)


def held(connection: Connection, symbols: Sequence[str], *, timeframe: str) -> Held:
    """Return the extent of the bars of `symbols`, of which there must be some; an archive counts as a whole."""
    first, last, bars = connection.execute(text(EXTENT), {"timeframe": timeframe, "symbols": list(symbols)}).one()
    archived = archives.listed(connection, timeframe=timeframe)
    firsts = [entry.range_start for entry in archived] + ([first] if first else [])
    lasts = [entry.range_end for entry in archived] + ([last] if last else [])
    return Held(min(firsts), last or max(lasts), bars + sum(entry.bars for entry in archived))
