"""The broker's clock, for flows that wait on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect import task

from tasks.policies import REPEATABLE
from tasks.resources import broker

if TYPE_CHECKING:
    from trading.broker import Clock


@task(**REPEATABLE)
def read_clock() -> Clock:
    """Return the broker's clock, which is the system's."""
    return broker().clock()
