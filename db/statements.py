"""The writes idempotent steps are made of: insert what is missing, upsert by business key, change many rows at once.

Rows travel as one array a column and are unfolded by PostgreSQL. So the text of a statement is the same however many
rows it writes: it is compiled once, and neither client nor server reads thousands of placeholders.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from itertools import batched
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import ARRAY, any_, bindparam, column, func, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection, Select, Table, TableValuedAlias, Update
    from sqlalchemy.dialects.postgresql import Insert
    from sqlalchemy.orm import QueryableAttribute
    from sqlalchemy.types import TypeEngine

    from db.models import Base

    type Names = tuple[str, ...]

ROWS_A_STATEMENT = 10_000
COUNTED = {"preserve_rowcount": True}
"""SQLAlchemy forgets how many rows an INSERT wrote unless it is told to keep it."""
ALIKE: dict[type, Callable[[Any], Any]] = {
    Decimal: lambda value: Decimal(str(value)),
    float: float,
    int: int,
    str: str,
}
"""How values of different types become those of a column: an array takes one type only."""


def insert_rows(connection: Connection, model: type[Base], rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert rows; one that collides with another is an error."""
    for chunk in batched(rows, ROWS_A_STATEMENT):
        names = tuple(chunk[0])
        connection.execute(inserting(model, names), arrays(model, names, chunk))


def insert_missing(connection: Connection, model: type[Base], rows: Iterable[Mapping[str, Any]]) -> int:
    """Insert rows that do not collide with any unique key; return how many were new."""
    written = 0
    for chunk in batched(rows, ROWS_A_STATEMENT):
        names = tuple(chunk[0])
        statement = _missing(model, names)
        written += connection.execute(statement, arrays(model, names, chunk), execution_options=COUNTED).rowcount
    return written


def upsert(connection: Connection, model: type[Base], rows: Iterable[Mapping[str, Any]], *, keys: Sequence[str]) -> int:
    """Insert rows, or overwrite those with the same `keys`; return how many were written."""
    written = 0
    for chunk in batched(rows, ROWS_A_STATEMENT):
        names = tuple(chunk[0])
        statement = _overwriting(model, names, tuple(keys))
        written += connection.execute(statement, arrays(model, names, chunk), execution_options=COUNTED).rowcount
    return written


def change_rows(connection: Connection, model: type[Base], rows: Sequence[Mapping[str, Any]], *, key: str) -> None:
    """Give the rows with the given `key`s other values, all columns of `rows` but the key."""
    for chunk in batched(rows, ROWS_A_STATEMENT):
        names = tuple(chunk[0])
        connection.execute(_changing(model, names, key), arrays(model, names, chunk))


def among(column: ColumnElement[Any] | QueryableAttribute[Any], values: Iterable[Any]) -> ColumnElement[bool]:
    """Return whether a column has one of some values: an IN whose text does not grow with them."""
    kind: ARRAY[Any] = ARRAY(column.type, dimensions=1)
    chosen: ColumnElement[bool] = column == any_(bindparam(None, list(values), type_=kind, unique=True))
    return chosen


@lru_cache(maxsize=256)
def inserting(model: type[Base], names: Names) -> Insert:
    """Return the insertion of rows with these columns; `arrays` are its parameters."""
    return insert(model).from_select(list(names), _unfolded(_table(model), names))


def arrays(model: type[Base], names: Names, rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Return rows as one list a column.

    Raises
    ------
    ValueError
        The rows have different columns.
    """
    if any(len(row) != len(names) for row in rows):
        raise ValueError(f"rows of {model.__name__} have different columns; expected {', '.join(names)}")
    columns = _table(model).c
    return {_bound(name): _alike([row[name] for row in rows], columns[name].type) for name in names}


@lru_cache(maxsize=256)
def _missing(model: type[Base], names: Names) -> Insert:
    return inserting(model, names).on_conflict_do_nothing()


@lru_cache(maxsize=256)
def _overwriting(model: type[Base], names: Names, keys: Names) -> Insert:
    statement = inserting(model, names)
    changed = {name: statement.excluded[name] for name in names if name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=changed)


@lru_cache(maxsize=256)
def _changing(model: type[Base], names: Names, key: str) -> Update:
    table = _table(model)
    given = _rows(table, names)
    values = {name: given.c[name] for name in names if name != key}
    return update(table).where(table.c[key] == given.c[key]).values(values)


def _unfolded(table: Table, names: Names) -> Select[Any]:
    given = _rows(table, names)
    return select(*(_restored(given, name, table.c[name].type) for name in names))


def _rows(table: Table, names: Names) -> TableValuedAlias:
    kinds = {name: _sent(table.c[name].type) for name in names}
    sent = (bindparam(_bound(name), type_=ARRAY(kind, dimensions=1)) for name, kind in kinds.items())
    named = (column(name, kind) for name, kind in kinds.items())
    return func.unnest(*sent).table_valued(*named, name="given").render_derived()


def _sent(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    """Return the type a column travels as: arrays of arrays would be unfolded to their innermost values."""
    return JSONB() if isinstance(kind, ARRAY) else kind


def _restored(given: TableValuedAlias, name: str, kind: TypeEngine[Any]) -> ColumnElement[Any]:
    if not isinstance(kind, ARRAY):
        return given.c[name]
    texts = select(func.jsonb_array_elements_text(given.c[name])).correlate(given)
    return func.array(texts.scalar_subquery(), type_=kind)


def _alike(values: list[Any], kind: TypeEngine[Any]) -> list[Any]:
    """Return values of one type; numbers may come as whole ones here and with decimals there."""
    if len(set(map(type, values)) - {type(None)}) > 1 and (made := ALIKE.get(kind.python_type)) is not None:
        return [None if value is None else made(value) for value in values]
    return values


def _bound(name: str) -> str:
    """Return the name of a column's parameter; its own would stand for the column's value."""
    return f"new_{name}"


def _table(model: type[Base]) -> Table:
    return cast("Table", model.__table__)
