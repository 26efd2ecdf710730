from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from flows import steps
from tasks.execution.following import follow_orders
from tasks.execution.positions import apply_fills
from tasks.execution.simulation import coming_sessions, step_after_close, step_before_open
from tasks.execution.submission import submit_orders
from tasks.resources import broker
from tasks.risk_management.limits import decide_orders
from tasks.risk_management.sizing import size_targets
from tasks.strategy_engine.signals import decide_signals, strategies_to_run
from tests.stack import forget_resources

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from subprocess import CompletedProcess

    from tests.stack import Stack


@pytest.fixture(autouse=True)
def own_resources(inside: Stack) -> Iterator[None]:  # noqa: ARG001 - the resources are the stack's
    yield
    forget_resources()


@pytest.fixture
def decided(fresh_account: Stack) -> date:
    """Return the session for which every order has been decided and none sent."""
    session = coming_sessions.fn(1)[0]
    step_before_open.fn(session)
    steps.ingest(steps.as_function)
    for name in strategies_to_run.fn(None):
        decide_signals.fn(name, as_of=None)
    size_targets.fn(as_of=None, method=None)
    decide_orders.fn(as_of=None)
    assert fresh_account.settings.simulated
    return session


@pytest.fixture
def traded(decided: date) -> date:
    """Return a session whose orders have filled and whose books agree."""
    submit_orders.fn(as_of=None)
    step_after_close.fn(decided)
    follow_orders.fn()
    apply_fills.fn()
    return decided


def said(done: CompletedProcess[str], status: int = 0) -> str:
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def state(stack: Stack) -> dict[str, Any]:
    found: dict[str, Any] = stack.api("GET", "/api/risk").json()["trading_state"]
    return found


def test_trading_is_traced_halted_resumed_and_flattened_from_the_command_line(inside: Stack, traded: date) -> None:
    orders = inside.api("GET", "/api/orders").json()["items"]
    order = next(row for row in orders if row["status"] == "filled")

    shown = said(inside.trading("trace", order["client_order_id"]))
    for words in (
        "unchanged since",
        "signal",
        "target",
        "decision",
        f"order {order['id']}",
        "fill",
        "strategy version",
    ):
        assert words in shown
    chain = json.loads(said(inside.trading("trace", f"order:{order['id']}", "--json")))
    assert chain["bars"]["own"]["unchanged"] is chain["bars"]["evaluated"]["unchanged"] is True
    assert chain["bars"]["own"]["sha256"] == chain["signal"]["bars_sha256"]
    assert chain["steps"][0]["fills"]
    assert "nothing is named 'nobody'" in said(inside.trading("trace", "nobody"), 1)

    assert said(inside.trading("reconcile")).startswith(f"Reconciliation of {traded}")
    halted = said(inside.trading("halt", "--reason", "a drill"))
    assert "trading is HALTED" in halted
    assert (state(inside)["state"], state(inside)["reason"]) == ("HALTED", "a drill")
    assert "(command line)" in str(state(inside)["changed_by"])
    assert "was HALTED already" in said(inside.trading("halt", "--reason", "a drill again"))
    assert "trading is ACTIVE" in said(inside.trading("resume", "--reason", "the drill is over"))
    assert "say why in at least 3 characters" in said(inside.trading("halt", "--reason", " "), 2)

    report = json.loads(said(inside.trading("flatten", "--reason", "going away", "--yes", "--wait", "0", "--json")))
    assert report["figures"]["closing orders"] == len(report["rows"]) >= 1
    assert {row["status"] for row in report["rows"]} <= {"accepted", "pending_new", "new"}


def test_a_halt_over_the_api_cancels_open_orders(inside: Stack, decided: date) -> None:
    submit_orders.fn(as_of=None)
    began = time.monotonic()
    answer = inside.api("POST", "/api/risk/state", json={"state": "HALTED", "reason": "a drill", "who": "ada"}).json()
    assert answer["state"] == "HALTED", f"for session {decided}"
    assert answer["run"]["flow_run_id"]
    left = ["not asked yet"]
    while left and time.monotonic() - began < 30:
        listed = broker().orders(since=broker().clock().now.replace(year=2000))
        left = [order.client_order_id for order in listed if order.status in {"new", "accepted", "pending_new"}]
    took = time.monotonic() - began
    assert left == []
    assert took < 30  # a run is started for it, and the tests share the machine's processors
    inside.ended(answer["run"]["flow_run_id"])  # it halts whatever account is there: not the next test's
