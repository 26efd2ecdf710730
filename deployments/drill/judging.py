"""The books against the broker after a fault: counts, differences, and the state in words."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from db.repositories import accounts, risk
from deployments.drill.verdict import Verdict
from tasks.execution.following import follow_orders
from tasks.execution.positions import apply_fills
from tasks.execution.reconciliation import reconcile_books
from tasks.execution.submission import submit_orders
from tasks.resources import broker
from trading.orders import FINAL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row

    from deployments.drill.ground import Ground

Kind = tuple[str, str, Decimal]
"""Symbol, side and quantity: what an order is, whatever it is called."""

DECIDED = """
    SELECT symbol, side, approved_quantity AS quantity FROM risk_management.risk_decisions
    WHERE account = :account AND approved_quantity > 0
"""
OURS = """
    SELECT client_order_id, symbol, side, quantity, status, filled_quantity, problem FROM execution.orders
    WHERE account = :account ORDER BY id
"""
FILLS = "SELECT execution_id, quantity, price, applied_at FROM execution.fills WHERE account = :account"
HELD = "SELECT symbol, sum(quantity) AS quantity FROM execution.positions WHERE account = :account GROUP BY symbol"


@dataclass(frozen=True, slots=True)
class Case:
    """One fault on its way: the account it happens to, and when it began (`time.monotonic`)."""

    name: str
    ground: Ground
    account: str
    began: float

    def statuses(self) -> Counter[str]:
        """Return how many orders of the books are in which state."""
        return Counter(row.status for row in _rows(self.ground, OURS, self.account))

    def verdict(self, done: str, *, said: Sequence[str] = (), problems: Sequence[str] = ()) -> Verdict:
        """Judge what came of it; `said` stands before the state, `problems` are what the exercise itself found."""
        ours = _rows(self.ground, OURS, self.account)
        theirs = self.ground.simulator.orders()
        decided = Counter(_kind(row) for row in _rows(self.ground, DECIDED, self.account))
        arrived = Counter((order["symbol"], order["side"], Decimal(order["qty"])) for order in theirs)
        known = {order["client_order_id"] for order in theirs}
        explained = Counter(_kind(row) for row in ours if row.client_order_id not in known and _explained(row))
        found = [*problems, *_differences(self.ground, self.account, ours, theirs)]
        return Verdict(
            name=self.name,
            done=done,
            intended=decided.total(),
            at_broker=len(theirs),
            doubled=(arrived - decided).total(),
            lost=(decided - arrived - explained).total(),
            books_equal=len(found) == len(problems),
            state="; ".join([*said, *_words(self.ground, self.account, ours)]),
            seconds=round(time.monotonic() - self.began, 1),
            problems=tuple(found),
        )


def finish(ground: Ground) -> None:
    """Do what the next runs do: send what is left, let the session pass unless it has, follow and apply."""
    from deployments.drill.decisions import SESSION

    submit_orders.fn(as_of=None)
    if broker().clock().session == SESSION:
        ground.simulator.advance("session")
    follow_orders.fn()
    apply_fills.fn()


def _rows(ground: Ground, statement: str, account: str) -> Sequence[Row[Any]]:
    with ground.engine.connect() as connection:
        return connection.execute(text(statement), {"account": account}).all()


def _kind(row: Row[Any]) -> Kind:
    return row.symbol, row.side, row.quantity


def _explained(row: Row[Any]) -> bool:
    """Whether the books say in words why an order is not at the broker, and count nothing of it."""
    return row.status in {*FINAL, "unknown"} and bool(row.problem) and not row.filled_quantity


def _differences(ground: Ground, account: str, ours: Sequence[Row[Any]], theirs: Sequence[dict[str, Any]]) -> list[str]:
    """Return a line about everything in which the books are not the broker's."""
    found = []
    books = {row.client_order_id: (row.status, row.filled_quantity) for row in ours if not _explained(row)}
    listed = {order["client_order_id"]: (order["status"], Decimal(order["filled_qty"])) for order in theirs}
    for name in sorted({*books, *listed}):
        has = {row.client_order_id: (row.status, row.filled_quantity) for row in ours}.get(name)
        if (name in listed and has != listed[name]) or (name in books and name not in listed):
            found.append(f"order {name}: {_pair(has)} in the books, {_pair(listed.get(name))} at the broker")
    fills = _rows(ground, FILLS, account)
    counted = Counter((row.execution_id, row.quantity, row.price) for row in fills)
    told = Counter((row["id"], Decimal(row["qty"]), Decimal(row["price"])) for row in ground.simulator.fills())
    if counted != told:
        found.append(f"{counted.total()} fills in the books, {told.total()} at the broker, or others")
    if waiting := sum(row.applied_at is None for row in fills):
        found.append(f"{waiting} fills are not in the positions")
    held = {row.symbol: row.quantity for row in _rows(ground, HELD, account) if row.quantity}
    owned = {symbol: Decimal(shares) for symbol, shares in ground.simulator.positions().items()}
    if held != owned:
        found.append(f"positions {_shares(held)} in the books, {_shares(owned)} at the broker")
    report = reconcile_books.fn()  # cash, and everything once more by the system's own comparison
    if report.figures["verdict"] != "clean":
        found += [f"{row['kind']} {row['subject']}: ours {row['ours']}, theirs {row['brokers']}" for row in report.rows]
    return found


def _pair(value: tuple[str, Decimal] | None) -> str:
    return "nothing" if value is None else f"{value[0]} ({value[1].normalize():f} filled)"


def _shares(held: dict[str, Decimal]) -> str:
    return ", ".join(f"{symbol} {shares.normalize():f}" for symbol, shares in sorted(held.items())) or "none"


def _words(ground: Ground, account: str, ours: Sequence[Row[Any]]) -> list[str]:
    """Return the state in words: the orders by what became of them and why, and whether trading goes on."""
    reasons = Counter((row.status, row.problem if row.status != "filled" else None) for row in ours)
    words = [f"{number} {status}" + (f" ({why})" if why else "") for (status, why), number in reasons.items()]
    with ground.engine.connect() as connection:
        state = risk.state_row(connection, account)
    if state is not None:
        words.append(f"trading {state.state}" + (f" ({state.reason})" if state.state != "ACTIVE" else ""))
    return words


def seen(ground: Ground) -> str:
    """Return the account seen last."""
    with ground.engine.connect() as connection:
        return accounts.newest(connection) or ""
