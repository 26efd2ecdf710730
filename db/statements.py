"""The two writes idempotent steps are made of: insert what is missing, and upsert by business key."""

from __future__ import annotations

from itertools import batched
from typing import TYPE_CHECKING, Any

from sqlalchemy.dialects.postgresql import insert

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Connection

    from db.models import Base

ROWS_A_STATEMENT = 1000
COUNTED = {"preserve_rowcount": True}
"""SQLAlchemy forgets how many rows an INSERT wrote unless it is told to keep it."""


def insert_missing(connection: Connection, model: type[Base], rows: Iterable[Mapping[str, Any]]) -> int:
    """Insert rows that do not collide with any unique key; return how many were new."""
    written = 0
    for chunk in batched(rows, ROWS_A_STATEMENT):
        statement = insert(model).values([dict(row) for row in chunk]).on_conflict_do_nothing()
        written += connection.execute(statement, execution_options=COUNTED).rowcount
    return written


def upsert(connection: Connection, model: type[Base], rows: Iterable[Mapping[str, Any]], *, keys: Sequence[str]) -> int:
    """Insert rows, or overwrite those with the same `keys`; return how many were written."""
    written = 0
    for chunk in batched(rows, ROWS_A_STATEMENT):
        values = [dict(row) for row in chunk]
        statement = insert(model).values(values)
        changed = {name: statement.excluded[name] for name in values[0] if name not in keys}
        statement = statement.on_conflict_do_update(index_elements=keys, set_=changed)
        written += connection.execute(statement, execution_options=COUNTED).rowcount
    return written
