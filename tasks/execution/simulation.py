"""Moving the simulator's clock; a real broker's moves by itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

import httpx
from prefect import task

from tasks.policies import ONCE
from tasks.resources import broker, credentials
from trading.calendar import close_at, open_at, session_after
from trading.errors import BrokerError, UnavailableError

if TYPE_CHECKING:
    from datetime import date

    from trading.broker import Clock

BEFORE_OPEN = timedelta(minutes=10)
AFTER_CLOSE = timedelta(minutes=20)
PATIENCE = 60.0


@task(**ONCE)
def coming_sessions(count: int) -> list[date]:
    """Return the next `count` sessions of the simulator that have not opened yet.

    Raises
    ------
    BrokerError
        The broker is not the simulator: nobody steps a real market.
    """
    login = credentials()
    if login.kind != "simulator":
        raise BrokerError(f"replay steps the simulator's clock, and the broker is {login.kind}; unset ALPACA_API_KEY")
    clock = broker().clock()
    first = clock.session if not clock.is_open else session_after(clock.session)
    coming = [first]
    while len(coming) < count:
        coming.append(session_after(coming[-1]))
    return coming


@task(**ONCE)
def step_before_open(session: date) -> Clock:
    """Move the clock to ten minutes before a session's open, and return it."""
    return _step(open_at(session) - BEFORE_OPEN)


@task(**ONCE)
def step_after_close(session: date) -> Clock:
    """Move the clock to twenty minutes after a session's close, and return it."""
    return _step(close_at(session) + AFTER_CLOSE)


@lru_cache(maxsize=1)
def _control() -> httpx.Client:
    """Return this process's client for the simulator's control routes."""
    return httpx.Client(timeout=PATIENCE)


def _step(to: datetime) -> Clock:
    """Move the clock forward to `to`; where it is past that already, it stays."""
    now = broker().clock()
    if now.now >= to:
        return now
    login = credentials()
    body = {"to": to.isoformat()}
    try:
        answer = _control().post(f"{login.trading_url}/simulator/clock", json=body, headers=login.headers())
    except httpx.HTTPError as error:
        raise UnavailableError(f"the simulator does not answer ({type(error).__name__}); see its log") from error
    if answer.is_error:
        raise BrokerError(f"the simulator's clock does not move to {to.isoformat()}: {answer.text}")
    return broker().clock()
