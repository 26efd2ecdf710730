from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from trading.calendar import close_at, completed_bars, open_at
from trading.quality import UniverseLimits, check, coverage, universe_verdicts

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from trading.quality import Standing

YEAR = completed_bars("1Day", open_at(date(2012, 1, 3)).replace(hour=0), close_at(date(2012, 12, 31)))


def standing(bars: pd.DataFrame, symbol: str = "X", limits: UniverseLimits | None = None) -> Standing:
    (one,) = universe_verdicts(
        check(bars), coverage(bars), symbols=[symbol], expected=YEAR, limits=limits or UniverseLimits()
    )
    return one


def test_good_data_is_in(daily: Callable[..., pd.DataFrame]) -> None:
    assert standing(daily()).included
    assert standing(daily()).reason == ""


def test_a_symbol_without_data_is_out(daily: Callable[..., pd.DataFrame]) -> None:
    one = standing(daily(), "Y")
    assert (one.included, one.reason) == (False, "has no bar of the 250 that should exist")


@pytest.mark.parametrize(("missing", "included"), [(12, True), (13, False)])
def test_too_many_missing_bars_put_a_symbol_out(
    daily: Callable[..., pd.DataFrame], missing: int, included: bool
) -> None:
    bars = daily().drop(index=range(50, 50 + missing))
    assert standing(bars).included is included
    if not included:
        assert standing(bars).reason == "13 of 250 bars (5.2%) are missing, at most 5.0% may be"


@pytest.mark.parametrize(("bad", "included"), [(5, True), (6, False)])
def test_too_many_quarantined_bars_put_a_symbol_out(
    daily: Callable[..., pd.DataFrame], bad: int, included: bool
) -> None:
    bars = daily()
    bars.loc[50 : 49 + bad, ["open", "close"]] = 0.0  # two rules may find one bar: it counts once
    assert standing(bars).included is included
    assert standing(bars, limits=UniverseLimits(quarantined=0.05)).included


def test_a_symbol_whose_last_bar_is_old_or_quarantined_is_out(daily: Callable[..., pd.DataFrame]) -> None:
    assert standing(daily().iloc[:-1]).reason == "the last bar is of 2012-12-28 05:00 UTC, 1 bars ago"
    assert standing(daily().iloc[:-1], limits=UniverseLimits(behind=1)).included
    bars = daily()
    bars.loc[bars.index[-1], "close"] = float("nan")
    assert standing(bars).reason == "the last bar, of 2012-12-31 05:00 UTC, is quarantined"


def test_a_new_listing_owes_only_the_bars_since_its_first(daily: Callable[..., pd.DataFrame]) -> None:
    bars = daily().iloc[-20:]
    assert standing(bars).included
    assert not standing(bars, limits=UniverseLimits(least=60)).included
