"""Columns straight from PostgreSQL: ADBC connections beside SQLAlchemy's, kept open from one reading to the next."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Literal
from sqlalchemy import QueuePool

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa
    from sqlalchemy import URL, Connection, PoolProxiedConnection

KEPT = 2
"""Idle connections a process keeps per database; a first one costs some milliseconds, the next nothing."""
BEGIN = (
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
    # a partition that is archived is dropped, which no snapshot hides: hold the table before the snapshot is taken
    "LOCK TABLE ONLY data_ingestion.bars IN ACCESS SHARE MODE",
)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One state of the committed data, however many statements read it."""

    driver: Any

    def batches(self, statement: str, **values: Any) -> Iterator[pa.RecordBatch]:
        """Yield the rows of a statement as they arrive; `{name}` stands for a value, written as a literal.

        Literals, because a statement with parameters cannot run as a COPY, which is what makes this fast.
        """
        with self.driver.cursor() as cursor:
            cursor.execute(
                SQL(statement).format(**{name: Literal(value) for name, value in values.items()}).as_string()
            )
            yield from cursor.fetch_record_batch()

    def table(self, statement: str, **values: Any) -> pa.Table:
        """Return the rows of a statement; see `batches`."""
        with self.driver.cursor() as cursor:
            cursor.execute(
                SQL(statement).format(**{name: Literal(value) for name, value in values.items()}).as_string()
            )
            return cursor.fetch_arrow_table()


@contextmanager
def snapshot(connection: Connection) -> Iterator[Snapshot]:
    """Read the database of a SQLAlchemy connection; what that connection has not committed is not seen."""
    from adbc_driver_manager import Error

    connections = _pool(connection.engine.url)
    pooled = connections.connect()
    try:
        _begin(pooled)
    except Error:  # the server was restarted since the connection was used last
        pooled.invalidate()
        pooled = connections.connect()
        _begin(pooled)
    try:
        yield Snapshot(pooled.dbapi_connection)
    finally:
        pooled.close()


def dispose(url: URL) -> None:
    """Close the connections kept to a database."""
    _pool(url).dispose()


def _begin(pooled: PoolProxiedConnection) -> None:
    driver: Any = pooled.dbapi_connection
    with driver.cursor() as cursor:
        for statement in BEGIN:
            cursor.execute(statement)


@lru_cache(maxsize=8)
def _pool(url: URL) -> QueuePool:
    from adbc_driver_postgresql import dbapi

    parts = url.translate_connect_args(username="user", database="dbname")
    address = make_conninfo(**parts, **url.query)
    return QueuePool(lambda: dbapi.connect(address), pool_size=KEPT, max_overflow=20)
