from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.quality import bar_verdicts, check

if TYPE_CHECKING:
    from collections.abc import Callable

Said = Any
PRICES = ["open", "high", "low", "close"]


def times(bars: pd.DataFrame, row: int, field: str, factor: float) -> pd.DataFrame:
    return bars.assign(**{field: bars[field].where(bars.index != row, bars[field] * factor)})


def scaled(bars: pd.DataFrame, first: int, last: int, factor: float) -> pd.DataFrame:
    changed = bars.copy()
    changed.loc[first:last, PRICES] *= factor
    return changed


def split(day: date, ratio: float = 2.0) -> pd.DataFrame:
    return pd.DataFrame({"symbol": ["X"], "ex_date": [day], "ratio": [ratio]})


def crash(bars: pd.DataFrame, row: int, factor: float, volume: float) -> pd.DataFrame:
    """Return bars that fall overnight and stay, with the day's volume given in usual ones."""
    changed = scaled(bars, row, len(bars), factor)
    return times(changed, row, "volume", volume / factor)


def test_a_real_crash_of_58_percent_stays(daily: Callable[..., pd.DataFrame], days: list[date], said: Said) -> None:
    assert check(crash(daily(), 100, 0.42, volume=9)) == []
    assert said(crash(daily(), 100, 0.42, volume=1), "price_jumps") == [(str(days[100]), "suspect")]


def test_a_crash_that_came_about_after_the_open_is_believed_with_some_volume(
    daily: Callable[..., pd.DataFrame], said: Said, days: list[date]
) -> None:
    bars = crash(daily(), 100, 0.6, volume=3)
    bars.loc[100, ["open", "high"]] = [bars["close"][99]] * 2
    assert check(bars) == []
    bars = times(bars, 100, "volume", 1 / 4)
    assert said(bars, "price_jumps") == [(str(days[100]), "suspect")]


def test_a_move_is_nearly_a_jump(daily: Callable[..., pd.DataFrame]) -> None:
    assert check(scaled(daily(), 100, 250, 1.20)) == []


def test_a_move_that_the_whole_market_makes_is_no_jump(daily: Callable[..., pd.DataFrame]) -> None:
    bars = daily("A", "B", "C", "D", "E", "F")
    fallen = bars["ts"] >= bars["ts"][100]
    bars.loc[fallen, PRICES] *= 0.7
    assert check(bars) == []
    alone = bars[bars["symbol"] == "A"]
    assert [issue.rule for issue in check(alone)] == ["price_jumps"]


def test_a_move_is_judged_by_the_symbols_own_volatility(daily: Callable[..., pd.DataFrame]) -> None:
    bars = daily()
    wild = bars["close"].to_numpy() * [1.1 if row % 2 else 1 / 1.1 for row in range(len(bars))]
    bars = bars.assign(open=wild, high=wild * 1.05, low=wild / 1.05, close=wild)
    assert check(scaled(bars, 100, 250, 1.4)) == []


@pytest.mark.parametrize("bars_off", [1, 4, 10])
def test_a_level_that_is_taken_up_again_was_no_trade(
    daily: Callable[..., pd.DataFrame], days: list[date], said: Said, bars_off: int
) -> None:
    wrong = scaled(daily(), 100, 99 + bars_off, 0.42)
    expected = [(str(day), "quarantined") for day in days[100 : 100 + bars_off]]
    assert said(wrong, "price_jumps") == expected


def test_a_smaller_tick_that_is_taken_back_is_suspect_and_one_that_was_traded_is_not(
    daily: Callable[..., pd.DataFrame], days: list[date], said: Said
) -> None:
    tick = scaled(daily(), 100, 100, 1.18)
    assert said(tick, "price_jumps") == [(str(days[100]), "suspect")]
    for row in (100, 101):  # the rumour, or the denial
        traded = tick.copy()
        traded = times(traded, row, "volume", 8.0)
        assert check(traded) == []
    assert check(scaled(daily(), 100, 101, 1.18)) == []
    assert check(scaled(daily(), 100, 100, 1.08)) == []


def test_a_known_split_is_no_jump_and_a_forgotten_one_is_named(
    daily: Callable[..., pd.DataFrame], days: list[date]
) -> None:
    raw = scaled(daily(), 100, 250, 1 / 3)
    assert check(raw, splits=split(days[100], 3.0)) == []
    (issue,) = check(raw)
    assert (issue.rule, issue.verdict) == ("price_jumps", "suspect")
    assert issue.detail.endswith("perhaps a split of about 3:1 is missing")


def test_a_stale_tick_from_before_the_split_is_quarantined(
    daily: Callable[..., pd.DataFrame], days: list[date], said: Said
) -> None:
    raw = scaled(daily(), 100, 250, 0.5)
    for row in (100, 101, 130):
        stale = scaled(raw, row, row, 2.0)
        assert said(stale, "split_flips", splits=split(days[100])) == [(str(days[row]), "quarantined")]


def test_a_split_that_the_price_does_not_show_is_said_to_be_adjusted_already(
    daily: Callable[..., pd.DataFrame], days: list[date]
) -> None:
    (issue,) = check(daily(), splits=split(days[100]))
    assert issue.verdict == "suspect"
    assert issue.detail.endswith("the price does not show it: already adjusted?")


