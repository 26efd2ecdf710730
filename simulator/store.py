"""The state file: one SQLite database that only one simulator has open at a time.

Journal mode WAL with ``synchronous=NORMAL``: what a client was told survives a killed process; after a crash
of the machine itself the file is whole, but the last moments may be missing. Records are kept as JSON beside
the few columns that are searched, so that a field more needs no migration.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from simulator.books import OPEN_STATUSES, Account, Activity, EquityPoint, Order, Position
from trading.errors import DataError, TradingError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VERSION = 1
TABLES = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE account (only INTEGER PRIMARY KEY CHECK (only = 1), body TEXT NOT NULL);
CREATE TABLE orders (
  sequence INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, client_order_id TEXT NOT NULL UNIQUE,
  symbol TEXT NOT NULL, side TEXT NOT NULL, is_open INTEGER NOT NULL, submitted_at TEXT NOT NULL,
  body TEXT NOT NULL
);
CREATE INDEX orders_open ON orders (sequence) WHERE is_open;
CREATE TABLE positions (symbol TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE activities (
  sequence INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, type TEXT NOT NULL, order_id TEXT, at TEXT NOT NULL,
  body TEXT NOT NULL
);
CREATE INDEX activities_order ON activities (order_id);
CREATE TABLE equity (day TEXT PRIMARY KEY, body TEXT NOT NULL);
"""


def instant(at: datetime) -> str:
    """Return a time as text that sorts like the time: UTC with microseconds."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


class Store:
    """Rows in, records out; `transaction` makes several writes one."""

    def __init__(self, path: Path) -> None:
        """Open or create the file.

        Raises
        ------
        UnavailableError
            The folder cannot be written, or another simulator has the file open.
        DataError
            The file is something else, or of a newer version.
        """
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # one event loop owns the connection, but its thread need not be the one that opened the file
            self._db = sqlite3.connect(path, timeout=1, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.OperationalError) as error:
            reason = getattr(error, "strerror", None) or error
            raise UnavailableError(f"{path} cannot be opened: {reason}; give another --state") from None
        try:
            self._prepare()
        except BaseException as error:
            self._db.close()
            if isinstance(error, sqlite3.DatabaseError):
                raise self._unusable(error) from None
            raise

    def _unusable(self, error: sqlite3.DatabaseError) -> TradingError:
        if not isinstance(error, sqlite3.OperationalError):
            return DataError(f"{self.path} is not a simulator state file; give another --state")
        if "locked" in str(error):
            return UnavailableError(f"{self.path} is in use by another simulator; stop it or give another --state")
        return UnavailableError(f"{self.path} cannot be used: {error}; give --state a file that can be written")

    def _prepare(self) -> None:
        self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute("BEGIN EXCLUSIVE")
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        foreign = version == 0 and self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if version > VERSION or foreign:
            self._db.execute("ROLLBACK")
            what = "another program's database" if foreign else f"of version {version}, newer than {VERSION}"
            raise DataError(f"{self.path} is {what}; give another --state")
        if version == 0:
            for statement in TABLES.split(";"):
                self._db.execute(statement)
            self._db.execute(f"PRAGMA user_version={VERSION}")
        self._db.execute("COMMIT")

    def close(self) -> None:
        """Close the file; another simulator may open it then."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what is written inside, or nothing of it when an error leaves it."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def clear(self) -> None:
        """Delete the account, its settings and everything it did; facts about the market stay."""
        self._db.execute("DELETE FROM facts WHERE name LIKE 'account %'")
        for table in ("account", "orders", "positions", "activities", "equity"):
            self._db.execute(f"DELETE FROM {table}")

    def fact(self, name: str) -> str | None:
        """Return a fact about the file, or None."""
        row = self._db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def set_fact(self, name: str, value: str) -> None:
        """Write a fact about the file."""
        self._db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    def account(self) -> Account | None:
        """Return the account, or None in a new file."""
        row = self._db.execute("SELECT body FROM account").fetchone()
        return None if row is None else Account.model_validate_json(row[0])

    def save_account(self, account: Account) -> None:
        """Write the account."""
        self._db.execute("INSERT OR REPLACE INTO account VALUES (1, ?)", (account.model_dump_json(),))

    def save_order(self, order: Order) -> None:
        """Write an order, new or changed."""
        self._db.execute(
            "INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (sequence) DO UPDATE SET is_open = excluded.is_open, body = excluded.body",
            (
                order.sequence,
                order.id,
                order.client_order_id,
                order.symbol,
                order.side,
                order.status in OPEN_STATUSES,
                instant(order.submitted_at),
                order.model_dump_json(),
            ),
        )

    def order(self, *, order_id: str | None = None, client_order_id: str | None = None) -> Order | None:
        """Return an order by either id, or None."""
        column, value = ("id", order_id) if order_id is not None else ("client_order_id", client_order_id)
        row = self._db.execute(f"SELECT body FROM orders WHERE {column} = ?", (value,)).fetchone()
        return None if row is None else Order.model_validate_json(row[0])

    def orders(self, where: str = "1", values: tuple[object, ...] = (), *, tail: str = "") -> list[Order]:
        """Return the orders that satisfy a condition written in code, in the order of acceptance."""
        tail = tail or "ORDER BY sequence"
        rows = self._db.execute(f"SELECT body FROM orders WHERE {where} {tail}", values)
        return [Order.model_validate_json(body) for (body,) in rows]

    def last_sequence(self) -> int:
        """Return how many orders were ever accepted."""
        return int(self._db.execute("SELECT coalesce(max(sequence), 0) FROM orders").fetchone()[0])

    def positions(self) -> list[Position]:
        """Return every open position, by symbol."""
        rows = self._db.execute("SELECT body FROM positions ORDER BY symbol")
        return [Position.model_validate_json(body) for (body,) in rows]

    def save_position(self, symbol: str, position: Position | None) -> None:
        """Write a position, or delete it when flat."""
        if position is None:
            self._db.execute("DELETE FROM positions WHERE symbol = ?", (symbol,))
        else:
            body = position.model_dump_json()
            self._db.execute("INSERT OR REPLACE INTO positions VALUES (?, ?)", (symbol, body))

    def add_activity(self, activity: Activity) -> None:
        """Append one line to the account's history."""
        row = (activity.sequence, activity.id, activity.type, activity.order_id, instant(activity.at))
        self._db.execute("INSERT INTO activities VALUES (?, ?, ?, ?, ?, ?)", (*row, activity.model_dump_json()))

    def activities(self, where: str, values: tuple[object, ...], *, tail: str) -> list[Activity]:
        """Return the activities that satisfy a condition written in code."""
        rows = self._db.execute(f"SELECT body FROM activities WHERE {where} {tail}", values)
        return [Activity.model_validate_json(body) for (body,) in rows]

    def activity_sequence(self, activity_id: str) -> int | None:
        """Return the place of an activity in the history, or None."""
        row = self._db.execute("SELECT sequence FROM activities WHERE id = ?", (activity_id,)).fetchone()
        return None if row is None else int(row[0])

    def save_equity(self, point: EquityPoint) -> None:
        """Write the account's value at a close."""
        row = (point.day.isoformat(), point.model_dump_json())
        self._db.execute("INSERT OR REPLACE INTO equity VALUES (?, ?)", row)

    def equity(self, *, limit: int | None = None) -> list[EquityPoint]:
        """Return the value at each close, ascending; with `limit` the last so many."""
        rows = self._db.execute("SELECT body FROM equity ORDER BY day DESC LIMIT ?", (limit or -1,))
        return [EquityPoint.model_validate_json(body) for (body,) in rows][::-1]
