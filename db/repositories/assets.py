"""Symbols and the universe that is tracked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select
from sqlalchemy import update as update_statement

from db.models.data_ingestion import Asset
from db.statements import insert_missing, upsert
from trading.errors import UnknownNameError
from trading.order_admission import Tradability

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Connection

IMPORTED = "imported"
"""The exchange of a symbol that the broker has not told of."""


def record(connection: Connection, assets: Iterable[Mapping[str, Any]]) -> None:
    """Write what the broker says of assets; `tracked`, sector and tags stay as people set them."""
    upsert(connection, Asset, sorted(assets, key=lambda row: str(row["symbol"])), keys=["symbol"])


def record_imported(connection: Connection, symbols: Iterable[str]) -> None:
    """List symbols that only imported bars tell of, as not tradable; those that are listed stay as they are."""
    no = dict.fromkeys(("tradable", "shortable", "fractionable"), False)
    rows = [
        {"symbol": symbol, "name": symbol, "exchange": IMPORTED, "status": "inactive", **no}
        for symbol in sorted(symbols)
    ]
    insert_missing(connection, Asset, rows)


def track(connection: Connection, symbols: Iterable[str]) -> None:
    """Add symbols to the tracked universe."""
    statement = update_statement(Asset).where(Asset.symbol.in_(list(symbols))).values(tracked=True)
    connection.execute(statement)


def tradability(connection: Connection, symbols: Iterable[str]) -> dict[str, Tradability]:
    """Return what the broker says may be done with symbols; those it has not told of are absent."""
    columns = Asset.symbol, Asset.tradable, Asset.fractionable, Asset.shortable
    rows = connection.execute(select(*columns).where(Asset.symbol.in_(sorted(symbols))))
    return {row.symbol: Tradability(*row) for row in rows}


def tracked(connection: Connection) -> list[str]:
    """Return the tracked universe, in alphabetical order."""
    return list(connection.scalars(select(Asset.symbol).where(Asset.tracked).order_by(Asset.symbol)))


def known(connection: Connection) -> list[str]:
    """Return every symbol the broker has told of."""
    return list(connection.scalars(select(Asset.symbol).order_by(Asset.symbol)))


def require(connection: Connection, symbols: Sequence[str]) -> None:
    """Raise UnknownNameError for the first symbol the broker does not know."""
    everything = known(connection)
    for symbol in symbols:
        if symbol not in everything:
            raise UnknownNameError("symbol", symbol, everything)


def update(
    connection: Connection,
    symbol: str,
    *,
    tracked: bool | None = None,
    sector: str | None = None,
    tags: Sequence[str] | None = None,
) -> None:
    """Change what people decide about a symbol; None leaves a value as it is.

    Raises
    ------
    UnknownNameError
        The symbol is not in the table.
    """
    require(connection, [symbol])
    given = {"tracked": tracked, "sector": sector, "tags": list(tags) if tags is not None else None}
    values = {name: value for name, value in given.items() if value is not None}
    connection.execute(update_statement(Asset).where(Asset.symbol == symbol).values(**values, updated_at=func.now()))
