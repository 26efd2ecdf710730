from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from simulator.bars import BarQuery, Timeframe, answer
from simulator.minutes import Minutes, labels
from simulator.sessions import NEW_YORK
from trading.adjustment import Split

if TYPE_CHECKING:
    from simulator.market import Market
    from tests.simulator.conftest import MakeMarket

FRIDAY, MONDAY, TUESDAY = date(2024, 3, 8), date(2024, 3, 11), date(2024, 3, 12)
"""Summer time begins between the first two."""
OPEN = datetime(2024, 3, 11, 13, 30, tzinfo=UTC)


def minutes_of(first: datetime, count: int) -> Minutes:
    starts = int(first.timestamp()) + 60 * np.arange(count)
    close = np.linspace(100, 100 + (count - 1) * 0.25, count, dtype=np.float64)
    return Minutes(starts, close - 0.1, close + 0.5, close - 0.5, close, np.arange(count) + 10)


@pytest.fixture
def market(make_market: MakeMarket) -> Market:
    row = (100.0, 110.0, 90.0, 105.0)
    split = Split("IBM", MONDAY + timedelta(days=1), new_rate=2, old_rate=1)
    made = make_market({"IBM": dict.fromkeys((FRIDAY, MONDAY, TUESDAY), row)}, {"IBM": [split]})
    made.minutes["IBM"] = minutes_of(OPEN, 95)
    return made


def asked(market: Market, timeframe: str, now: datetime, **limits: datetime) -> list[dict[str, Any]]:
    query = BarQuery(Timeframe.read(timeframe), MONDAY, MONDAY, **limits)  # type: ignore[arg-type]
    return answer(market, "IBM", query, now)


def test_a_minute_is_seen_from_its_end_on(market: Market) -> None:
    just_before = asked(market, "1Min", OPEN + timedelta(seconds=59))
    at_its_end = asked(market, "1Min", OPEN + timedelta(seconds=60))

    assert just_before == []
    assert at_its_end == [
        {"t": "2024-03-11T13:30:00Z", "o": 99.9, "h": 100.5, "l": 99.5, "c": 100.0, "v": 10, "n": 0, "vw": 100.0}
    ]


@pytest.mark.parametrize("timeframe", ["5Min", "15Min", "30Min", "1Hour", "2Hour"])
def test_longer_bars_are_those_that_pandas_makes_of_the_minutes(market: Market, timeframe: str) -> None:
    minutes = market.minutes["IBM"]
    stamps = pd.to_datetime(minutes.starts, unit="s", utc=True).tz_convert(NEW_YORK)
    frame = pd.DataFrame({name: getattr(minutes, name) for name in ("open", "high", "low", "close", "volume")}, stamps)
    rule = timeframe.replace("Min", "min").replace("Hour", "h")
    means = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    expected = frame.resample(rule, origin="start_day").agg(means)

    bars = asked(market, timeframe, OPEN + timedelta(hours=3))

    assert [bar["t"] for bar in bars] == [
        f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in pd.DatetimeIndex(expected.index).tz_convert("UTC")
    ]
    for key, name in zip("ohlcv", means, strict=True):
        assert [bar[key] for bar in bars] == pytest.approx(expected[name].tolist())


def test_start_and_end_are_those_of_labels_and_the_earliest_come_first(market: Market) -> None:
    later = OPEN + timedelta(hours=3)
    some = asked(market, "5Min", later, start=OPEN + timedelta(minutes=1), end=OPEN + timedelta(minutes=10))
    early = OPEN + timedelta(minutes=1)
    few = answer(
        market,
        "IBM",
        BarQuery(Timeframe.read("5Min"), MONDAY, MONDAY, start=early, most=2),
        later,
    )

    assert [bar["t"] for bar in some] == ["2024-03-11T13:35:00Z", "2024-03-11T13:40:00Z"]
    assert few[:2] == asked(market, "5Min", later)[1:3]


def test_intervals_begin_at_midnight_in_new_york_before_and_after_the_clocks_change() -> None:
    before, after = datetime(2024, 3, 8, 14, 30, tzinfo=UTC), datetime(2024, 3, 11, 13, 30, tzinfo=UTC)
    starts = np.array([int(at.timestamp()) for at in (before, after)])

    shown = [datetime.fromtimestamp(int(label), NEW_YORK) for label in labels(starts, 4 * 60)]

    assert [f"{at:%d %H:%M}" for at in shown] == ["08 08:00", "11 08:00"]


def test_minutes_before_a_split_are_adjusted_as_their_day_is(market: Market) -> None:
    tuesday = datetime(2024, 3, 12, 15, tzinfo=UTC)
    raw = asked(market, "1Min", tuesday)[0]
    query = BarQuery(Timeframe.read("1Min"), MONDAY, MONDAY, splits=True)
    adjusted = answer(market, "IBM", query, tuesday)[0]
    before_it_was_known = answer(market, "IBM", query, OPEN + timedelta(hours=2))[0]

    assert adjusted["c"] == raw["c"] / 2 == 50
    assert adjusted["v"] == 2 * raw["v"] == 20
    assert before_it_was_known == raw
