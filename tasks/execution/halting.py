"""Halting: the state is written first, so that nothing more is sent; then every open order is cancelled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from db.repositories import accounts, risk
from db.turns import until_done
from trading.errors import DataError, UnavailableError

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Engine

    from tasks.broker import Broker

TRIES = 3
LOCK_SECONDS = 30
"""Longer than an order call may hang."""


@dataclass(frozen=True, slots=True)
class Halted:
    """What a halt did: the account, since when it is HALTED, whether it was not before, and the orders cancelled."""

    account: str
    since: datetime
    changed: bool
    cancelled: frozenset[str]


@dataclass(frozen=True, slots=True)
class Reach:
    """What halting works with; `locks` is for connections that only wait for a turn."""

    database: Engine
    locks: Engine
    broker: Broker


def halt(reach: Reach, *, reason: str, by: str, flow_run_id: UUID | None = None) -> Halted:
    """Halt the account used last, and the broker's if that is another; cancel every open order.

    Raises
    ------
    DataError
        No account has been seen yet.
    UnavailableError
        The broker did not take the cancellations; trading is HALTED all the same.
    """
    with reach.database.connect() as connection:
        account = accounts.newest(connection)
    if account is None:
        raise DataError("no account has been seen yet, so there is no trading to halt; run a trading cycle first")
    changed = _write(reach, account, reason=reason, by=by, flow_run_id=flow_run_id)
    try:
        cancelled = cancel_open_orders(reach, account)
        number = reach.broker.account().number
    except UnavailableError as error:
        raise UnavailableError(f"trading is HALTED, but open orders may be left: {error}; halt again") from error
    if number != account:
        with reach.database.connect() as connection:
            known = risk.state_row(connection, number)
        if known is not None:
            account, changed = number, _write(reach, number, reason=reason, by=by, flow_run_id=flow_run_id)
            cancelled |= cancel_open_orders(reach, number)
    with reach.database.connect() as connection:
        row = risk.state_row(connection, account)
    if row is None:
        raise DataError(f"account {account} has no trading state; run a trading cycle first")
    return Halted(account, row.changed_at, changed, frozenset(cancelled))


def cancel_open_orders(reach: Reach, account: str) -> set[str]:
    """Cancel every open order at the broker, and whatever a submitter at work posts last.

    A submitter reads the trading state between two orders; until it has put its lock down, cancelling goes on.

    Raises
    ------
    UnavailableError
        The broker does not answer after three tries, or the submitter does not stop within half a minute.
    """
    cancelled: set[str] = set()
    try:
        for _ in until_done(reach.locks, account, "submit", seconds=LOCK_SECONDS):
            cancelled |= _cancel(reach.broker)
    except TimeoutError as error:
        raise UnavailableError(f"another run still sends orders: {error}") from None
    return cancelled


def _cancel(broker: Broker) -> set[str]:
    for _ in range(TRIES - 1):
        try:
            return broker.cancel_all()
        except UnavailableError:
            continue
    return broker.cancel_all()


def _write(reach: Reach, account: str, *, reason: str, by: str, flow_run_id: UUID | None) -> bool:
    """Write the state at the broker's time as last seen: its clock is not asked, a halt waits for nobody."""
    with reach.database.begin() as connection:
        return risk.set_trading_state(
            connection,
            account=account,
            state="HALTED",
            reason=reason,
            by=by,
            at=accounts.last_seen(connection, account),
            flow_run_id=flow_run_id,
        )
