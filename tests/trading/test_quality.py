from __future__ import annotations

import time
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from trading.calendar import bar_timestamp, sessions
from trading.errors import DataError
from trading.quality import RULES, Issue, check

if TYPE_CHECKING:
    from collections.abc import Sequence

DAYS = sessions(date(2012, 6, 1), date(2012, 12, 31))


@pytest.fixture
def good() -> pd.DataFrame:
    """Return 60 sessions of a quiet stock without a defect."""
    close = 100 + np.sin(np.arange(60)) + 0.01 * np.arange(60)
    return pd.DataFrame(
        {
            "symbol": "IBM",
            "ts": pd.DatetimeIndex([bar_timestamp(day) for day in DAYS[:60]]),
            "open": close - 0.1,
            "high": close + 1,
            "low": close - 1,
            "close": close,
            "volume": 1e6 + np.arange(60),
        }
    )


def spoil(bars: pd.DataFrame, row: int, **values: Any) -> pd.DataFrame:
    spoiled = bars.copy()
    for name, value in values.items():
        spoiled.loc[row, name] = value
    return spoiled


def found(issues: Sequence[Issue], rule: str) -> list[tuple[str, str]]:
    return [(f"{issue.ts:%Y-%m-%d}", issue.verdict) for issue in issues if issue.rule == rule]


def at(row: int) -> str:
    return DAYS[row].isoformat()


def test_good_bars_have_no_issue(good: pd.DataFrame) -> None:
    assert check(good) == []
    assert check(good.iloc[:0]) == []
    assert check(good.iloc[:1]) == []


def test_every_rule_explains_itself() -> None:
    for name, rule in RULES.items():
        assert rule.name == name
        assert rule.explanation.endswith(".")
        assert rule.find.__doc__


@pytest.mark.parametrize(
    ("values", "rule", "verdict"),
    [
        ({"close": np.nan}, "nulls", "quarantined"),
        ({"volume": np.nan}, "nulls", "suspect"),
        ({"low": 0.0}, "prices_above_zero", "quarantined"),
        ({"open": -1.0}, "prices_above_zero", "quarantined"),
        ({"high": np.inf}, "prices_above_zero", "quarantined"),
        ({"high": 95.0}, "high_and_low", "quarantined"),
        ({"low": 110.0}, "high_and_low", "quarantined"),
        ({"volume": 0.0}, "volume", "suspect"),
        ({"volume": -5.0}, "volume", "quarantined"),
        ({"ts": pd.Timestamp(bar_timestamp(date(2012, 7, 4)))}, "off_calendar", "quarantined"),
    ],
)
def test_a_bar_that_breaks_a_rule_is_found(good: pd.DataFrame, values: dict[str, Any], rule: str, verdict: str) -> None:
    row = 22
    day = "2012-07-04" if "ts" in values else at(row)
    assert (day, verdict) in found(check(spoil(good, row, **values)), rule)


def test_bars_that_nearly_break_a_rule_pass(good: pd.DataFrame) -> None:
    close = float(good["close"].iloc[7])
    nearly = spoil(good, 7, high=close, low=close, open=close, volume=1.0)
    assert check(nearly) == []


def test_a_high_that_may_be_rounded_is_only_suspect(good: pd.DataFrame) -> None:
    close = float(good["close"].iloc[7])
    assert found(check(spoil(good, 7, high=close - 0.01)), "high_and_low") == [(at(7), "suspect")]


def test_two_bars_at_one_time_are_found(good: pd.DataFrame) -> None:
    other = good.iloc[[9]].assign(volume=7.0)
    assert found(check(pd.concat([good, other])), "duplicates") == [(at(9), "quarantined")]
    assert found(check(pd.concat([good, good.iloc[[9]]])), "duplicates") == [(at(9), "suspect")]


def test_a_daily_bar_off_midnight_is_found(good: pd.DataFrame) -> None:
    moved = spoil(good, 5, ts=good["ts"].iloc[5] + pd.Timedelta(hours=1))
    assert found(check(moved), "off_calendar") == [(at(5), "quarantined")]


