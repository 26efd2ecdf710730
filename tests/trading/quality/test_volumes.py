from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from trading.quality import check

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

Said = Any


@pytest.mark.parametrize(("volume", "wrong"), [(2e8, True), (6e7, False), (200.0, True), (1e5, False)])
def test_volume_is_suspect_out_of_all_proportion_only(
    daily: Callable[..., pd.DataFrame], days: list[date], said: Said, volume: float, wrong: bool
) -> None:
    bars = daily()
    bars.loc[100, "volume"] = volume
    assert said(bars, "volume_spikes") == ([(str(days[100]), "suspect")] if wrong else [])


def test_volume_is_compared_with_the_bars_before_not_with_years_ago(daily: Callable[..., pd.DataFrame]) -> None:
    bars = daily()
    bars["volume"] *= [10 ** (row / 60) for row in range(len(bars))]  # ten times as much every quarter
    assert check(bars) == []


def test_the_first_bars_of_a_listing_are_compared_with_nothing(daily: Callable[..., pd.DataFrame]) -> None:
    bars = daily()
    bars.loc[:10, "volume"] = 100.0 + bars.index[:11]
    assert check(bars) == []


def test_a_quiet_hour_may_repeat_itself_and_a_feed_that_stands_still_is_found(
    intraday: Callable[..., pd.DataFrame], said: Said
) -> None:
    bars = intraday(date(2012, 12, 3), date(2012, 12, 7))
    columns = ["open", "high", "low", "close", "volume"]
    bars.loc[10:23, columns] = [100.0, 100.0, 100.0, 100.0, 5e5]
    bars.loc[24, "open"] = 100.0
    assert [issue for issue in check(bars, timeframe="5Min") if issue.rule == "stale_repeats"] == []
    bars.loc[24, columns] = [100.0, 100.0, 100.0, 100.0, 5e5]
    assert said(bars, "stale_repeats", timeframe="5Min") == [("2012-12-03 11:30", "quarantined")]
