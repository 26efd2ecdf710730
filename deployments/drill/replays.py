"""The same sessions twice, on a new database and a new account each time: the same orders, fills and equity.

Orders leave several at a time, so that those of one moment reach the broker in either order: times are compared
to the second.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from deployments.drill.judging import Case, seen
from deployments.drill.sessions import coming, decide, settle

if TYPE_CHECKING:
    from deployments.drill.ground import Ground
    from deployments.drill.verdict import Verdict

ORDERS = """
    SELECT strategy, strategy_version, symbol, side, type, quantity, bar_ts, status, filled_quantity,
        filled_average_price, intended_at, date_trunc('second', submitted_at), closed_at
    FROM execution.orders WHERE account = :account ORDER BY id
"""
FILLS = """
    SELECT strategy, symbol, side, quantity, price, filled_at FROM execution.fills WHERE account = :account
    ORDER BY filled_at, symbol, strategy, quantity
"""
EQUITY = """
    SELECT session, at, equity, cash, long_value, short_value FROM execution.equity_snapshots
    WHERE account = :account ORDER BY session
"""
COMPARED = {"orders": ORDERS, "fills": FILLS, "points of equity": EQUITY}


def twice(ground: Ground, *, sessions: int) -> Verdict:
    """Trade the same sessions twice and compare everything but the account's own number."""
    began = time.monotonic()
    first, _ = _traded(ground, sessions, began)
    return _traded(ground, sessions, began, before=first)[1]


def _traded(
    ground: Ground, sessions: int, began: float, before: dict[str, Any] | None = None
) -> tuple[dict[str, Any], Verdict]:
    with ground.fresh() as fresh:
        for session in coming(sessions):
            decide(session)
            settle(session)
        case = Case("replay-twice", fresh, seen(fresh), began)
        with fresh.engine.connect() as connection:
            found = {
                name: [tuple(row) for row in connection.execute(text(query), {"account": case.account})]
                for name, query in COMPARED.items()
            }
        differing = [name for name in COMPARED if before is not None and found[name] != before[name]]
        empty = [name for name in COMPARED if not found[name]]
        problems = [f"the {name} differ" for name in differing] + [f"there are no {name}" for name in empty]
        figures = ", ".join(f"{len(rows)} {name}" for name, rows in found.items())
        said = [f"{figures}, the same both times"] if not problems else []
        return found, case.verdict(f"the same {sessions} sessions replayed twice", said=said, problems=problems)
