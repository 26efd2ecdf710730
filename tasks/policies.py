"""Retry policies as data: what is safe to try again, how often, how long apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prefect.cache_policies import NO_CACHE
from prefect.tasks import exponential_backoff

from trading.errors import UnavailableError

if TYPE_CHECKING:
    from prefect import Task
    from prefect.client.schemas.objects import State, TaskRun


async def transient(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Whether a failed task ran into something that may be over in a moment."""
    from sqlalchemy.exc import DBAPIError, OperationalError

    error = await state.aresult(raise_on_failure=False)
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    return lost or isinstance(error, UnavailableError | OperationalError)


REPEATABLE: dict[str, Any] = {
    "retries": 3,
    "retry_delay_seconds": exponential_backoff(backoff_factor=2),
    "retry_jitter_factor": 0.5,
    "retry_condition_fn": transient,
    "cache_policy": NO_CACHE,
}
"""For steps that are idempotent on their business key: every step but the sending of orders."""

ONCE: dict[str, Any] = {"cache_policy": NO_CACHE}
"""For the sending of orders: what became of an unanswered call is looked up, not tried again."""
