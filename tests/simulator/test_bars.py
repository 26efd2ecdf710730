from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from simulator.bars import BarQuery, Timeframe, answer, page, page_token, read_adjustment
from simulator.errors import InvalidParameterError
from trading.adjustment import CashDividend, Split

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulator.market import Market

END = datetime(2013, 3, 1, 21, tzinfo=UTC)
DAY = Timeframe.read("1Day")
ALWAYS = (date(2000, 1, 1), date(2014, 1, 1))


@pytest.mark.parametrize(
    ("text", "timeframe"),
    [
        ("1Min", Timeframe(1, "intraday")),
        ("59T", Timeframe(59, "intraday")),
        ("23H", Timeframe(23 * 60, "intraday")),
        ("1D", Timeframe(1, "day")),
        ("1Day", Timeframe(1, "day")),
        ("1W", Timeframe(1, "week")),
        ("1Week", Timeframe(1, "week")),
        ("3M", Timeframe(3, "month")),
        ("12Month", Timeframe(12, "month")),
    ],
)
def test_alpacas_timeframes_are_read(text: str, timeframe: Timeframe) -> None:
    assert Timeframe.read(text) == timeframe


@pytest.mark.parametrize("text", ["", "Day", "2Day", "60Min", "24Hour", "5Month", "2W", "1day", "1Year", "0Min"])
def test_other_timeframes_are_refused(text: str) -> None:
    with pytest.raises(InvalidParameterError, match="invalid timeframe"):
        Timeframe.read(text)


def test_adjustments_combine() -> None:
    assert read_adjustment("raw") == (False, False)
    assert read_adjustment("split,dividend") == read_adjustment("all") == (True, True)
    assert read_adjustment("split,spin-off") == (True, False)
    with pytest.raises(InvalidParameterError, match="invalid adjustment"):
        read_adjustment("splits")


def test_a_minute_of_a_daily_market_has_no_bars(market: Market) -> None:
    assert answer(market, "AAPL", BarQuery(Timeframe.read("1Min"), *ALWAYS), END) == []


def test_raw_bars_are_the_data(market: Market) -> None:
    (bar,) = answer(market, "AAPL", BarQuery(DAY, date(2012, 12, 3), date(2012, 12, 3)), END)
    assert bar == {
        "t": "2012-12-03T05:00:00Z",
        "o": 593.65,
        "h": 594.59,
        "l": 585.5,
        "c": 586.19,
        "v": 13010000,
        "n": 0,
        "vw": 588.76,
    }


def test_split_adjustment_is_the_published_factor(market: Market) -> None:
    query = BarQuery(DAY, date(2000, 6, 20), date(2000, 6, 21), splits=True)
    before, after = answer(market, "AAPL", query, END)
    raw = answer(market, "AAPL", BarQuery(DAY, date(2000, 6, 20), date(2000, 6, 21)), END)
    # two splits lie after the first day, one after the second
    assert before["c"] == pytest.approx(raw[0]["c"] / 4, abs=1e-4)
    assert after["c"] == pytest.approx(raw[1]["c"] / 2, abs=1e-4)
    assert (before["v"], after["v"]) == (raw[0]["v"] * 4, raw[1]["v"] * 2)


def test_adjustment_knows_no_later_split(market: Market) -> None:
    query = BarQuery(DAY, date(2005, 2, 25), date(2005, 2, 25), splits=True)
    (before,) = answer(market, "AAPL", query, datetime(2005, 2, 25, 23, tzinfo=UTC))
    (after,) = answer(market, "AAPL", query, datetime(2005, 2, 28, 21, tzinfo=UTC))
    assert (before["c"], after["c"]) == (88.99, 44.495)


