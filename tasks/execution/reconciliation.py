"""The books against the broker: adopt, apply what was missed, correct what is small, or raise a break and halt."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from prefect import task

from db.models.execution import EXTERNAL
from db.repositories import accounts, entries, positions, reconciliation
from tasks.books import open_books
from tasks.execution.activities import match_activities
from tasks.execution.adoption import difference, match_fills, match_orders
from tasks.execution.alarm import halt_and_tell
from tasks.execution.booking import ENTRY, book, mark
from tasks.execution.following import collect_fills
from tasks.execution.halting import Reach, cancel_open_orders
from tasks.execution.positions import apply_fills
from tasks.policies import REPEATABLE
from tasks.resources import broker, database, flow_run_id, locks
from trading.config import settings
from trading.errors import InvalidValueError, UnavailableError
from trading.lots import ZERO
from trading.reconciliation import Difference, absorb, adds_up, cash_difference, position_differences
from trading.report import Report

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from sqlalchemy import Connection

    from tasks.broker import Broker
    from trading.broker import Clock

CURRENCY = "USD"
BY = "reconcile_trades"
UNEXPLAINED = {
    "position": "shares differ after every known fill and action: a transfer, a spin-off, or a trade not listed",
    "cash": "cash differs from opening cash, fills, dividends and fees",
}

_reconciled: set[str] = set()
"""The accounts that this process has compared with the broker since it started."""


@task(**REPEATABLE)
def reconcile_books(*, session: date | None = None, accept: str | None = None) -> Report:
    """Compare orders, fills, positions and cash with the broker, and mend what may be mended.

    In this order: the broker's unknown orders are adopted as external, missed fills are applied, drifts up to the
    tolerances of the settings are corrected by recorded adjustments, and what is left is a break that halts
    trading. With `accept`, a person's reason, the broker's figures are taken over whatever their size. A call that
    fails ends the comparison without a verdict; repeating it changes nothing.

    Raises
    ------
    InvalidValueError
        `session` is not the broker's present one: the broker only tells what is now.
    UnavailableError
        The broker does not answer, or answers with something that cannot be all it has.
    """
    gateway = broker()
    clock = gateway.clock()
    if session is not None and session != clock.last_opened:
        raise InvalidValueError("session", str(session), f"{clock.last_opened}, the only one the broker tells of now")
    with database().begin() as connection:
        account = open_books(connection, gateway, clock).number
        opened = accounts.opening(connection, account).first_seen_at
    matched = match_orders(gateway, account)
    missed, lacking = match_fills(gateway, account, matched)
    told = match_activities(account, gateway.activities(since=opened), until=clock.last_opened)
    apply_fills.fn()
    if _doubtful(gateway, account, clock):  # a fill may have come between two calls: look twice
        missed += collect_fills(gateway, account)
        apply_fills.fn()
    with database().begin() as connection:
        accounts.lock(connection, account, "positions")
        books = _compare(connection, gateway, account)
        mended = [one for one in books.differences if one.small or accept or one.subject in books.unknown_at_first]
        _adjust(connection, books, mended, clock, accept)
        breaks = [*matched.breaks, *lacking, *told]
        breaks += [_break(one, mended=one in mended, accept=accept) for one in books.differences]
        run = {
            "account": account,
            "session": clock.last_opened,
            "at": clock.now,
            "verdict": _verdict(breaks),
            "orders_checked": matched.checked,
            "fills_checked": positions.count_fills(connection, account),
            "positions_checked": len({*books.held, *books.prices}),
            "flow_run_id": flow_run_id(),
        }
        shared = {"account": account, "session": clock.last_opened}
        reconciliation.record(connection, run, [{**shared, **entry} for entry in breaks])
        halted = run["verdict"] == "broken" and _halt(connection, account, breaks, clock)
    if halted:
        cancel_open_orders(Reach(database(), locks(), gateway), account)
    figures = {name: run[name] for name in ("verdict", "orders_checked", "fills_checked", "positions_checked")}
    figures["fills missed"] = missed
    return Report(f"Reconciliation of {clock.last_opened}", figures, breaks)


@task(**REPEATABLE)
def reconcile_at_start() -> Report | None:
    """Compare the books with the broker, the first time this process is about to trade for the account.

    A process that starts anew knows nothing of what happened meanwhile: until the comparison has been made,
    nothing is sent, and when it cannot be made the step fails. Returns None when it has been made before.
    """
    account = broker().account().number
    if account in _reconciled:
        return None
    report = reconcile_books.fn()
    _reconciled.add(account)
    return report


def forget_start() -> None:
    """Compare again before the next trade, as after a start."""
    _reconciled.clear()


@dataclass(frozen=True, slots=True)
class Books:
    """The books and the broker side by side: strategy -> shares and cost of each symbol, prices, what differs.

    `unknown_at_first` are symbols that the account held before we ever compared it: those are taken over.
    """

    account: str
    held: dict[str, dict[str, Decimal]]
    costs: dict[str, Decimal]
    prices: dict[str, Decimal]
    differences: list[Difference]
    unknown_at_first: frozenset[str]


def _compare(connection: Connection, gateway: Broker, account: str) -> Books:
    tolerances = settings().reconciliation
    held: dict[str, dict[str, Decimal]] = defaultdict(dict)
    costs: dict[str, Decimal] = {}
    for row in positions.of_account(connection, account):
        held[row.symbol][row.strategy] = row.quantity
        costs[row.symbol] = row.average_cost
    listed, figures = gateway.positions(), gateway.account()
    ours = {symbol: sum(shares.values(), ZERO) for symbol, shares in held.items()}
    theirs = {position.symbol: position.quantity for position in listed}
    differences = position_differences(ours, theirs, tolerance=Decimal(str(tolerances.shares)))
    if differences and not adds_up(listed, figures):
        raise UnavailableError(
            f"positions: the broker lists {len(listed)}, and their value is not the account's; the list cannot be whole"
        )
    opening = accounts.opening(connection, account)
    flows = positions.traded_cash(connection, account) + entries.adjusted_cash(connection, account)
    other = sum((line.net_amount for line in gateway.activities(since=opening.first_seen_at)), ZERO)
    expected = opening.opening_cash + flows + other
    cash = cash_difference(expected, figures.cash, tolerance=Decimal(str(tolerances.cash)))
    first = reconciliation.last_at(connection, account) is None
    unknown = frozenset(symbol for symbol in theirs if first and symbol not in held)
    prices = {position.symbol: position.market_price for position in listed}
    found = [*differences, cash] if cash else differences
    return Books(account, dict(held), costs, prices, found, unknown)


def _doubtful(gateway: Broker, account: str, clock: Clock) -> bool:
    """Whether anything differs, after the differing symbols' books have been made anew of their fills."""
    with database().begin() as connection:
        accounts.lock(connection, account, "positions")
        found = _compare(connection, gateway, account).differences
        symbols = {one.subject for one in found if one.kind == "position"}
        book(connection, account, symbols, until=clock.last_opened)
        return bool(found)


