from __future__ import annotations

import time
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from trading.calendar import bar_timestamp, sessions
from trading.errors import DataError, UnknownNameError
from trading.quality import RULES, Issue, Thresholds, bar_verdicts, check

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
        ({"volume": np.inf}, "volume", "quarantined"),
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
    assert found(check(moved), "off_grid") == [(at(5), "quarantined")]


def test_intraday_bars_keep_to_their_grid_and_hours() -> None:
    stamps = ["2012-12-03T14:30Z", "2012-12-03T14:44Z", "2012-12-03T08:45Z", "2012-12-03T09:00Z"]
    bars = pd.DataFrame({"symbol": "IBM", "ts": pd.to_datetime(stamps, utc=True)})
    bars = bars.assign(open=9.0, high=10.0, low=8.0, close=[9.0, 9.1, 9.2, 9.3], volume=[1.0, 2.0, 3.0, 4.0])
    issues = check(bars, timeframe="15Min")
    assert [issue.ts.minute for issue in issues if issue.rule == "off_calendar"] == [45]
    assert [issue.ts.minute for issue in issues if issue.rule == "off_grid"] == [44]


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


def test_of_real_bars_none_has_an_issue_not_even_the_crash(raw_bars: pd.DataFrame, splits: pd.DataFrame) -> None:
    assert check(raw_bars, splits=splits) == []


def test_of_real_bars_the_splits_that_are_not_given_are_suspect(raw_bars: pd.DataFrame, splits: pd.DataFrame) -> None:
    issues = check(raw_bars)
    days = sorted(zip(splits["symbol"], splits["ex_date"], strict=True))
    assert [(issue.symbol, issue.ts.date()) for issue in issues] == days
    assert {(issue.rule, issue.verdict) for issue in issues} == {("price_jumps", "suspect")}
    assert "split of about 2:1 is missing" in issues[1].detail


def test_symbols_do_not_mix(good: pd.DataFrame) -> None:
    other = good.assign(symbol="GE", close=good["close"] / 10, open=good["open"] / 10, low=1.0)
    assert check(pd.concat([good, other]).sort_values("ts")) == []


def test_bars_without_a_zone_or_column_are_refused(good: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="time zone"):
        check(good.assign(ts=good["ts"].dt.tz_localize(None)))
    with pytest.raises(DataError, match="column"):
        check(good.drop(columns="high"))


def test_rules_can_be_chosen_and_a_wrong_name_is_refused(good: pd.DataFrame) -> None:
    bad = spoil(good, 3, volume=0.0, close=-1.0)
    assert {issue.rule for issue in check(bad, rules=["volume"])} == {"volume"}
    with pytest.raises(UnknownNameError, match="did you mean 'volume'"):
        check(bad, rules=["volumes"])


def test_a_bar_is_worth_the_worst_that_is_said_of_it(good: pd.DataFrame) -> None:
    bad = spoil(spoil(good, 3, volume=0.0, close=np.nan), 5, volume=0.0)
    verdicts = bar_verdicts(bad, check(bad))
    assert verdicts[[2, 3, 4, 5]].tolist() == ["good", "quarantined", "good", "suspect"]


def test_symbols_with_dots_and_slashes_are_symbols(good: pd.DataFrame) -> None:
    both = pd.concat([good.assign(symbol="BF.B"), good.assign(symbol="BRK/B").drop(index=7)])
    assert [(issue.symbol, issue.rule) for issue in check(both)] == [("BRK/B", "missing_sessions")]


def test_the_29th_of_february_and_the_days_the_clocks_change_are_ordinary() -> None:
    days = sessions(date(2012, 2, 1), date(2012, 11, 30))
    close = 100 + np.sin(np.arange(len(days)))
    bars = pd.DataFrame({"symbol": "IBM", "ts": pd.DatetimeIndex([bar_timestamp(day) for day in days]), "close": close})
    bars = bars.assign(open=close, high=close + 1, low=close - 1, volume=1e6 + np.arange(len(days)))
    assert date(2012, 2, 29) in days
    assert check(bars) == []
    assert found(check(bars.drop(index=days.index(date(2012, 2, 29)))), "missing_sessions") == [
        ("2012-02-29", "suspect")
    ]


def test_bars_without_a_timestamp_or_symbol_are_refused(good: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="without a timestamp"):
        check(spoil(good, 3, ts=pd.NaT))
    with pytest.raises(DataError, match="or symbol"):
        check(spoil(good, 3, symbol=None))


def test_the_parameters_of_a_rule_are_its_own(good: pd.DataFrame) -> None:
    assert RULES["stale_repeats"].defaults == {"stale_bars": 5, "stale_bars_intraday": 15}
    still = good.copy()
    still.loc[10:12, ["open", "high", "low", "close", "volume"]] = [100.0, 101.0, 99.0, 100.0, 5e5]
    assert check(still) == []
    issues = check(still, thresholds=Thresholds(stale_bars=3))
    assert found(issues, "stale_repeats") == [(at(12), "quarantined")]


def test_a_hundred_thousand_bars_take_under_three_seconds(raw_bars: pd.DataFrame) -> None:
    batch = pd.concat([raw_bars.assign(symbol=raw_bars["symbol"] + str(copy)) for copy in range(8)])
    started = time.perf_counter()
    issues = check(batch, rules=[name for name in RULES if name != "price_jumps"])
    assert time.perf_counter() - started < 3
    assert issues == []
