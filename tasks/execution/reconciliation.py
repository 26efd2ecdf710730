"""The books against the broker: adopt, correct, or raise a break and halt."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from prefect import task

from db.models.execution import EXTERNAL
from db.repositories import accounts, orders, positions, reconciliation, risk
from tasks.books import open_books
from tasks.execution.following import OVERLAP
from tasks.execution.recording import broker_columns
from tasks.policies import REPEATABLE
from tasks.resources import broker, database, flow_run_id
from trading.errors import InvalidValueError
from trading.report import Report

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from sqlalchemy import Connection

    from tasks.broker import Broker
    from trading.broker import BrokerAccount, BrokerOrder, Clock

TOLERANCE = Decimal("0.000001")
"""Shares; Alpaca's fractions have nine decimals, ours too, and both round in the last."""
STRANGER = "placed outside of this system"
CASH_TOLERANCE = Decimal("0.05")
"""USD, per fill or activity: the broker books each to the cent."""


@task(**REPEATABLE)
def adopt_orders(*, session: date | None) -> list[dict[str, Any]]:
    """Enter the broker's orders that we do not know, as external ones; return a break for each.

    Raises
    ------
    InvalidValueError
        `session` is not the broker's present one: the broker only tells what is now.
    """
    gateway = broker()
    clock = gateway.clock()
    if session is not None and session != clock.last_opened:
        raise InvalidValueError("session", str(session), f"{clock.last_opened}, the only one the broker tells of now")
    with database().begin() as connection:
        account = open_books(connection, gateway, clock)
        first = accounts.opening(connection, account.number).first_seen_at
    listed = gateway.orders(since=first - OVERLAP)
    with database().begin() as connection:
        accounts.lock(connection, account.number, "submit")
        return _adopt(connection, account.number, listed)


@task(**REPEATABLE)
def compare_books(adopted: list[dict[str, Any]]) -> Report:
    """Compare positions and cash with the broker, after orders and fills are up to date.

    A difference nobody can explain halts trading. `adopted` are the breaks that adoption has mended.
    """
    gateway = broker()
    clock = gateway.clock()
    with database().begin() as connection:
        account = open_books(connection, gateway, clock)
        breaks = adopted + _position_breaks(connection, gateway, account.number)
        breaks += _cash_break(connection, gateway, account)
        verdict = _verdict(breaks)
        fills = orders.fills(connection, account.number)
        run = {
            "account": account.number,
            "session": clock.last_opened,
            "at": clock.now,
            "verdict": verdict,
            "orders_checked": len(orders.of_account(connection, account.number)),
            "fills_checked": len(fills),
            "positions_checked": len(positions.of_account(connection, account.number)),
            "flow_run_id": flow_run_id(),
        }
        shared = {"account": account.number, "session": clock.last_opened}
        reconciliation.record(connection, run, [{**shared, **entry} for entry in breaks])
        if verdict == "broken":
            _halt(connection, account.number, breaks, clock)
    figures = {name: run[name] for name in ("verdict", "orders_checked", "fills_checked", "positions_checked")}
    return Report(f"Reconciliation of {clock.last_opened}", figures, breaks)


def _adopt(connection: Connection, account: str, listed: Iterable[BrokerOrder]) -> list[dict[str, Any]]:
    """Enter orders that somebody else placed, as external ones."""
    by_id = {order.client_order_id: order for order in listed}
    known = orders.by_client_id(connection, by_id)
    strangers = [order for client_id, order in by_id.items() if client_id not in known]
    orders.intend(connection, [_external(account, order) for order in strangers])
    return [
        _break("order", order.client_order_id, ours="none", brokers=order.status, status="adopted", why=STRANGER)
        for order in strangers
    ]


def _external(account: str, order: BrokerOrder) -> dict[str, Any]:
    return {
        **broker_columns(order),
        "account": account,
        "strategy": EXTERNAL,
        "status": order.status,
        "filled_quantity": order.filled_quantity,
        "filled_average_price": order.filled_average_price,
        "closed_at": None,
    }


def _position_breaks(connection: Connection, gateway: Broker, account: str) -> list[dict[str, Any]]:
    theirs = {position.symbol: position.quantity for position in gateway.positions()}
    ours: Counter[str] = Counter()
    for row in positions.of_account(connection, account):
        ours[row.symbol] += row.quantity
    return [
        _break(
            "position",
            symbol,
            ours=f"{Decimal(ours[symbol]).normalize():f}",
            brokers=f"{theirs.get(symbol, Decimal(0)).normalize():f}",
            status="open",
            why="shares differ after every known fill: a split, a transfer, or a trade the account does not list",
        )
        for symbol in sorted({*theirs, *ours})
        if abs(Decimal(ours[symbol]) - theirs.get(symbol, Decimal(0))) > TOLERANCE
    ]


def _cash_break(connection: Connection, gateway: Broker, account: BrokerAccount) -> list[dict[str, Any]]:
    opening = accounts.opening(connection, account.number)
    flows = [
        fill.quantity * fill.price * (-1 if fill.side == "buy" else 1)
        for fill in orders.fills(connection, account.number)
    ]
    other = gateway.cash_activities(since=opening.first_seen_at)
    expected = opening.opening_cash + sum(flows) + sum(other)
    now = gateway.account().cash
    if abs(expected - now) <= CASH_TOLERANCE + Decimal("0.01") * (len(flows) + len(other)):
        return []
    why = "cash differs from opening cash, fills, dividends and fees"
    return [_break("cash", "USD", ours=f"{expected:.2f}", brokers=f"{now:.2f}", status="open", why=why)]


def _break(kind: str, subject: str, *, ours: str, brokers: str, status: str, why: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "subject": subject,
        "ours": ours,
        "brokers": brokers,
        "status": status,
        "explanation": why,
    }


def _verdict(breaks: list[dict[str, Any]]) -> str:
    if any(entry["status"] == "open" for entry in breaks):
        return "broken"
    return "corrected" if breaks else "clean"


def _halt(connection: Connection, account: str, breaks: list[dict[str, Any]], clock: Clock) -> None:
    first = next(entry for entry in breaks if entry["status"] == "open")
    reason = f"{first['kind']} {first['subject']}: ours {first['ours']}, the broker's {first['brokers']}"
    risk.set_trading_state(
        connection,
        account=account,
        state="HALTED",
        reason=f"reconciliation found a difference in {reason}",
        by="reconcile_trades",
        at=clock.now,
        flow_run_id=flow_run_id(),
    )