def test_dividend_adjustment_by_hand(make_market: Callable[..., Market]) -> None:
    days = [date(2012, 12, day) for day in (3, 4, 5, 6)]
    rows = dict.fromkeys(days[:2], (100.0, 100.0, 100.0, 100.0)) | dict.fromkeys(days[2:], (49.0, 49.0, 49.0, 49.0))
    actions = [Split("X", days[2], 2, 1), CashDividend("X", days[2], Decimal("0.5"), special=False)]
    market = make_market({"X": rows}, {"X": actions})
    query = BarQuery(DAY, *ALWAYS, splits=True, dividends=True)
    closes = [bar["c"] for bar in answer(market, "X", query, datetime(2012, 12, 6, 21, tzinfo=UTC))]
    # 100 / 2, times 1 - 0.5 / 50
    assert closes == [49.5, 49.5, 49.0, 49.0]


def test_fully_adjusted_returns_agree_with_the_sources_adjusted_closes(market: Market) -> None:
    from bokeh_sampledata import stocks

    source = pd.DataFrame(stocks.data)
    adjusted = source.loc[source["ticker"] == "MSFT", "adj_close"].to_numpy()
    ours = [bar["c"] for bar in answer(market, "MSFT", BarQuery(DAY, *ALWAYS, splits=True, dividends=True), END)]
    theirs = np.diff(np.log(adjusted))
    # the source reinvests at the ex-date's close, CRSP at the close before: under 0.3 % on one day in 3,269
    assert np.abs(np.diff(np.log(ours)) - theirs).max() < 0.003
    assert np.median(np.abs(np.diff(np.log(ours)) - theirs)) < 1e-5


@pytest.mark.parametrize(("text", "rule"), [("1Week", "W-SUN"), ("1Month", "ME"), ("3Month", "QE"), ("12Month", "YE")])
def test_coarser_bars_are_what_pandas_makes_of_the_days(market: Market, text: str, rule: str) -> None:
    history = market.histories["IBM"]
    frame = pd.DataFrame(
        {"o": history.open, "h": history.high, "l": history.low, "c": history.close, "v": history.volume},
        index=pd.DatetimeIndex(history.days),
    )
    made = frame.resample(rule).agg({"o": "first", "h": "max", "l": "min", "c": "last", "v": "sum"}).dropna()
    ours = answer(market, "IBM", BarQuery(Timeframe.read(text), date(1999, 1, 1), date(2014, 1, 1)), END)
    assert [bar["v"] for bar in ours] == made["v"].tolist()
    for name in "ohlc":
        assert [bar[name] for bar in ours] == pytest.approx(made[name].tolist(), abs=1e-4)


def test_a_week_begins_on_monday_though_the_exchange_was_closed(market: Market) -> None:
    (week,) = answer(market, "IBM", BarQuery(Timeframe.read("1W"), date(2012, 12, 31), date(2012, 12, 31)), END)
    assert week["t"] == "2012-12-31T05:00:00Z"
    (shut,) = answer(market, "IBM", BarQuery(Timeframe.read("1W"), date(2013, 1, 21), date(2013, 1, 21)), END)
    assert shut["t"] == "2013-01-21T05:00:00Z"


@pytest.mark.parametrize("sort", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
def test_pages_put_together_are_the_whole(sort: Any, limit: int) -> None:
    table = {name: [{"t": f"2012-12-0{day}"} for day in range(1, 4)] for name in ("A", "B", "D")}
    asked: list[tuple[str, str]] = []
    token: str | None = None
    while True:
        step = 1 if sort == "asc" else -1
        rows, token = page("ABCD", lambda name: table.get(name, [])[::step], limit=limit, sort=sort, token=token)  # noqa: B023 - used at once
        assert len(rows) <= limit
        asked += [(name, row["t"]) for name, row in rows]
        if token is None:
            break
    assert asked == [(name, row["t"]) for name, rows in table.items() for row in rows[::step]]


def test_a_page_that_ends_with_the_rows_has_no_successor() -> None:
    rows, token = page(["A"], lambda _: [{"t": "1"}], limit=1, sort="asc", token=None)
    assert (rows, token) == ([("A", {"t": "1"})], None)


@pytest.mark.parametrize("token", ["@@@", "YWJj", page_token("A|B", "c")])
def test_a_made_up_token_is_refused(token: str) -> None:
    with pytest.raises(InvalidParameterError, match="invalid page_token"):
        page(["A"], lambda _: [], limit=1, sort="asc", token=token)
