from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from trading.quality import check

if TYPE_CHECKING:
    from collections.abc import Callable

Said = Any
HALF_DAY = date(2012, 11, 23)


def one_bar(ts: str) -> pd.DataFrame:
    stamp = pd.DatetimeIndex([pd.Timestamp(ts, tz="America/New_York")])
    return pd.DataFrame({"symbol": "X", "ts": stamp, "open": 9.0, "high": 9.0, "low": 9.0, "close": 9.0, "volume": 1.0})


@pytest.mark.parametrize(
    ("ts", "why"),
    [
        ("2012-12-03 04:00", None),
        ("2012-12-03 03:59", "outside the session's hours"),
        ("2012-12-03 19:59", None),
        ("2012-12-03 20:00", "outside the session's hours"),
        ("2012-11-23 12:59", None),
        ("2012-11-23 16:59", None),  # extended hours after the early close
        ("2012-11-23 17:00", "outside the session's hours"),
        ("2012-11-22 12:00", "no session that day"),
        ("2012-12-01 12:00", "no session that day"),
        ("2012-10-29 12:00", "no session that day"),  # Hurricane Sandy
        ("2012-03-12 04:00", None),  # the first session after the clocks went forward
        ("2012-03-12 03:59", "outside the session's hours"),
        ("2012-11-05 04:00", None),  # and back
        ("2012-11-05 20:00", "outside the session's hours"),
        ("2012-02-29 09:30", None),
        ("2041-01-02 12:00", "no session that day"),  # beyond what the calendar knows
    ],
)
def test_intraday_bars_belong_to_the_hours_of_a_session(ts: str, why: str | None) -> None:
    issues = check(one_bar(ts), timeframe="1Min")
    assert [issue.rule for issue in issues] == ([] if why is None else ["off_calendar"])
    assert all(issue.detail.endswith(why or "") and issue.verdict == "quarantined" for issue in issues)


@pytest.mark.parametrize(
    ("timeframe", "on", "off"),
    [
        ("1Min", "09:31", "09:31:30"),
        ("5Min", "09:35", "09:36"),
        ("15Min", "09:45", "09:50"),
        ("30Min", "10:30", "10:45"),
        ("1Hour", "09:00", "09:30"),
    ],
)
def test_every_timeframe_has_its_grid(timeframe: str, on: str, off: str, said: Said) -> None:
    assert check(one_bar(f"2012-12-03 {on}"), timeframe=timeframe) == []  # type: ignore[arg-type] # from the list
    assert said(one_bar(f"2012-12-03 {off}"), "off_grid", timeframe=timeframe) == [
        (f"2012-12-03 {off[:5]}", "quarantined")
    ]


def test_a_daily_bar_stamped_at_midnight_utc_is_off_the_grid_and_on_the_wrong_day() -> None:
    bars = one_bar("2012-12-02 19:00")  # midnight UTC of Monday is Sunday evening
    assert sorted(issue.rule for issue in check(bars)) == ["off_calendar", "off_grid"]


def test_a_bar_delivered_late_is_found_and_the_others_are_not(daily: Callable[..., pd.DataFrame]) -> None:
    bars = daily("A", "B")
    late = pd.concat([bars.drop(index=100), bars.loc[[100]]])
    (found,) = check(late)
    assert (found.symbol, found.rule, found.verdict) == ("A", "out_of_order", "suspect")
    assert found.ts == bars["ts"][100].to_pydatetime()
    assert "delivered after the bar of Mon 2012-12-31" in found.detail


def test_symbols_may_be_delivered_in_any_order_and_interleaved(daily: Callable[..., pd.DataFrame]) -> None:
    bars = daily("A", "B", "C")
    assert check(bars.sort_values("symbol", ascending=False, kind="stable")) == []
    assert check(bars.sort_values("ts", kind="stable")) == []


def test_a_page_that_is_delivered_twice_is_found_where_it_starts_again(daily: Callable[..., pd.DataFrame]) -> None:
    bars = daily()
    issues = check(pd.concat([bars, bars.loc[50:59]]))
    assert [issue.ts for issue in issues if issue.rule == "out_of_order"] == [bars["ts"][50].to_pydatetime()]
    assert sum(issue.rule == "duplicates" for issue in issues) == 10
    assert {issue.verdict for issue in issues} == {"suspect"}


def test_the_same_time_of_two_symbols_is_no_duplicate(daily: Callable[..., pd.DataFrame]) -> None:
    assert check(daily("BRK.A", "BRK.B")) == []


def test_two_unequal_nulls_are_the_same_value(daily: Callable[..., pd.DataFrame]) -> None:
    bars = daily()
    bars.loc[100, "volume"] = float("nan")
    issues = check(pd.concat([bars, bars.loc[[100]]]), rules=["duplicates"])
    assert [issue.verdict for issue in issues] == ["suspect"]
