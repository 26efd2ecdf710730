from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.adjustment import adjust, first_common_closes, share_of_value
from trading.calendar import bar_timestamp
from trading.errors import InvalidValueError

EX_DATE = date(2012, 6, 1)
MONEY = st.floats(0.01, 10_000)


def closes(symbol: str, values: dict[date, float]) -> pd.DataFrame:
    stamps = pd.DatetimeIndex([bar_timestamp(day) for day in values]).as_unit("ns")
    prices = {name: list(values.values()) for name in ("open", "high", "low", "close")}
    return pd.DataFrame({"symbol": symbol, "ts": stamps, **prices, "volume": 1000.0})


def test_the_share_is_worked_out_by_hand() -> None:
    """A parent at 100 gives one share for two; on the ex-date it closes at 84, the new one at 32: 16 of 100 left."""
    assert share_of_value(84.0, 32.0, 0.5) == pytest.approx(0.16)

    bars = closes("OLD", {date(2012, 5, 31): 100.0, EX_DATE: 84.0})
    actions = pd.DataFrame({"symbol": ["OLD"], "kind": ["spin_off"], "ex_date": [EX_DATE], "share": [0.16]})
    adjusted = adjust(bars, actions, EX_DATE, kind="total")["close"].tolist()
    assert adjusted == pytest.approx([84.0, 84.0]), "whoever held both lost and won nothing"


@given(MONEY, MONEY, MONEY, st.floats(0.001, 20))
def test_the_adjusted_return_counts_the_new_shares_as_paid_out(
    before: float, parent: float, new: float, shares: float
) -> None:
    factor = 1 - share_of_value(parent, new, shares)
    assert parent / (before * factor) == pytest.approx((parent + shares * new) / before)


@pytest.mark.parametrize(("parent", "new", "shares"), [(0.0, 1.0, 1.0), (1.0, np.nan, 1.0), (1.0, 1.0, -1.0)])
def test_without_prices_there_is_no_share(parent: float, new: float, shares: float) -> None:
    with pytest.raises(InvalidValueError, match="expected a number above zero"):
        share_of_value(parent, new, shares)


def test_the_first_session_with_both_closes_counts() -> None:
    parent = closes("OLD", {date(2012, 5, 31): 100.0, EX_DATE: 84.0, date(2012, 6, 4): 85.0, date(2012, 6, 5): 86.0})
    when_issued = {date(2012, 5, 31): 31.0, date(2012, 6, 4): 33.0, date(2012, 6, 5): 34.0}
    bars = pd.concat([parent, closes("NEW", when_issued)])

    assert first_common_closes(bars, "OLD", "NEW", EX_DATE) == (85.0, 33.0)
    assert first_common_closes(bars, "OLD", "NEW", date(2012, 6, 6)) is None
    assert first_common_closes(parent, "OLD", "NEW", EX_DATE) is None
    late = pd.concat([closes("OLD", {date(2012, 6, 11): 85.0}), closes("NEW", {date(2012, 6, 11): 33.0})])
    assert first_common_closes(late, "OLD", "NEW", EX_DATE) is None, "ten days later is no price of the ex-date"
