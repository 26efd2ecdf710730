from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from trading.quality import check

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    import pandas as pd

PRICES = ["open", "high", "low", "close"]


def after_gap(bars: pd.DataFrame, sessions: int, *, price: float = 1.0, volume: float = 1.0) -> pd.DataFrame:
    changed = bars.drop(index=range(100, 100 + sessions))
    later = changed.index >= 100
    changed.loc[later, PRICES] *= price
    changed.loc[later, "volume"] *= volume
    return changed


@pytest.mark.parametrize(("price", "volume"), [(4.0, 1.0), (0.2, 1.0), (1.0, 20.0), (1.0, 0.01)])
def test_another_level_or_volume_after_a_long_gap_is_another_company(
    daily: Callable[..., pd.DataFrame], days: list[date], price: float, volume: float
) -> None:
    issues = check(after_gap(daily(), 60, price=price, volume=volume), rules=["reused_tickers"])
    assert [(issue.ts.date(), issue.verdict) for issue in issues] == [(days[160], "suspect")]
    assert issues[0].detail.startswith("after 60 sessions without a bar")


@pytest.mark.parametrize(
    ("sessions", "price", "volume"), [(60, 1.0, 1.0), (60, 1.3, 5.0), (15, 4.0, 20.0), (60, 0.75, 0.2)]
)
def test_what_a_company_may_do_during_a_halt_is_nearly_that(
    daily: Callable[..., pd.DataFrame], sessions: int, price: float, volume: float
) -> None:
    assert check(after_gap(daily(), sessions, price=price, volume=volume), rules=["reused_tickers"]) == []
