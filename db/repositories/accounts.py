"""Broker accounts the books are kept for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert

from db.models.execution import Account
from db.models.risk_management import TradingState

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from sqlalchemy import Connection, Row


def touch(connection: Connection, *, account: str, kind: str, equity: Decimal, cash: Decimal, at: datetime) -> None:
    """Record that an account was seen at broker time `at`; its first equity and cash open its books."""
    first = insert(Account).values(
        account=account,
        kind=kind,
        opening_equity=equity,
        opening_cash=cash,
        first_seen_at=at,
        last_seen_at=at,
    )
    latest = func.greatest(Account.last_seen_at, first.excluded.last_seen_at)
    connection.execute(
        first.on_conflict_do_update(index_elements=["account"], set_={"last_seen_at": latest, "used_at": func.now()})
    )
    connection.execute(
        insert(TradingState)
        .values(account=account, state="ACTIVE", reason="first seen", changed_by="system", changed_at=at)
        .on_conflict_do_nothing()
    )


def newest(connection: Connection) -> str | None:
    """Return the account that was used last, or None before the first."""
    return connection.scalar(select(Account.account).order_by(Account.used_at.desc()).limit(1))


def last_seen(connection: Connection, account: str) -> datetime:
    """Return the broker's time when an account was last seen."""
    return connection.execute(select(Account.last_seen_at).where(Account.account == account)).scalar_one()


def opening(connection: Connection, account: str) -> Row[datetime, Decimal, Decimal]:
    """Return when an account was first seen, and its equity and cash then."""
    columns = Account.first_seen_at, Account.opening_equity, Account.opening_cash
    return connection.execute(select(*columns).where(Account.account == account)).one()


def lock(connection: Connection, account: str, purpose: str) -> None:
    """Wait until this transaction is the only one in the system to do `purpose` for `account`."""
    connection.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"{purpose}:{account}"}
    )


def try_lock(connection: Connection, account: str, purpose: str) -> bool:
    """Whether this transaction is the only one in the system to do `purpose` for `account`, without waiting."""
    statement = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 0))")
    return bool(connection.scalar(statement, {"name": f"{purpose}:{account}"}))
