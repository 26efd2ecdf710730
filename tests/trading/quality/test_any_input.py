"""Whatever is delivered, the rules answer: with issues, or with one sentence."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from trading.quality import RULES, bar_verdicts, check

NUMBERS = st.floats(width=32) | st.sampled_from([0.0, -1.0, 100.0, 101.0, 50.0, float("nan")])
MOMENTS = st.datetimes(datetime(1985, 1, 1), datetime(2045, 1, 1)) | st.datetimes(  # noqa: DTZ001 - UTC is put on below
    datetime(2012, 10, 20),  # noqa: DTZ001 - as above
    datetime(2012, 12, 1),  # noqa: DTZ001 - as above
).map(lambda moment: moment.replace(hour=moment.hour % 3 + 4, minute=0, second=0, microsecond=0))
SYMBOLS = st.sampled_from(["A", "BRK.B", "D/E", "NYSE:NBL", "é"])
ROWS = st.lists(st.tuples(SYMBOLS, MOMENTS, NUMBERS, NUMBERS, NUMBERS, NUMBERS, NUMBERS), max_size=30)


def frame(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    bars = pd.DataFrame(rows, columns=["symbol", "ts", "open", "high", "low", "close", "volume"])
    stamps = [stamp.replace(tzinfo=UTC) for stamp in bars["ts"]]
    return bars.assign(ts=pd.DatetimeIndex(stamps, dtype="datetime64[us, UTC]"))


@given(rows=ROWS, other=ROWS, timeframe=st.sampled_from(["1Min", "30Min", "1Hour", "1Day"]))
def test_any_bars_are_judged_in_order_and_every_wrong_price_is_quarantined(
    rows: list[tuple[Any, ...]], other: list[tuple[Any, ...]], timeframe: Any
) -> None:
    bars = frame(rows)
    issues = check(bars, timeframe=timeframe, reference=frame(other), daily=frame(other))
    assert issues == sorted(issues, key=lambda issue: (issue.symbol, issue.ts, issue.rule))
    assert {issue.rule for issue in issues} <= set(RULES)
    assert all(issue.detail and "\n" not in issue.detail for issue in issues)
    verdicts = bar_verdicts(bars, issues)
    wrong = ~(bars[["open", "high", "low", "close"]] > 0).all(axis=1).to_numpy()
    assert (verdicts[wrong] == "quarantined").all()


@given(rows=ROWS)
def test_issues_do_not_depend_on_the_order_of_symbols(rows: list[tuple[Any, ...]]) -> None:
    bars = frame(rows)
    by_symbol = bars.sort_values("symbol", ascending=False, kind="stable")
    assert check(bars) == check(by_symbol)
