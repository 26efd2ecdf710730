from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from db.health import _judged, examine
from trading.config import Postgres, Settings

FRIDAY_BAR = datetime(2012, 12, 7, 5, tzinfo=UTC)
"""The daily bar of 7 December 2012."""


def new_york(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2012, 12, day, hour + 5, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    "now",
    [
        new_york(7, 16, 1),  # just closed
        new_york(8, 12),  # Saturday
        new_york(10, 9, 29),  # Monday before the open
        new_york(10, 15),  # Monday, in session: Friday's bar is the last complete one
        new_york(10, 16, 1),  # Monday, just closed: Monday's bar is due when Tuesday opens
    ],
)
def test_data_is_fresh_until_the_session_after_the_next_bar_opens(now: datetime) -> None:
    assert _judged(FRIDAY_BAR, now) == (True, "newest daily bar 2012-12-07")


def test_data_is_stale_once_the_next_bar_was_due() -> None:
    ok, detail = _judged(FRIDAY_BAR, new_york(11, 9, 30))
    assert not ok
    assert detail == "newest daily bar 2012-12-07, due 2012-12-10; run the deployment fetch-market-data"


def test_a_system_without_bars_or_accounts_is_not_stale() -> None:
    assert _judged(None, new_york(11, 10)) == (True, "no bars yet")
    assert _judged(FRIDAY_BAR, None) == (True, "newest daily bar 2012-12-07; no account seen yet")


def test_a_server_that_does_not_answer_is_one_failed_check_without_its_password() -> None:
    dead = Postgres(host="127.0.0.1", port=9, password=SecretStr("pass word"))
    [check] = examine(Settings.load().model_copy(update={"postgres": dead}))
    assert (check.name, check.ok) == ("postgresql", False)
    assert "\n" not in check.detail
    assert "pass" not in check.detail
