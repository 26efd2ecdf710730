"""Which ranges of bars were asked for and answered in full: what is absent there does not exist."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from db.models.data_ingestion import FetchedRange
from db.statements import upsert

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

KEYS = ["timeframe", "feed", "symbols", "range_start", "range_end"]


def record(connection: Connection, entry: Mapping[str, Any]) -> None:
    """Write a range that was answered in full; asking for it again replaces the row."""
    upsert(connection, FetchedRange, [entry], keys=KEYS)


def covered(
    connection: Connection, symbols: Sequence[str], *, timeframe: str, feed: str, start: datetime, end: datetime
) -> dict[str, list[tuple[datetime, datetime]]]:
    """Return, per symbol, the answered ranges that touch `start` .. `end` (UTC, bars' starts, both included)."""
    rows = connection.execute(
        select(FetchedRange.symbols, FetchedRange.range_start, FetchedRange.range_end).where(
            FetchedRange.timeframe == timeframe,
            FetchedRange.feed == feed,
            FetchedRange.range_start <= end,
            FetchedRange.range_end >= start,
            FetchedRange.symbols.bool_op("&&")(list(symbols)),
        )
    )
    wanted, found = set(symbols), defaultdict(list)
    for listed, first, last in rows:
        for symbol in wanted.intersection(listed):
            found[symbol].append((first, last))
    return dict(found)