def test_intraday_bars_keep_to_their_grid_and_hours() -> None:
    stamps = ["2012-12-03T14:30Z", "2012-12-03T14:44Z", "2012-12-03T08:45Z", "2012-12-03T09:00Z"]
    bars = pd.DataFrame({"symbol": "IBM", "ts": pd.to_datetime(stamps, utc=True)})
    bars = bars.assign(open=9.0, high=10.0, low=8.0, close=[9.0, 9.1, 9.2, 9.3], volume=[1.0, 2.0, 3.0, 4.0])
    issues = check(bars, timeframe="15Min")
    assert [issue.ts.minute for issue in issues if issue.rule == "off_calendar"] == [45, 44]


def test_missing_sessions_are_named(good: pd.DataFrame) -> None:
    assert found(check(good.drop(index=[3, 4, 20])), "missing_sessions") == [
        (at(3), "suspect"),
        (at(4), "suspect"),
        (at(20), "suspect"),
    ]


def test_a_feed_that_stands_still_is_found_from_the_fifth_bar(good: pd.DataFrame) -> None:
    still = good.copy()
    still.loc[10:13, ["open", "high", "low", "close", "volume"]] = [100.0, 101.0, 99.0, 100.0, 5.0]
    assert found(check(still), "stale_repeats") == []
    still.loc[10:15, ["open", "high", "low", "close", "volume"]] = [100.0, 101.0, 99.0, 100.0, 5.0]
    assert found(check(still), "stale_repeats") == [(at(14), "quarantined"), (at(15), "quarantined")]


def test_a_tick_that_comes_back_is_quarantined_and_a_crash_stays(good: pd.DataFrame) -> None:
    low = {"open": 50.0, "high": 51.0, "low": 49.0, "close": 50.0}
    tick = spoil(good, 30, **low)
    assert found(check(tick), "price_jumps") == [(at(30), "quarantined")]
    crash = good.copy()
    crash.loc[30:, ["open", "high", "low", "close"]] /= 2
    assert found(check(crash), "price_jumps") == [(at(30), "suspect")]


def test_a_known_split_explains_its_jump(good: pd.DataFrame) -> None:
    split = good.copy()
    split.loc[30:, ["open", "high", "low", "close"]] /= 2
    known = pd.DataFrame({"symbol": ["IBM"], "ex_date": [DAYS[30]], "ratio": [2.0]})
    assert check(split, splits=known) == []
    assert check(split, splits=known.assign(ex_date=pd.Timestamp(DAYS[30]))) == []


def test_of_real_bars_only_the_crash_is_suspect_and_none_is_quarantined(
    raw_bars: pd.DataFrame, splits: pd.DataFrame
) -> None:
    (issue,) = check(raw_bars, splits=splits)
    assert (issue.symbol, issue.ts) == ("AAPL", datetime(2000, 9, 29, 4, tzinfo=UTC))
    assert (issue.rule, issue.verdict) == ("price_jumps", "suspect")
    assert issue.detail.startswith("close moved -51.9%")


def test_symbols_do_not_mix(good: pd.DataFrame) -> None:
    other = good.assign(symbol="GE", close=good["close"] / 10, open=good["open"] / 10, low=1.0)
    assert check(pd.concat([good, other]).sample(frac=1, random_state=1)) == []


def test_bars_without_a_zone_or_column_are_refused(good: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="time zone"):
        check(good.assign(ts=good["ts"].dt.tz_localize(None)))
    with pytest.raises(DataError, match="column"):
        check(good.drop(columns="high"))


def test_a_hundred_thousand_bars_take_under_three_seconds(raw_bars: pd.DataFrame) -> None:
    batch = pd.concat([raw_bars.assign(symbol=raw_bars["symbol"] + str(copy)) for copy in range(8)])
    started = time.perf_counter()
    issues = check(batch)
    assert time.perf_counter() - started < 3
    assert len(issues) == 8 * 4  # three splits that are not given, and the crash
