"""How many requests a minute the broker's APIs take, shared by every flow on every machine."""

from __future__ import annotations

import threading
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from trading.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping

MINUTE = 60.0
LONGEST_WAIT = 600.0
"""Seconds a request waits for its turn before the step fails, to be tried again."""


class RequestBudget:
    """One Prefect rate limit for all, set to what the broker announces in its headers.

    Parameters
    ----------
    name
        The global concurrency limit, with slots that decay, that every spender takes from.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._announced: int | None = None
        self._empty_until = 0.0

    def spend(self) -> None:
        """Take one request from the budget; wait while there is none.

        Raises
        ------
        UnavailableError
            The limit does not exist, or its turn did not come within ten minutes.
        """
        from prefect.concurrency.asyncio import ConcurrencySlotAcquisitionError
        from prefect.concurrency.sync import rate_limit

        time.sleep(min(max(self._empty_until - time.time(), 0.0), MINUTE))
        try:
            rate_limit(self._name, timeout_seconds=LONGEST_WAIT, strict=True)
        except TimeoutError:
            raise UnavailableError(f"rate limit {self._name}: no request free within {LONGEST_WAIT:.0f} s") from None
        except ConcurrencySlotAcquisitionError as error:
            raise UnavailableError(f"rate limit {self._name}: {error}; run `trading start`") from None

    def note(self, headers: Mapping[str, str]) -> None:
        """Follow an answer's X-RateLimit headers: the limit per minute, what is left of it, and until when."""
        limit, left, until = (headers.get(f"X-RateLimit-{name}", "") for name in ("Limit", "Remaining", "Reset"))
        if left == "0" and until.isdecimal():
            self._empty_until = float(until)
        if limit.isdecimal():
            self._follow(int(limit))

    def _follow(self, announced: int) -> None:
        if announced in {self._announced, 0}:
            return
        from prefect.client.orchestration import get_client
        from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate

        with get_client(sync_client=True) as client:
            limit = client.read_global_concurrency_limit_by_name(self._name)
            if limit.limit != announced:
                changed = GlobalConcurrencyLimitUpdate(limit=announced, slot_decay_per_second=announced / MINUTE)
                client.update_global_concurrency_limit(self._name, changed)
        self._announced = announced


class NoBudget(RequestBudget):
    """The budget of a data API that counts nothing, such as a drill's own simulator."""

    def __init__(self) -> None:
        super().__init__("none")

    def spend(self) -> None:
        """Wait for nothing."""

    def note(self, headers: Mapping[str, str]) -> None:
        """Take no notice."""


RESERVE = 10
"""Requests of a minute that are left to cancellations."""


class AnnouncedBudget:
    """What is left of the trading API's minute, by the broker's own count; one for all threads of a process.

    The broker counts for the whole account and says so with every answer, so this is shared with every other
    machine without asking anything on the way of an order. Until it has said something, nothing waits.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left: int | None = None
        self._limit = 0
        self._window = ""
        self._over_at = 0.0

    def take(self, *, reserve: int = RESERVE) -> None:
        """Count a request; wait for the next minute while no more than `reserve` are left of this one."""
        while (wait := self._try(reserve)) > 0:
            time.sleep(wait)

    def _try(self, reserve: int) -> float:
        """Take one and return 0, or return the seconds (0.25 at most) until it is worth asking again."""
        with self._lock:
            if self._left is None:
                return 0.0
            wait = self._over_at - time.monotonic()
            if self._left > min(reserve, self._limit // 2):
                self._left -= 1
                return 0.0
            if wait <= 0:
                self._left = None  # a new minute: its first answer says how much it has
                return 0.0
            return min(wait, 0.25)

    def note(self, headers: Mapping[str, str]) -> None:
        """Follow an answer's X-RateLimit headers; their minute ends by the broker's clock, not by ours."""
        limit, left, until = (headers.get(f"X-RateLimit-{name}", "") for name in ("Limit", "Remaining", "Reset"))
        if not (left.isdecimal() and until.isdecimal() and limit.isdecimal()):
            return
        with self._lock:
            same = until == self._window and self._left is not None
            self._left = min(self._left or 0, int(left)) if same else int(left)
            if until != self._window:
                self._over_at = time.monotonic() + min(max(int(until) - _sent_at(headers), 0.0), MINUTE)
            self._limit, self._window = int(limit), until


def _sent_at(headers: Mapping[str, str]) -> float:
    """Return when an answer was sent, by the clock of who sent it; ours where it does not say."""
    try:
        return parsedate_to_datetime(headers.get("Date", "")).timestamp()
    except ValueError:
        return time.time()
