"""How many requests a minute the broker's data API takes, shared by every flow on every machine."""

from __future__ import annotations

import time
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
