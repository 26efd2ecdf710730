"""Taking turns: a connection that holds a lock, and waiting until what others do for an account has ended."""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from sqlalchemy.exc import OperationalError

from db.repositories import accounts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine

PAUSE_SECONDS = 0.25


@contextmanager
def guarding(engine: Engine) -> Iterator[Connection]:
    """Yield a connection whose locks end with the block.

    Where the block fails, its error is the one that is told, also when this connection has died as well: a database
    that goes away takes both.
    """
    with engine.connect() as connection:
        transaction = connection.begin()
        try:
            yield connection
        except BaseException:
            with suppress(OperationalError):
                transaction.rollback()
            raise
        transaction.commit()


def until_done(engine: Engine, account: str, purpose: str, *, seconds: float) -> Iterator[None]:
    """Yield now, every quarter of a second while somebody does `purpose` for `account`, and at last while nobody can.

    Raises
    ------
    TimeoutError
        It is still being done after so many seconds.
    """
    yield
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with engine.begin() as guard:
            if accounts.try_lock(guard, account, purpose):
                yield
                return
        time.sleep(PAUSE_SECONDS)
        yield
    raise TimeoutError(f"{purpose} of {account} still goes on after {seconds:.0f} s")
