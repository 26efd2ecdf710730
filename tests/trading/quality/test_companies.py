from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from trading.calendar import bar_timestamp, session_dates, sessions
from trading.quality import apart, check, together

FIRST, SOLD, TAKEN, LAST = date(2004, 1, 2), date(2005, 11, 18), date(2007, 6, 1), date(2008, 12, 31)


def two_companies() -> pd.DataFrame:
    """Return a ticker's bars at 20 dollars until it was sold and at 90 from when another company took it."""
    chance = np.random.default_rng(3)
    days = [day for day in sessions(FIRST, LAST) if day <= SOLD or day >= TAKEN]
    level = np.where([day <= SOLD for day in days], 20.0, 90.0)
    close = np.round(level * np.exp(chance.normal(0, 0.01, len(days))), 2)
    prices = {"open": close, "high": np.round(close * 1.01, 2), "low": np.round(close * 0.99, 2), "close": close}
    stamps = pd.DatetimeIndex([bar_timestamp(day) for day in days]).as_unit("ns")
    return pd.DataFrame({"symbol": "T", "ts": stamps, **prices, "volume": chance.integers(900, 1100, len(days)) * 1.0})


def test_what_two_companies_have_under_one_ticker_is_neither_a_jump_nor_a_gap() -> None:
    bars = two_companies()
    days = session_dates(bars["ts"].dt.tz_localize(None).to_numpy())

    unknown = {issue.rule for issue in check(bars)}
    known = check(apart(bars, days, {"T": [TAKEN]}))

    assert unknown >= {"reused_tickers", "missing_sessions"}
    assert known == []


def test_each_company_s_own_defects_are_found_under_the_ticker() -> None:
    bars = two_companies()
    bars.loc[[5, len(bars) - 5], "high"] = 1.0
    days = session_dates(bars["ts"].dt.tz_localize(None).to_numpy())

    found = together(check(apart(bars, days, {"T": [TAKEN]}), rules=["high_and_low"]))

    assert [(issue.symbol, issue.ts) for issue in found] == [
        ("T", bars["ts"].iloc[5].to_pydatetime()),
        ("T", bars["ts"].iloc[-5].to_pydatetime()),
    ]


def test_a_ticker_taken_twice_is_three_companies() -> None:
    days = np.array(["2001-01-02", "2003-01-02", "2005-01-03", "2003-01-02"], dtype="datetime64[D]")
    rows = pd.DataFrame({"symbol": ["T", "T", "T", "U"]})

    found = apart(rows, days, {"T": [date(2002, 1, 1), date(2003, 1, 3)]})

    assert found["symbol"].tolist() == ["T before 2002-01-01", "T before 2003-01-03", "T", "U"]
