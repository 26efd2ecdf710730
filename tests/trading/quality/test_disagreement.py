from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from trading.calendar import bar_timestamp
from trading.quality import check

if TYPE_CHECKING:
    from collections.abc import Callable

Said = Any
MONDAY, TUESDAY = date(2012, 12, 3), date(2012, 12, 4)


def times(bars: pd.DataFrame, row: int, field: str, factor: float) -> pd.DataFrame:
    return bars.assign(**{field: bars[field].where(bars.index != row, bars[field] * factor)})


def sessions_of(bars: pd.DataFrame) -> pd.DataFrame:
    grouped = bars.groupby(bars["ts"].dt.tz_convert("America/New_York").dt.date)
    whole = grouped.agg(
        open=("open", "first"),
        high=("high", "max"),
        low=("low", "min"),
        close=("close", "last"),
        volume=("volume", "sum"),
    )
    stamps = pd.DatetimeIndex([bar_timestamp(day) for day in whole.index])
    return whole.reset_index(drop=True).assign(symbol="X", ts=stamps)


@pytest.mark.parametrize(("factor", "verdict"), [(1.004, None), (1.006, "suspect"), (0.85, "quarantined")])
def test_a_bar_that_another_feed_prices_otherwise_is_found(
    daily: Callable[..., pd.DataFrame], days: list[date], said: Said, factor: float, verdict: str | None
) -> None:
    bars = daily("X", "Y")
    other = bars.iloc[::-1].copy()
    other = times(other, 100, "close", factor)
    expected = [] if verdict is None else [(str(days[100]), verdict)]
    assert said(bars, "feeds_disagree", reference=other) == expected


def test_a_cent_is_rounding_and_bars_that_one_feed_lacks_are_not_compared(daily: Callable[..., pd.DataFrame]) -> None:
    bars = daily()
    bars[["open", "high", "low", "close"]] /= 100
    other = bars.assign(close=bars["close"] + 0.01).drop(index=[3, 4])
    assert check(bars, reference=other) == []
    assert check(bars, reference=other.assign(symbol="Z")) == []
    assert check(bars.iloc[:0], reference=other) == []


def test_the_disagreement_says_both_prices(daily: Callable[..., pd.DataFrame]) -> None:
    bars = daily()
    bars["close"] = bars["close"].round(2)
    (issue,) = check(bars, reference=bars.assign(low=bars["low"].where(bars.index != 7, 90.0)))
    assert issue.detail == f"low {bars['low'][7]:g}, 90 in the other feed"


def test_bars_of_a_session_make_up_its_daily_bar(intraday: Callable[..., pd.DataFrame]) -> None:
    bars = intraday(MONDAY, TUESDAY)
    assert check(bars, timeframe="5Min", daily=sessions_of(bars)) == []


@pytest.mark.parametrize(
    ("field", "factor", "ts"),
    [
        ("open", 1.02, "2012-12-04 09:30"),
        ("close", 0.98, "2012-12-04 15:55"),
        ("volume", 0.9, "2012-12-04 15:55"),
    ],
)
def test_a_daily_bar_that_its_session_contradicts_is_found_where_it_shows(
    intraday: Callable[..., pd.DataFrame], said: Said, field: str, factor: float, ts: str
) -> None:
    bars = intraday(MONDAY, TUESDAY)
    whole = sessions_of(bars)
    whole = times(whole, 1, field, factor)
    assert said(bars, "daily_disagrees", timeframe="5Min", daily=whole) == [(ts, "suspect")]


def test_a_tick_beyond_the_high_of_the_day_is_found(intraday: Callable[..., pd.DataFrame], said: Said) -> None:
    bars = intraday(MONDAY, TUESDAY)
    whole = sessions_of(bars)
    bars = times(bars, 100, "high", 1.12)
    assert said(bars, "daily_disagrees", timeframe="5Min", daily=whole) == [("2012-12-04 11:20", "quarantined")]


def test_extended_hours_may_leave_the_range_of_the_day(intraday: Callable[..., pd.DataFrame]) -> None:
    bars = intraday(MONDAY, TUESDAY)
    evening = bars.loc[[77]].assign(ts=pd.Timestamp("2012-12-03 17:00", tz="America/New_York").tz_convert("UTC"))
    evening[["open", "high", "low", "close"]] *= 1.05
    every = pd.concat([bars, evening]).sort_values("ts")
    assert check(every, timeframe="5Min", daily=sessions_of(bars)) == []
