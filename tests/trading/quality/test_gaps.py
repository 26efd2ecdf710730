from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trading.quality import check

if TYPE_CHECKING:
    from collections.abc import Callable

Said = Any
MONDAY, TUESDAY, FRIDAY = date(2012, 12, 3), date(2012, 12, 4), date(2012, 12, 7)


def test_full_sessions_lack_nothing_half_days_and_changes_of_the_clock_included(
    intraday: Callable[..., pd.DataFrame],
) -> None:
    for first, last in ((date(2012, 11, 20), date(2012, 11, 27)), (date(2012, 3, 8), date(2012, 3, 13))):
        for timeframe in ("5Min", "15Min", "30Min", "1Hour"):
            assert check(intraday(first, last, timeframe), timeframe=timeframe) == []


def test_one_missing_bar_of_a_liquid_symbol_is_found(intraday: Callable[..., pd.DataFrame], said: Said) -> None:
    bars = intraday(MONDAY, FRIDAY).drop(index=100)
    assert said(bars, "missing_bars", timeframe="5Min") == [("2012-12-04 11:20", "suspect")]


def test_bars_missing_at_the_open_or_before_an_early_close_are_found(
    intraday: Callable[..., pd.DataFrame], said: Said
) -> None:
    bars = intraday(date(2012, 11, 21), date(2012, 11, 26), "15Min")
    clock = bars["ts"].dt.tz_convert("America/New_York").dt.strftime("%m-%d %H:%M")
    kept = bars[~clock.isin(["11-23 09:30", "11-23 12:30", "11-23 12:45"])]
    assert said(kept, "missing_bars", timeframe="15Min") == [
        ("2012-11-23 09:30", "suspect"),
        ("2012-11-23 12:30", "suspect"),
    ]


def test_a_run_of_missing_bars_is_one_issue_that_says_how_long(intraday: Callable[..., pd.DataFrame]) -> None:
    (issue,) = check(intraday(MONDAY, FRIDAY).drop(index=range(90, 100)), timeframe="5Min")
    assert issue.detail == "10 bar(s) missing, the last at 11:15 New York"


def test_what_was_not_yet_or_no_longer_delivered_is_not_missing(intraday: Callable[..., pd.DataFrame]) -> None:
    assert check(intraday(MONDAY, FRIDAY).iloc[20:-20], timeframe="5Min") == []


def test_a_session_without_any_bar_is_one_issue_at_its_open(intraday: Callable[..., pd.DataFrame], said: Said) -> None:
    bars = intraday(MONDAY, FRIDAY)
    kept = bars[bars["ts"].dt.date != TUESDAY]
    assert said(kept, "missing_sessions", timeframe="5Min") == [("2012-12-04 09:30", "suspect")]


def test_a_thin_symbol_misses_bars_only_when_it_stops_trading_for_long(
    intraday: Callable[..., pd.DataFrame], said: Said
) -> None:
    bars = intraday(MONDAY, FRIDAY)
    traded = np.random.default_rng(5).random(len(bars)) < 0.5
    assert check(bars[traded], timeframe="5Min") == []
    traded[100:140] = False
    traded[[99, 140]] = True
    assert said(bars[traded], "missing_bars", timeframe="5Min") == [("2012-12-04 11:20", "suspect")]


def test_extended_hours_owe_no_bars(intraday: Callable[..., pd.DataFrame]) -> None:
    bars = intraday(MONDAY, FRIDAY)
    early = bars.loc[[78]].assign(ts=pd.Timestamp("2012-12-04 07:00", tz="America/New_York").tz_convert("UTC"))
    assert check(pd.concat([bars, early]).sort_values("ts"), timeframe="5Min", rules=["missing_bars"]) == []


def test_missing_sessions_are_each_symbols_own(daily: Callable[..., pd.DataFrame], days: list[date]) -> None:
    bars = daily("A", "B", "C")
    issues = check(bars.drop(index=[10, 250 + 10, 250 + 11, 500, 749]))
    assert [(issue.symbol, issue.ts.date()) for issue in issues] == [("A", days[10]), ("B", days[10]), ("B", days[11])]
