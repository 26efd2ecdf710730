"""Ten runs and a retry, a cancel and a fill, a cut stream, a wrong clock, the same sessions twice."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from deployments.drill import clocks, races, replays, streams

if TYPE_CHECKING:
    from deployments.drill.ground import Ground


def test_ten_runs_at_once_and_a_retry_send_every_order_once(ground: Ground) -> None:
    verdict = races.ten_at_once(ground)

    assert verdict.ok, verdict
    assert verdict.intended == verdict.at_broker == races.ORDERS


def test_cancels_that_race_the_open_end_as_the_broker_says(ground: Ground) -> None:
    verdict = races.cancel_meets_fill(ground)

    assert verdict.ok, verdict
    assert verdict.at_broker == races.ORDERS
    told = re.match(r"the cancels were told of (\d+) cancelled and (\d+) filled", verdict.state)
    assert told is not None, verdict
    assert int(told[1]) >= 1  # the first of them came before the market opened
    assert int(told[1]) + int(told[2]) == races.ORDERS


def test_a_cut_stream_loses_no_fill(ground: Ground) -> None:
    # Three seconds instead of the drill's minute: shorter than the half minute of silence after which a run looks
    # for itself, so that it is the new connection that tells.
    verdict = streams.cut(ground, seconds=3)

    assert verdict.ok, verdict
    assert f"all {streams.ORDERS} fills were known" in verdict.state


@pytest.mark.parametrize("minutes", [10, -10])
def test_a_clock_that_is_ten_minutes_off_loses_and_doubles_nothing(ground: Ground, minutes: int) -> None:
    verdict = clocks.wrong_clock(ground, off=timedelta(minutes=minutes))

    assert verdict.ok, verdict
    assert verdict.intended == verdict.at_broker == clocks.ORDERS


def test_the_same_sessions_twice_give_the_same_orders_fills_and_equity(ground: Ground) -> None:
    verdict = replays.twice(ground, sessions=2)

    assert verdict.ok, verdict
    assert "the same both times" in verdict.state
