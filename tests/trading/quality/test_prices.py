from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from trading.quality import check

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    import pandas as pd

Said = Any


def times(bars: pd.DataFrame, row: int, field: str, factor: float) -> pd.DataFrame:
    return bars.assign(**{field: bars[field].where(bars.index != row, bars[field] * factor)})


def test_a_year_of_good_bars_has_no_issue(daily: Callable[..., pd.DataFrame]) -> None:
    assert check(daily("A", "B.C", "D/E")) == []


@pytest.mark.parametrize(("factor", "verdict"), [(1.30, "suspect"), (2.10, "quarantined"), (10.0, "quarantined")])
def test_a_high_that_stands_alone_is_found(
    daily: Callable[..., pd.DataFrame], days: list[date], said: Said, factor: float, verdict: str
) -> None:
    bars = daily()
    bars = times(bars, 100, "high", factor)
    assert said(bars, "lone_extremes") == [(str(days[100]), verdict)]


def test_a_low_that_lost_a_digit_is_found_and_named(daily: Callable[..., pd.DataFrame]) -> None:
    bars = daily()
    bars = times(bars, 100, "low", 1 / 10)
    (issue,) = check(bars)
    assert (issue.rule, issue.verdict) == ("lone_extremes", "quarantined")
    assert issue.detail.startswith(f"low {bars['low'][100]:g} stands alone")


def test_a_wide_bar_is_nearly_a_lone_high(daily: Callable[..., pd.DataFrame]) -> None:
    bars = daily()
    bars = times(bars, 100, "high", 1.13)
    assert check(bars) == []


def test_a_wide_bar_that_many_traded_is_believed(
    daily: Callable[..., pd.DataFrame], days: list[date], said: Said
) -> None:
    bars = daily()
    bars = times(bars, 100, "high", 1.3)
    bars.loc[100, "volume"] = 8e6
    assert check(bars) == []
    bars = times(bars, 100, "high", 3)
    assert said(bars, "lone_extremes") == [(str(days[100]), "quarantined")]


def test_in_a_flash_crash_every_low_is_far_and_none_stands_alone(daily: Callable[..., pd.DataFrame]) -> None:
    names = ("A", "B", "C", "D", "E", "F")
    bars = daily(*names)
    crash = bars["ts"] == bars["ts"][100]
    bars.loc[crash, "low"] *= [0.93, 0.9, 0.87, 0.82, 0.78, 0.7]
    assert check(bars) == []


def test_what_is_missing_is_listed_in_one_issue(daily: Callable[..., pd.DataFrame]) -> None:
    bars = daily()
    bars.loc[100, ["open", "volume"]] = float("nan")
    (issue,) = check(bars)
    assert (issue.rule, issue.verdict, issue.detail) == ("nulls", "quarantined", "open and volume are missing")


def test_every_wrong_price_of_a_bar_is_named(daily: Callable[..., pd.DataFrame]) -> None:
    bars = daily()
    bars.loc[100, ["open", "low"]] = [0.0, -1.0]
    words = [issue.detail for issue in check(bars, rules=["prices_above_zero"])]
    assert words == ["open is 0, low is -1"]