def test_a_spin_off_and_a_special_dividend_explain_their_moves(
    daily: Callable[..., pd.DataFrame], days: list[date]
) -> None:
    bars = scaled(daily(), 100, 250, 0.6)
    paid = float(bars["close"][99]) * 0.4
    spun = pd.DataFrame({"symbol": ["X"], "ex_date": [days[100]], "kind": ["spin_off"], "share": [0.4]})
    special = pd.DataFrame({"symbol": ["X"], "ex_date": [days[100]], "kind": ["dividend"], "cash": [paid]})
    assert check(bars, splits=spun) == []
    assert check(bars, splits=special) == []
    assert len(check(bars)) == 1


def test_weeks_of_bars_at_another_split_level_are_quarantined(
    daily: Callable[..., pd.DataFrame], days: list[date], said: Said
) -> None:
    flipped = scaled(daily(), 100, 129, 0.5)
    assert said(flipped, "split_flips") == [(str(day), "quarantined") for day in days[100:130]]
    assert {issue.detail for issue in check(flipped)} == {"off its level by about 2:1 for 30 bar(s)"}


def test_single_bars_that_flip_again_and_again_are_flips(
    daily: Callable[..., pd.DataFrame], days: list[date], said: Said
) -> None:
    twice = scaled(scaled(daily(), 100, 100, 2.0), 110, 110, 2.0)
    assert said(twice, "split_flips") == [(str(days[100]), "quarantined"), (str(days[110]), "quarantined")]


def test_a_level_that_lasts_longer_than_a_flip_is_two_jumps(daily: Callable[..., pd.DataFrame], said: Said) -> None:
    assert [verdict for _, verdict in said(scaled(daily(), 100, 180, 0.5), "price_jumps")] == ["suspect", "suspect"]


def test_the_busy_first_bar_of_a_session_hides_no_forgotten_split(
    intraday: Callable[..., pd.DataFrame], said: Said
) -> None:
    bars = intraday(date(2012, 3, 1), date(2012, 3, 30))
    opening = bars.index % 78 == 0
    bars["volume"] = bars["volume"].where(~opening, bars["volume"] * 30)
    assert check(bars, timeframe="5Min") == []
    forgotten = scaled(bars, 78 * 15, len(bars), 0.5)
    assert said(forgotten, "price_jumps", timeframe="5Min") == [("2012-03-22 09:30", "suspect")]
    known = split(date(2012, 3, 22))
    assert check(forgotten, splits=known, timeframe="5Min") == []


def test_a_whole_session_of_stale_minutes_from_before_a_split_is_quarantined(
    intraday: Callable[..., pd.DataFrame], said: Said
) -> None:
    bars = scaled(intraday(date(2012, 3, 1), date(2012, 3, 30)), 78 * 10, 10_000, 0.5)
    stale = scaled(bars, 78 * 15, 78 * 16 - 1, 2.0)
    found = said(stale, "split_flips", timeframe="5Min", splits=split(date(2012, 3, 15)))
    assert (len(found), found[0], found[-1][0]) == (78, ("2012-03-22 09:30", "quarantined"), "2012-03-22 15:55")


def test_ticks_that_begin_with_the_first_bar_do_not_turn_the_level_upside_down(
    daily: Callable[..., pd.DataFrame], days: list[date]
) -> None:
    bars, wrong = daily(), [0, 30, 60, 61, 62, 90, 92]
    for row in wrong:
        bars = scaled(bars, row, row, 2.0)
    issues = check(bars)
    bad = [issue.ts.date() for issue in issues if issue.verdict == "quarantined"]
    assert bad == [days[row] for row in wrong[1:]]
    assert [issue.ts.date() for issue in issues if issue.verdict == "suspect"] == [days[1]]


def test_a_fall_that_is_made_up_for_bit_by_bit_is_a_fall_and_no_flip(
    daily: Callable[..., pd.DataFrame], days: list[date], said: Said
) -> None:
    bars = daily()
    for row in range(100, 140):
        bars = scaled(bars, row, row, 0.5 + 0.5 * (row - 100) / 40)
    assert said(bars, "price_jumps") == [(str(days[100]), "suspect")]


@settings(max_examples=25)
@given(seed=st.integers(0, 1000))
def test_of_many_wrong_ticks_most_are_quarantined_and_no_good_bar_is(
    seed: int, daily: Callable[..., pd.DataFrame]
) -> None:
    bars = daily("A", "B", "C", "D", "E", "F", "G", "H")
    wrong = np.random.default_rng(seed).random(len(bars)) < 0.05
    for field in PRICES:
        bars[field] = bars[field].where(~wrong, bars[field] * 2)
    verdicts = bar_verdicts(bars, check(bars))
    assert (verdicts[~wrong] != "quarantined").all()
    assert np.count_nonzero(verdicts[wrong] == "quarantined") > 0.8 * np.count_nonzero(wrong)


def test_a_missing_close_does_not_hide_a_jump(daily: Callable[..., pd.DataFrame], days: list[date]) -> None:
    bars = scaled(daily(), 100, 250, 0.4)
    bars.loc[100, "close"] = float("nan")
    assert [(issue.rule, issue.ts.date()) for issue in check(bars)] == [
        ("nulls", days[100]),
        ("price_jumps", days[101]),
    ]
