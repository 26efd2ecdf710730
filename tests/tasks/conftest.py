"""Steps run against the real system, called as the functions they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from db.repositories import strategies
from tasks import resources
from tasks.data_ingestion.fetching import fetch_bars
from tasks.data_ingestion.quality import check_quality
from tasks.data_ingestion.universe import resolve_universe
from tasks.execution.simulation import coming_sessions, step_before_open
from tasks.risk_management.limits import decide_orders
from tasks.risk_management.sizing import size_targets
from tasks.strategy_engine.signals import decide_signals, strategies_to_run
from tests.stack import forget_resources

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date

    from tests.stack import Stack


@pytest.fixture(autouse=True)
def own_resources(inside: Stack) -> Iterator[None]:  # noqa: ARG001 - the resources are the stack's
    """Let no engine or login outlive the stack it belongs to."""
    yield
    forget_resources()


@pytest.fixture
def before_open(fresh_account: Stack) -> date:  # noqa: ARG001 - the clock is the account's
    """Return the first session, its clock ten minutes before the open and the bars up to date."""
    session: date = coming_sessions.fn(1)[0]
    step_before_open.fn(session)
    universe = resolve_universe.fn(None)
    fetch_bars.fn(universe, timeframe="1Day", start=None, end=None)
    check_quality.fn(universe, timeframe="1Day", start=None, end=None, on_failure="quarantine")
    return session


@pytest.fixture
def decided(before_open: date) -> date:
    """Return the session for which every order has been decided and none sent."""
    for name in strategies_to_run.fn(None):
        decide_signals.fn(name, as_of=None)
    size_targets.fn(as_of=None, method=None)
    decide_orders.fn(as_of=None)
    return before_open


@pytest.fixture
def only() -> Iterator[Callable[[str], None]]:
    """Let one strategy trade, and all of them again afterwards."""

    def activate(name: str) -> None:
        with resources.database().begin() as connection:
            for strategy in strategies_to_run.fn(None):
                strategies.set_status(connection, strategy, "paused", by="test")
            strategies.set_status(connection, name, "active", by="test", anyway="test")

    strategies_to_run.fn(None)
    with resources.database().connect() as connection:
        before = [strategy.name for strategy in strategies.active(connection)]
    yield activate
    with resources.database().begin() as connection:
        for name in before:
            strategies.set_status(connection, name, "active", by="test", anyway="test")
