"""PostgreSQL and Redis really go away: their processes end, and are started again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest

from deployments.drill import outages

if TYPE_CHECKING:
    from deployments.drill.ground import Ground


@pytest.mark.parametrize("how", ["restarted", "killed"])
def test_a_database_that_goes_away_while_orders_are_sent_doubles_and_loses_none(
    ground: Ground, how: Literal["restarted", "killed"]
) -> None:
    verdict = outages.postgres_away(ground, how)

    assert verdict.ok, verdict
    assert verdict.intended == verdict.at_broker == outages.ORDERS
    assert "intents are left to the next run of execute-trades; the next run sent the rest" in verdict.state


def test_redis_that_is_emptied_all_the_time_changes_no_decision_and_no_order(ground: Ground) -> None:
    verdict = outages.redis_flushed(ground)

    assert verdict.ok, verdict
    assert verdict.intended == verdict.at_broker > 0
    assert int(verdict.state.split()[1]) > 10


def test_without_redis_a_session_is_traded_from_its_bars_to_its_positions(ground: Ground) -> None:
    verdict = outages.redis_stopped(ground)

    assert verdict.ok, verdict
    assert verdict.intended == verdict.at_broker > 0
