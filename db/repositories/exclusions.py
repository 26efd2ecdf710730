"""Symbols left out of a session's universe because their data was too poor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from db.models.data_ingestion import UniverseExclusion

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from sqlalchemy import Connection


def replace(
    connection: Connection, reasons: Mapping[str, str], *, symbols: Sequence[str], session: date, timeframe: str
) -> None:
    """Write which of `symbols` (with the reason) a session goes without; those said before and not now are back in."""
    place = (UniverseExclusion.session == session, UniverseExclusion.timeframe == timeframe)
    connection.execute(delete(UniverseExclusion).where(*place, UniverseExclusion.symbol.in_(symbols)))
    rows = [
        {"session": session, "symbol": symbol, "timeframe": timeframe, "reason": reason}
        for symbol, reason in sorted(reasons.items())
    ]
    if rows:
        connection.execute(insert(UniverseExclusion), rows)


def excluded(connection: Connection, *, session: date, timeframe: str) -> dict[str, str]:
    """Return the symbols that a session goes without, each with the reason, in alphabetical order."""
    statement = (
        select(UniverseExclusion.symbol, UniverseExclusion.reason)
        .where(UniverseExclusion.session == session, UniverseExclusion.timeframe == timeframe)
        .order_by(UniverseExclusion.symbol)
    )
    return {row.symbol: row.reason for row in connection.execute(statement)}
