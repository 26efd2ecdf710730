"""What `trading check` found about versions of strategies, and whether a version may trade."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from db.models.strategy_engine import StrategyCheck
from trading.errors import NotCheckedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection, Row


def record(connection: Connection, row: Mapping[str, Any]) -> int:
    """Write down a check; return its id."""
    statement = insert(StrategyCheck).values(**row).returning(StrategyCheck.id)
    return connection.execute(statement).scalar_one()


def latest(connection: Connection, version: str) -> Row[Any] | None:
    """Return the last check of a version over its own universe; one over other symbols is of another question."""
    statement = select(StrategyCheck.__table__).where(
        StrategyCheck.strategy_version == version, StrategyCheck.symbols.is_(None)
    )
    return connection.execute(statement.order_by(StrategyCheck.id.desc()).limit(1)).one_or_none()


def require(connection: Connection, name: str, version: str) -> None:
    """Refuse a version that may not trade: its last check failed, or there is none.

    Raises
    ------
    NotCheckedError
        Says which, and what to do.
    """
    found = latest(connection, version)
    if found is None:
        raise NotCheckedError(
            f"{name} {version} was never checked; run `trading check {name}`, or give a reason to activate it anyway"
        )
    if found.verdict == "fail":
        failed = ", ".join(check["name"] for check in found.checks if check["verdict"] == "fail")
        raise NotCheckedError(
            f"{name} {version} failed its last check ({failed}); change it and run `trading check {name}`, "
            "or give a reason to activate it anyway"
        )
