"""kill -9 at five points, again and again: one order per intent and equal books every time."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from deployments.drill.kills import ORDERS, killed
from deployments.drill.points import POINTS, Point

if TYPE_CHECKING:
    from deployments.drill.ground import Ground

REPETITIONS = int(os.environ.get("TRADING_KILLS", "12"))
"""Of each of the five points; with TRADING_KILLS=40 it is 200 in all, which takes five minutes."""


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("point", POINTS)
def test_a_killed_process_leaves_one_order_per_intent_and_equal_books(ground: Ground, point: Point) -> None:
    verdict = killed(ground, point, repetitions=REPETITIONS)

    assert verdict.ok, verdict
    assert verdict.intended == verdict.at_broker == ORDERS * REPETITIONS
    assert verdict.state == f"{REPETITIONS} times: {ORDERS} filled; trading ACTIVE"
