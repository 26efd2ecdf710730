from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from deployments.drill.decisions import plant
from tasks.execution.following import follow_orders
from tasks.execution.positions import apply_fills
from tasks.execution.submission import submit_orders
from tasks.resources import broker

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from deployments.drill.places import Places
    from deployments.drill.simulated import Simulator


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
