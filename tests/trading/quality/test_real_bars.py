"""The rules over real daily bars with real defects, where somebody has put the file of them."""

from __future__ import annotations

import os
import time
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from trading.quality import Issue, check

VARIABLE = "TRADING_ACCEPTANCE_DATA"
SYMBOLS = 503


@pytest.fixture(scope="module")
def issues() -> list[Issue]:
    """What all rules say of the S&P 500's members, 2012-08-13 to 2017-08-11, without any known action."""
    path = Path(os.environ.get(VARIABLE, ""))
    if not path.is_file():
        pytest.skip(f"{VARIABLE} names no file of daily bars (symbol, date, open, high, low, close, volume)")
    frame = pd.read_parquet(path)
    if frame["symbol"].nunique() != SYMBOLS:
        pytest.skip(f"{VARIABLE} is another file than the S&P 500 of 2012-2017")
    days = pd.to_datetime(frame.pop("date"))
    bars = frame.assign(ts=days.dt.tz_localize("America/New_York").dt.tz_convert("UTC"))
    started = time.perf_counter()
    found = check(bars)
    assert time.perf_counter() - started < 10
    return found


def test_the_real_defects_are_found_rule_by_rule(issues: list[Issue]) -> None:
    assert Counter((issue.rule, issue.verdict) for issue in issues) == {
        ("nulls", "suspect"): 406,
        ("nulls", "quarantined"): 384,
        ("missing_sessions", "suspect"): 112,
        ("high_and_low", "quarantined"): 39,
        ("high_and_low", "suspect"): 3,
        ("price_jumps", "suspect"): 24,
        ("price_jumps", "quarantined"): 5,
        ("split_flips", "quarantined"): 16,
        ("volume_spikes", "suspect"): 7,
        ("volume", "suspect"): 4,
        ("lone_extremes", "suspect"): 1,
        ("lone_extremes", "quarantined"): 1,
    }


@pytest.mark.parametrize(
    ("symbol", "day", "rule", "words"),
    [
        ("TMO", "2015-07-22", "lone_extremes", "low 14 stands alone"),
        ("AME", "2013-10-29", "lone_extremes", "high 62.05 stands alone"),
        ("BIIB", "2015-07-22", "high_and_low", "open 39,"),
        ("GOOG", "2014-04-02", "high_and_low", "open 282.43,"),
        ("DVA", "2013-09-16", "split_flips", "about 2:1 for 10 bar(s)"),
        ("HLT", "2016-12-13", "split_flips", "about 1:2 for 2 bar(s)"),
        ("HPQ", "2015-10-28", "price_jumps", "and back after 1 bar(s)"),
        ("APH", "2014-09-08", "price_jumps", "split of about 4:1 is missing"),
        ("EBAY", "2015-07-20", "price_jumps", "spin-off or special dividend is missing"),
        ("HLT", "2016-12-29", "volume_spikes", "volume 59, usually"),
        ("SNI", "2016-03-15", "missing_sessions", "no bar for the session of 2016-03-15"),
    ],
)
def test_defects_that_a_person_looked_at_are_named(
    issues: list[Issue], symbol: str, day: str, rule: str, words: str
) -> None:
    (issue,) = [one for one in issues if (one.symbol, f"{one.ts:%Y-%m-%d}", one.rule) == (symbol, day, rule)]
    assert words in issue.detail


@pytest.mark.parametrize(
    ("symbol", "day"),
    [
        ("AMD", "2016-04-22"),  # +52 % on a joint venture
        ("CHK", "2016-02-08"),  # -33 % on rumours of bankruptcy, low 1.50
        ("VRTX", "2013-04-19"),  # +62 % on a study
        ("PWR", "2015-10-16"),  # -29 % on a warning
        ("WMB", "2016-02-08"),  # -35 % with its merger in doubt
        ("BBY", "2012-12-13"),  # a takeover rumour and its end the next day
        ("HCA", "2015-08-24"),  # low 43.91 in the flash crash, close 84.31
        ("VZ", "2014-02-24"),  # 42 times the usual volume with the shares of a takeover
    ],
)
def test_what_really_happened_is_not_called_a_defect(issues: list[Issue], symbol: str, day: str) -> None:
    assert [one for one in issues if (one.symbol, f"{one.ts:%Y-%m-%d}") == (symbol, day)] == []
