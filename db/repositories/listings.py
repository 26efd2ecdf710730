"""The symbols as people look at them: tracked or not, with sectors and tags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import any_, literal, select

from db.models.data_ingestion import Asset

if TYPE_CHECKING:
    from sqlalchemy import Connection


def assets(
    connection: Connection, *, tracked: bool, tag: str | None = None, sector: str | None = None
) -> list[dict[str, Any]]:
    """Return symbols in alphabetical order: symbol, name, sector, tags, tracked, tradable.

    `tracked` leaves out those that are not; `tag` and `sector` (any case) leave out those without.
    """
    columns = (Asset.symbol, Asset.name, Asset.sector, Asset.tags, Asset.tracked, Asset.tradable)
    statement = select(*columns).order_by(Asset.symbol)
    if tracked:
        statement = statement.where(Asset.tracked)
    if tag is not None:
        statement = statement.where(literal(tag.lower()) == any_(Asset.tags))
    if sector is not None:
        statement = statement.where(Asset.sector.ilike(sector))
    return [dict(row._mapping) for row in connection.execute(statement)]  # noqa: SLF001 - SQLAlchemy's public name
