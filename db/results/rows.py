"""What the queries answer with: rows, and pages of rows walked by a cursor."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, Select, tuple_

from trading.errors import InvalidValueError

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

type AnyRow = Row[*tuple[Any, ...]]
"""A row whose columns are read as attributes, `row.equity`."""

type Rows = Sequence[AnyRow]

type Query = Select[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, newest first, and the cursor that fetches the ones after them."""

    rows: Rows
    next: str | None


def page(
    connection: Connection,
    statement: Query,
    *,
    at: ColumnElement[datetime],
    key: ColumnElement[int],
    limit: int,
    cursor: str | None,
) -> Page:
    """Return up to `limit` rows of `statement`, newest by (`at`, `key`) first.

    The cursor is the last row's place, so that rows which arrive meanwhile move nothing; both columns
    have to be among the statement's.

    Raises
    ------
    InvalidValueError
        The cursor was not made by this function.
    """
    if cursor is not None:
        statement = statement.where(tuple_(at, key) < tuple_(*_decoded(cursor)))
    rows = connection.execute(statement.order_by(at.desc(), key.desc()).limit(limit + 1)).all()
    if len(rows) <= limit:
        return Page(rows, None)
    last = rows[limit - 1]._mapping  # noqa: SLF001 - SQLAlchemy's public accessor despite its name
    return Page(rows[:limit], _encoded(last[at], last[key]))


def _encoded(at: datetime, key: int) -> str:
    return urlsafe_b64encode(json.dumps([at.isoformat(), key]).encode()).decode().rstrip("=")


def _decoded(cursor: str) -> tuple[datetime, int]:
    try:
        at, key = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return datetime.fromisoformat(at).astimezone(UTC), int(key)
    except (ValueError, TypeError, OverflowError):
        raise InvalidValueError("cursor", cursor, "the `next` of an earlier page") from None
