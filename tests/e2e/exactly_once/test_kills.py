"""kill -9 at five points, again and again: one order per intent and equal books every time."""

from __future__ import annotations

import multiprocessing
import os
import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from tasks.execution.following import follow_orders
from tasks.execution.positions import apply_fills
from tasks.execution.reconciliation import reconcile_books
from tasks.execution.submission import submit_orders
from tasks.resources import broker
from tests.bare import begin, plant
from tests.e2e.exactly_once import dying
from tests.e2e.exactly_once.dying import POINTS, Death, Point

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.context import ForkServerContext, SpawnContext

    from sqlalchemy import Engine

    from tests.bare import Places, Simulator

REPETITIONS = int(os.environ.get("TRADING_KILLS", "12"))
"""Of each of the five points; with TRADING_KILLS=40 it is 200 in all, which takes five minutes."""
ORDERS = 3


@pytest.fixture(scope="module")
def starter() -> Iterator[ForkServerContext | SpawnContext]:
    """Return what starts processes; where the platform can, from a server that has imported everything."""
    root = str(Path(__file__).parents[3])
    if "forkserver" in multiprocessing.get_all_start_methods():
        context: Any = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([dying.__name__])
    else:
        context = multiprocessing.get_context("spawn")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", root, prepend=os.pathsep)
        # a process that shares the tests has no file of its own that another could run
        patch.delattr(sys.modules["__main__"], "__file__", raising=False)
        yield context


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("point", POINTS)
def test_a_killed_process_leaves_one_order_per_intent_and_equal_books(
    starter: Any, places: Places, engine: Engine, simulator: Simulator, point: Point
) -> None:
    chance = random.Random(f"{point} 1")  # noqa: S311 - repeatable, not secret
    for repetition in range(REPETITIONS):
        death = Death(point, chance.randint(1, ORDERS), chance.random() < 0.5)
        begin()
        account = plant(engine, ORDERS, quantity=(1, 2, 3))
        process = starter.Process(target=dying.live_and_die, args=(places, death))
        process.start()
        process.join(60)

        assert process.exitcode not in {None, 0, 1}, f"{death} did not kill it: {process.exitcode}"
        recover(simulator)
        check(engine, simulator, account, f"{death}, repetition {repetition}")


def recover(simulator: Simulator) -> None:
    """Do what the next runs do: send, let the session pass unless it has, follow, and apply."""
    submit_orders.fn(as_of=None)
    if broker().clock().session.isoformat() == "2012-12-03":
        simulator.control("clock", {"advance": "session"})
    follow_orders.fn()
    apply_fills.fn()


def check(engine: Engine, simulator: Simulator, account: str, case: str) -> None:
    """Compare the books with the broker: orders, fills, positions and cash."""
    theirs = simulator.orders()
    with engine.connect() as connection:
        ours = connection.execute(
            text("SELECT client_order_id, status, filled_quantity FROM execution.orders WHERE account = :a"),
            {"a": account},
        ).all()
        fills = connection.execute(
            text("SELECT count(*), sum(quantity) FROM execution.fills WHERE account = :a AND applied_at IS NOT NULL"),
            {"a": account},
        ).one()
    assert len(theirs) == ORDERS, case
    assert sorted((row.client_order_id, row.status, row.filled_quantity) for row in ours) == sorted(
        (order["client_order_id"], order["status"], float(order["filled_qty"])) for order in theirs
    ), case
    assert tuple(fills) == (ORDERS, 6), case
    report = reconcile_books.fn()
    assert report.figures["verdict"] == "clean", (case, report.rows)
