"""Comparisons of the books with the broker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, update

from db.models.execution import ReconciliationBreak, ReconciliationRun
from db.statements import upsert

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Row


def record(connection: Connection, run: Mapping[str, Any], breaks: Iterable[Mapping[str, Any]]) -> int:
    """Write one comparison and its breaks; the same moment again replaces its verdict. Return the run's id.

    A break of the account that was open and is not found any more is resolved.
    """
    upsert(connection, ReconciliationRun, [run], keys=["account", "at"])
    identity = connection.scalars(
        select(ReconciliationRun.id).where(
            ReconciliationRun.account == run["account"], ReconciliationRun.at == run["at"]
        )
    ).one()
    rows = [{**row, "reconciliation_run_id": identity} for row in breaks]
    upsert(connection, ReconciliationBreak, rows, keys=["account", "kind", "subject", "session"])
    found = {(row["kind"], row["subject"]) for row in rows}
    gone = [row.id for row in open_breaks(connection, run["account"]) if (row.kind, row.subject) not in found]
    connection.execute(update(ReconciliationBreak).where(ReconciliationBreak.id.in_(gone)).values(status="resolved"))
    return identity


def last_at(connection: Connection, account: str) -> datetime | None:
    """Return the broker's time of the newest comparison of an account."""
    newest = select(func.max(ReconciliationRun.at)).where(ReconciliationRun.account == account)
    return connection.scalar(newest)


def open_breaks(connection: Connection, account: str) -> Sequence[Row[Any]]:
    """Return the differences of an account that are not explained yet, oldest first."""
    table = ReconciliationBreak
    statement = select(table.__table__).where(table.account == account, table.status == "open")
    return connection.execute(statement.order_by(table.id)).all()
