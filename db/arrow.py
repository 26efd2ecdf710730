"""Columns straight from PostgreSQL: ADBC connections beside SQLAlchemy's, kept open from one reading to the next."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
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
OPTIONS = "-c default_transaction_isolation=repeatable\\ read -c default_transaction_read_only=on -c lock_timeout=60s"
HOLD = "LOCK TABLE ONLY data_ingestion.bars IN ACCESS SHARE MODE"
"""Said before a snapshot is taken: a partition that is archived is dropped, which no snapshot hides."""


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
    with snapshots(connection, 1) as found:
        yield found[0]


@contextmanager
def snapshots(connection: Connection, count: int) -> Iterator[list[Snapshot]]:
    """Read one state of the database through `count` connections, each for a thread of its own."""
    with ExitStack() as opened:
        first = opened.enter_context(_connected(connection.engine.url, HOLD))
        found = [first]
        if count > 1:
            (name,) = first.table("SELECT pg_export_snapshot() AS name").column("name").to_pylist()
            adopt = f"SET TRANSACTION SNAPSHOT '{name}'"
            found += [opened.enter_context(_connected(connection.engine.url, adopt)) for _ in range(count - 1)]
        yield found


@contextmanager
def _connected(url: URL, opening: str) -> Iterator[Snapshot]:
    """Lend a connection in a new transaction, whose first statement is `opening`."""
    from adbc_driver_manager import Error

    pooled = _pool(url).connect()
    try:
        try:
            _execute(pooled, opening)
        except Error:  # the server was restarted since the connection was used last
            pooled.invalidate()
            pooled = _pool(url).connect()
            _execute(pooled, opening)
        yield Snapshot(pooled.dbapi_connection)
    finally:
        pooled.close()


def dispose(url: URL) -> None:
    """Close the connections kept to a database."""
    _pool(url).dispose()


def _execute(pooled: PoolProxiedConnection, statement: str) -> None:
    driver: Any = pooled.dbapi_connection
    with driver.cursor() as cursor:
        cursor.execute(statement)


@lru_cache(maxsize=8)
def _pool(url: URL) -> QueuePool:
    from adbc_driver_postgresql import dbapi

    parts = url.translate_connect_args(username="user", database="dbname")
    address = make_conninfo(**{**url.query, **parts, "options": OPTIONS})
    return QueuePool(lambda: dbapi.connect(address), pool_size=KEPT, max_overflow=20)
