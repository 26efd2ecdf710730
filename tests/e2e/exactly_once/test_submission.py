from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from sqlalchemy import text

from tasks.execution.following import follow_orders
from tasks.execution.positions import apply_fills
from tasks.execution.submission import submit_orders
from tasks.resources import broker
from tests.bare import plant

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from tests.bare import Places, Simulator


def rows(engine: Engine, statement: str, **values: object) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(statement), values)]


def test_every_decision_becomes_one_order_and_fills_become_positions(
    places: Places, engine: Engine, simulator: Simulator
) -> None:
    account = plant(engine, 60)

    report = submit_orders.fn(as_of=None)
    simulator.control("clock", {"advance": "session"})
    followed = follow_orders.fn()
    apply_fills.fn()

    assert report.figures["sent"] == 60, places
    assert followed.figures["filled"] == 60
    assert followed.figures["new fills"] == 60
    held = rows(engine, "SELECT symbol, quantity FROM execution.positions WHERE account = :a ORDER BY 1", a=account)
    assert held == sorted((position.symbol, position.quantity) for position in broker().positions())


def test_ten_runs_at_once_send_every_order_once(places: Places, engine: Engine, simulator: Simulator) -> None:
    account = plant(engine, 20)

    with ThreadPoolExecutor(10) as pool:
        reports = list(pool.map(lambda _: submit_orders.fn(as_of=None), range(10)))

    sent = [order["client_order_id"] for order in simulator.orders()]
    assert len(sent) == len(set(sent)) == 20 == sum(report.figures["sent"] for report in reports), places
    statuses = rows(engine, "SELECT DISTINCT status FROM execution.orders WHERE account = :a", a=account)
    assert {status for (status,) in statuses} <= {"pending_new", "accepted"}
