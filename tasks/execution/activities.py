"""The broker's lines about dividends, splits and cash in lieu against what we booked of them."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from db.repositories import accounts, entries, positions
from tasks.execution.adoption import difference
from tasks.execution.booking import ENTRY, book
from tasks.resources import database
from trading.calendar import bar_timestamp, session_of
from trading.lots import ZERO
from trading.reconciliation import CENT, Booked, confirmation

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from sqlalchemy import Connection

    from trading.broker import BrokerActivity

RATIO_DIGITS = Decimal("0.000000000001")
ONE = Decimal(1)
UNKNOWN = "not among our corporate actions; booked from the broker's line"
PAID = "the broker paid another amount than shares held times the stored rate"


def match_activities(account: str, activities: Sequence[BrokerActivity], *, until: date) -> list[dict[str, Any]]:
    """Confirm booked actions by the broker's lines, and book what only those tell of; each line counts once.

    Returns
    -------
    A break for each action that was booked from the broker's line alone (adopted), and for each dividend that was
    paid with another amount than ours (corrected: the cash is the broker's, the income in the books the stored
    rate's).
    """
    with database().begin() as connection:
        accounts.lock(connection, account, "positions")
        done = entries.confirmed_activities(connection, account)
        book(connection, account, (), until=until)  # what is stored comes first
        breaks = []
        for lines in _by_action(line for line in activities if line.activity_id not in done):
            breaks += _match(connection, account, lines, until)
        return breaks


def _by_action(activities: Iterable[BrokerActivity]) -> list[list[BrokerActivity]]:
    """Return the lines of each action together: a split may have one for the old shares and one for the new."""
    found: dict[tuple[object, ...], list[BrokerActivity]] = defaultdict(list)
    for line in activities:
        if line.symbol is not None and (line.is_dividend or line.is_split or line.is_exchange or line.is_cash_in_lieu):
            kind = "split" if line.is_split else line.activity_id
            found[line.day, line.symbol, kind].append(line)
    rank = {True: 0, False: 1}
    return [found[key] for key in sorted(found, key=lambda key: (key[0], rank[key[2] == "split"], str(key)))]


def _match(connection: Connection, account: str, lines: list[BrokerActivity], until: date) -> list[dict[str, Any]]:
    line = lines[0]
    if not line.is_cash_in_lieu:
        booked = [
            Booked(row.key, row.kind, row.symbol, session_of(row.at), row.quantity, row.cash)
            for row in entries.unconfirmed(connection, account)
        ]
        fitting = confirmation(line, booked)
        if fitting is not None:
            entries.confirm(connection, account, fitting.key, activity=line.activity_id)
            return _amounts(line, fitting)
    if line.is_exchange:  # what came from whom no line says: positions that differ tell a person
        return []
    row = _entry(line, lines, _held(connection, account, line.symbol))
    if row is None:
        return []
    book(connection, account, (), until=until, more=[row])
    what = f"{line.net_amount:.2f} USD" if line.net_amount else f"{sum_of(lines).normalize():f} shares"
    kind = "cash" if line.net_amount else "position"
    subject = f"{line.kind} {line.symbol} {line.day}"
    return [difference(kind, subject, ours="none", brokers=what, status="adopted", why=UNKNOWN)]


def _amounts(line: BrokerActivity, booked: Booked) -> list[dict[str, Any]]:
    if not line.is_dividend or abs(line.net_amount - booked.cash) <= CENT:
        return []
    ours, theirs = f"{booked.cash:.2f}", f"{line.net_amount:.2f}"
    subject = f"{line.kind} {line.symbol} {line.day}"
    return [difference("cash", subject, ours=ours, brokers=theirs, status="corrected", why=PAID)]


def _held(connection: Connection, account: str, symbol: str | None) -> Decimal:
    rows = positions.of_account(connection, account)
    return sum((row.quantity for row in rows if row.symbol == symbol), ZERO)


def sum_of(lines: Iterable[BrokerActivity]) -> Decimal:
    """Return the shares that the lines of an action change together."""
    return sum((line.quantity or ZERO for line in lines), ZERO)


def _entry(line: BrokerActivity, lines: list[BrokerActivity], held: Decimal) -> dict[str, Any] | None:
    """Return the entry that a line amounts to, or None when it changes nothing we hold."""
    kind = "cash_in_lieu" if line.is_cash_in_lieu else "split" if line.is_split else "dividend"
    shared = {
        **dict.fromkeys(ENTRY),
        "kind": kind,
        "key": f"{kind}:{line.symbol}:{line.day}",
        "symbol": line.symbol,
        "at": bar_timestamp(line.day),
        "activity_id": line.activity_id,
        "explanation": f"{kind} of {line.day}, from the broker's line {line.activity_id}",
    }
    if kind == "cash_in_lieu":
        shares = abs(line.quantity) if line.quantity else abs(held) % ONE
        if not shares or shares > abs(held):
            return None
        return {**shared, "shares": shares, "price": abs(line.net_amount) / shares}
    if kind == "split":
        delta = sum_of(lines)
        if not held or held + delta == 0 or (held + delta) * held < 0 or not delta:
            return None
        return {**shared, "ratio": ((held + delta) / held).quantize(RATIO_DIGITS)}
    rate = line.per_share or (abs(line.net_amount / held) if held else None)
    return {**shared, "rate": rate} if rate else None
