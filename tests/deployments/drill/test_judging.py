"""The verdict sees what it is for: each of these would pass unseen if it did not."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import httpx
import pytest
from sqlalchemy import text

from deployments.drill.decisions import plant
from deployments.drill.judging import Case, finish
from tasks.execution.submission import submit_orders

if TYPE_CHECKING:
    from deployments.drill.ground import Ground


@pytest.fixture
def case(ground: Ground) -> Case:
    """Return a case of three decisions of which nothing has been sent."""
    return Case("test", ground, plant(ground.engine, 3, quantity=(1, 2, 3)), time.monotonic())


def post(ground: Ground, symbol: str, quantity: int) -> None:
    body = {"symbol": symbol, "qty": str(quantity), "side": "buy", "type": "market", "time_in_force": "day"}
    answer = httpx.post(f"{ground.places.broker}/v2/orders", json=body, headers=ground.places.headers, timeout=10)
    assert answer.is_success, answer.text


def test_what_went_well_is_ok(ground: Ground, case: Case) -> None:
    finish(ground)
    verdict = case.verdict("nothing")

    assert verdict.ok, verdict
    assert (verdict.intended, verdict.at_broker, verdict.doubled, verdict.lost) == (3, 3, 0, 0)
    assert verdict.state == "3 filled; trading ACTIVE"
    assert verdict.as_dict()["verdict"] == "ok"


def test_an_order_that_is_there_twice_under_another_id_is_doubled(ground: Ground, case: Case) -> None:
    submit_orders.fn(as_of=None)
    first = ground.simulator.orders()[0]
    post(ground, first["symbol"], int(first["qty"]))
    finish(ground)
    verdict = case.verdict("posted once more")

    assert (verdict.at_broker, verdict.doubled, verdict.lost) == (4, 1, 0)
    assert not verdict.books_equal
    assert not verdict.ok
    assert verdict.as_dict()["verdict"] == "FAILED"


def test_a_decision_without_an_order_and_without_a_reason_is_lost(case: Case) -> None:
    verdict = case.verdict("nothing was sent")

    assert (verdict.intended, verdict.at_broker, verdict.lost) == (3, 0, 3)
    assert not verdict.ok


@pytest.mark.parametrize(
    ("forgery", "line"),
    [
        ("UPDATE execution.orders SET status = 'canceled' WHERE id = (SELECT max(id) FROM execution.orders)", "order "),
        ("DELETE FROM execution.fills WHERE id = (SELECT max(id) FROM execution.fills)", "fills in the books"),
        ("UPDATE execution.positions SET quantity = quantity + 1 WHERE quantity > 0", "positions "),
    ],
)
def test_books_that_are_not_the_brokers_are_not_equal(ground: Ground, case: Case, forgery: str, line: str) -> None:
    finish(ground)
    with ground.engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))  # no rule stands in the way
        connection.execute(text(forgery))
    verdict = case.verdict("books changed by hand")

    assert not verdict.books_equal
    assert not verdict.ok
    assert any(line in problem for problem in verdict.problems), verdict.problems
