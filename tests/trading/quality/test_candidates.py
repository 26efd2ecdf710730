from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from trading.calendar import bar_timestamp, sessions
from trading.quality import check, name_spin_offs

FIRST, EX_DATE, LAST = date(2011, 1, 3), date(2011, 10, 3), date(2012, 3, 30)


def test_a_jump_on_the_day_of_a_spin_off_without_a_value_names_it() -> None:
    days = sessions(FIRST, LAST)
    chance = np.random.default_rng(3)
    level = np.where([day < EX_DATE for day in days], 100.0, 61.0)
    close = np.round(level * np.exp(chance.normal(0, 0.005, len(days))), 2)
    prices = {"open": close, "high": close + 0.2, "low": close - 0.2, "close": close}
    stamps = pd.DatetimeIndex([bar_timestamp(day) for day in days]).as_unit("ns")
    bars = pd.DataFrame(
        {"symbol": "OLD", "ts": stamps, **prices, "volume": chance.integers(900, 1100, len(days)) * 1.0}
    )

    (jump,) = check(bars, rules=["price_jumps"])
    (named,) = name_spin_offs([jump], {("OLD", EX_DATE): "NEW"})
    (other,) = name_spin_offs([jump], {("OLD", date(2011, 10, 4)): "NEW", ("ELSE", EX_DATE): "NEW"})

    assert jump.ts == bar_timestamp(EX_DATE)
    assert "no corporate action is known" in jump.detail
    assert other == jump
    assert named.detail == jump.detail.partition(";")[0] + (
        "; perhaps the spin-off of NEW on 2011-10-03, whose value is not known: "
        "give its share in a file to `trading data actions`"
    )
