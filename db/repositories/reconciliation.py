"""Comparisons of the books with the broker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from db.models.execution import ReconciliationBreak, ReconciliationRun
from db.statements import insert_missing, upsert

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Connection, Row


def record(connection: Connection, run: Mapping[str, Any], breaks: Iterable[Mapping[str, Any]]) -> int:
    """Write one comparison and its breaks; the same moment again replaces its verdict. Return the run's id."""
    upsert(connection, ReconciliationRun, [run], keys=["account", "at"])
    identity = connection.scalars(
        select(ReconciliationRun.id).where(
            ReconciliationRun.account == run["account"], ReconciliationRun.at == run["at"]
        )
    ).one()
    insert_missing(connection, ReconciliationBreak, [{**row, "reconciliation_run_id": identity} for row in breaks])
    return identity


def open_breaks(connection: Connection, account: str) -> Sequence[Row[Any]]:
    """Return the differences of an account that are not explained yet, oldest first."""
    table = ReconciliationBreak
    statement = select(table.__table__).where(table.account == account, table.status == "open")
    return connection.execute(statement.order_by(table.id)).all()
