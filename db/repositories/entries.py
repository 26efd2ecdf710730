"""What changed the books besides fills: corporate actions and adjustments, each once by its key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Date, Text, cast, func, literal, select, union_all, update

from db.models.data_ingestion import CorporateAction
from db.models.execution import BookEntry, Fill
from db.statements import among, arrays, insert_missing, inserting

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date
    from decimal import Decimal

    from sqlalchemy import Connection, Row

    type Rows = Sequence[Row[*tuple[Any, ...]]]

KINDS = ("split", "dividend")
"""The corporate actions that are booked."""


def of_symbols(connection: Connection, account: str, symbols: Iterable[str]) -> Sequence[Row[Any]]:
    """Return the entries of some symbols, oldest first."""
    statement = select(BookEntry.__table__).where(BookEntry.account == account, among(BookEntry.symbol, symbols))
    return connection.execute(statement.order_by(BookEntry.at, BookEntry.id)).all()


def due_actions(connection: Connection, account: str, *, until: date) -> Rows:
    """Return the stored splits and dividends with an ex-date up to `until` that the account's books lack.

    Those of symbols that the account had traded or taken over before the ex-date, under the name they had then;
    `key` is what an entry of the action is named.
    """
    bought = select(Fill.symbol, Fill.filled_at.label("at")).where(Fill.account == account)
    taken = BookEntry.account == account, BookEntry.kind == "adjustment"
    changes = union_all(bought, select(BookEntry.symbol, BookEntry.at).where(*taken)).subquery()
    local = cast(func.timezone("America/New_York", func.min(changes.c.at)), Date)
    traded = select(changes.c.symbol, local.label("first")).group_by(changes.c.symbol).subquery()
    key = CorporateAction.kind + ":" + CorporateAction.symbol + ":" + cast(CorporateAction.ex_date, Text)
    booked = select(BookEntry.id).where(BookEntry.account == account, BookEntry.key == key)
    statement = (
        select(
            key.label("key"),
            CorporateAction.symbol,
            CorporateAction.kind,
            CorporateAction.ex_date,
            CorporateAction.ratio,
            CorporateAction.cash,
        )
        .join(traded, traded.c.symbol == CorporateAction.symbol)
        .where(
            CorporateAction.kind.in_(KINDS),
            CorporateAction.ex_date > traded.c.first,
            CorporateAction.ex_date <= until,
            func.coalesce(CorporateAction.ratio, CorporateAction.cash, literal(0)) > 0,
            ~booked.exists(),
        )
    )
    return connection.execute(statement).all()


def record(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> int:
    """Write entries; return how many were new. Of a known one only what it came to is written, never its terms."""
    chosen = [dict(row) for row in rows]
    new = insert_missing(connection, BookEntry, chosen)
    if new < len(chosen):
        names = tuple(chosen[0])
        statement = inserting(BookEntry, names)
        excluded = statement.excluded
        changed = {"quantity": excluded.quantity, "cash": excluded.cash}
        differs = (BookEntry.quantity != excluded.quantity) | (BookEntry.cash != excluded.cash)
        connection.execute(
            statement.on_conflict_do_update(index_elements=["account", "strategy", "key"], set_=changed, where=differs),
            arrays(BookEntry, names, chosen),
        )
    return new


def unconfirmed(connection: Connection, account: str) -> Rows:
    """Return what corporate actions came to for the whole account and no line of the broker's has confirmed yet.

    Columns key, kind, symbol, at, quantity and cash, oldest first; what came to nothing needs no confirmation.
    """
    quantity, paid = func.sum(BookEntry.quantity), func.sum(BookEntry.cash)
    statement = (
        select(
            BookEntry.key,
            BookEntry.kind,
            BookEntry.symbol,
            BookEntry.at,
            quantity.label("quantity"),
            paid.label("cash"),
        )
        .where(BookEntry.account == account, BookEntry.kind.in_(KINDS), BookEntry.activity_id.is_(None))
        .group_by(BookEntry.key, BookEntry.kind, BookEntry.symbol, BookEntry.at)
        .having((quantity != 0) | (paid != 0))
        .order_by(BookEntry.at, BookEntry.key)
    )
    return connection.execute(statement).all()


def confirm(connection: Connection, account: str, key: str, *, activity: str) -> None:
    """Note the broker's line that says the same as an entry."""
    chosen = BookEntry.account == account, BookEntry.key == key
    connection.execute(update(BookEntry).where(*chosen).values(activity_id=activity))


def confirmed_activities(connection: Connection, account: str) -> set[str]:
    """Return the broker's lines that entries are made of or confirmed by."""
    statement = select(BookEntry.activity_id).where(BookEntry.account == account, BookEntry.activity_id.is_not(None))
    return {str(identity) for identity in connection.scalars(statement.distinct())}


def adjusted_cash(connection: Connection, account: str) -> Decimal:
    """Return what adjustments of cash come to, USD."""
    statement = select(func.coalesce(func.sum(BookEntry.cash), 0))
    return connection.execute(statement.where(BookEntry.account == account, BookEntry.kind == "cash")).scalar_one()