def _adjust(
    connection: Connection, books: Books, mended: Sequence[Difference], clock: Clock, accept: str | None
) -> None:
    """Write the adjustments that bring the books up to the broker's; their keys follow from what differs and when."""
    why = f"taken over from the broker: {accept}" if accept else "a drift within the tolerance"
    rows, cash = [], []
    for one in mended:
        key = f"adjustment:{one.subject}:{clock.now.isoformat()}:{one.ours.normalize():f}:{one.brokers.normalize():f}"
        shared = {**dict.fromkeys(ENTRY), "at": clock.now, "explanation": _words(one, why)}
        if one.kind == "cash":
            row = {**shared, "key": key, "kind": "cash", "symbol": CURRENCY, "strategy": EXTERNAL, "cash": one.delta}
            cash.append({**row, "account": books.account, "quantity": ZERO, "flow_run_id": flow_run_id()})
            continue
        price = books.prices.get(one.subject, books.costs.get(one.subject, ZERO))
        for strategy, shares in absorb(one.delta, books.held.get(one.subject, {}), stranger=EXTERNAL).items():
            named = {"key": f"{key}:{strategy}", "kind": "adjustment", "symbol": one.subject, "strategy": strategy}
            rows.append({**shared, **named, "shares": shares, "price": price})
    entries.record(connection, cash)
    if rows:
        book(connection, books.account, (), until=clock.last_opened, more=rows)
        mark(connection, books.account, books.prices, at=clock.now)


def _words(one: Difference, why: str) -> str:
    return f"{one.subject}: ours {one.ours.normalize():f}, the broker's {one.brokers.normalize():f}; {why}"


def _break(one: Difference, *, mended: bool, accept: str | None) -> dict[str, Any]:
    digits = "{:.2f}" if one.kind == "cash" else "{:f}"
    ours, theirs = (digits.format(figure.normalize()) for figure in (one.ours, one.brokers))
    why = UNEXPLAINED[one.kind]
    if mended:
        why = f"taken over from the broker: {accept}" if accept else "corrected by an adjustment"
    return difference(
        one.kind, one.subject, ours=ours, brokers=theirs, status="corrected" if mended else "open", why=why
    )


def _verdict(breaks: Sequence[Mapping[str, Any]]) -> str:
    if any(entry["status"] == "open" for entry in breaks):
        return "broken"
    return "corrected" if breaks else "clean"


def _halt(connection: Connection, account: str, breaks: Sequence[Mapping[str, Any]], clock: Clock) -> bool:
    first = next(entry for entry in breaks if entry["status"] == "open")
    reason = f"{first['kind']} {first['subject']}: ours {first['ours']}, the broker's {first['brokers']}"
    return halt_and_tell(
        connection,
        account,
        key=f"{first['kind']}:{first['subject']}:{clock.last_opened}",
        reason=f"reconciliation found a difference in {reason}",
        by=BY,
        at=clock.now,
    )
