"""One ticker and two companies, one company and two names: each reading gets the asset of its date."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from db import frames, panels
from db.repositories import ingestion
from db.repositories.bars import stored
from db.repositories.lives import lives, record_life, rename
from db.repositories.spells import file_by_day, own_times, spells
from tests.db.conftest import begin, daily
from trading.calendar import bar_timestamp

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from sqlalchemy import Engine

    Store = Callable[..., int]

DAY = timedelta(days=1)
FIRST, LAST = date(2010, 6, 1), date(2013, 3, 28)
SOLD, TAKEN, RENAMED = date(2010, 12, 1), date(2011, 2, 1), date(2012, 2, 1)
START, END = bar_timestamp(FIRST), bar_timestamp(LAST)


def between(bars: pd.DataFrame, symbol: str, first: date, last: date) -> list[float]:
    chosen = bars[
        (bars["symbol"] == symbol) & (bars["ts"] >= bar_timestamp(first)) & (bars["ts"] <= bar_timestamp(last))
    ]
    return list(chosen["close"])


def test_history_filed_under_the_new_name_is_one_column_before_and_after(engine: Engine, store: Store) -> None:
    bars = daily(["NEW"], FIRST, LAST)
    store(bars)
    with engine.begin() as connection:
        rename(connection, "OLD", "NEW", first_day=RENAMED)
    with engine.connect() as connection:
        after = panels.load(connection, ["NEW", "OLD"], timeframe="1Day", start=START, end=END)
        before = panels.load(connection, ["OLD", "NEW"], timeframe="1Day", start=START, end=END, as_of=RENAMED - DAY)

    assert after.close[:, 0].tolist() == between(bars, "NEW", FIRST, LAST)
    assert before.close[:, 0].tolist() == between(bars, "NEW", FIRST, RENAMED - DAY)
    for panel in (before, after):
        assert np.array_equal(panel.close[:, 0], panel.close[:, 1])


@pytest.mark.parametrize("order", [("OLD", "NEW"), ("NEW", "OLD")])
def test_a_bar_under_the_name_of_the_day_counts_for_more(engine: Engine, store: Store, order: tuple[str, str]) -> None:
    bars = daily(list(order), FIRST, LAST)
    hole = bar_timestamp(date(2011, 3, 7))
    store(bars[(bars["symbol"] == "NEW") | (bars["ts"] != hole)])
    with engine.begin() as connection:
        rename(connection, "OLD", "NEW", first_day=RENAMED)
    with engine.connect() as connection:
        panel = panels.raw(connection, ["NEW"], timeframe="1Day", start=START, end=END)
        frame = frames.load(connection, ["NEW"], timeframe="1Day", start=START, end=END)

    old = bars[bars["symbol"] == "OLD"].set_index("ts")["close"]
    new = bars[bars["symbol"] == "NEW"].set_index("ts")["close"]
    expected = old.where((old.index < bar_timestamp(RENAMED)) & (old.index != hole), new)
    assert panel.close[:, 0].tolist() == expected.tolist()
    assert frame["close"].tolist() == expected.tolist()


def test_each_date_has_its_company_and_its_company_s_splits(engine: Engine, store: Store) -> None:
    bars = daily(["T"], FIRST, LAST)
    store(bars)
    row = {"symbol": "T", "kind": "split", "cash": None, "source": "broker", "new_symbol": None}
    with engine.begin() as connection:
        run = begin(connection)
        record_life(connection, "T", first_day=FIRST, last_day=SOLD, reason="merged")
        record_life(connection, "T", first_day=TAKEN)
        splits = [(date(2010, 9, 1), 2), (date(2012, 6, 1), 10)]
        ingestion.record_actions(
            connection, [{**row, "ex_date": day, "ratio": ratio, "ingestion_run_id": run} for day, ratio in splits]
        )
    with engine.connect() as connection:
        old = frames.load(connection, ["T"], timeframe="1Day", start=START, end=bar_timestamp(SOLD), adjustment="split")
        new = frames.load(connection, ["T"], timeframe="1Day", start=START, end=END, adjustment="split")
        panel = panels.load(connection, ["T"], timeframe="1Day", start=START, end=END)

    raw_old, raw_new = between(bars, "T", FIRST, SOLD), between(bars, "T", TAKEN, LAST)
    days = old["ts"].dt.tz_convert("America/New_York").dt.date
    assert old["close"].tolist() == [
        close / 2 if day < date(2010, 9, 1) else close for day, close in zip(days, raw_old, strict=True)
    ], "the second company's split of 2012 is not the first one's"
    assert len(new) == len(raw_new)
    assert new["close"].iloc[0] == pytest.approx(raw_new[0] / 10)
    assert new["close"].iloc[-1] == raw_new[-1]
    assert panel.close[:, 0].tolist() == new["close"].tolist()


def test_the_newest_bars_are_found_however_far_back_they_are(engine: Engine, store: Store) -> None:
    bars = daily(["A", "GONE"], FIRST, LAST)
    store(bars[(bars["symbol"] == "A") | (bars["ts"] <= bar_timestamp(SOLD))])
    with engine.connect() as connection:
        found = frames.newest(connection, ["A", "GONE", "NONE"], timeframe="1Day", count=3)
        since = frames.newest(connection, ["GONE"], timeframe="1Day", count=3, start=bar_timestamp(SOLD))
        seen = frames.newest(connection, ["A"], timeframe="1Day", count=2, as_of=SOLD)
        last = frames.last_sessions(connection, ["A", "GONE"], timeframe="1Day")

    assert found.groupby("symbol").size().to_dict() == {"A": 3, "GONE": 3}
    assert found[found["symbol"] == "GONE"]["ts"].max() == bar_timestamp(SOLD)
    assert since["ts"].tolist() == [bar_timestamp(SOLD)]
    assert seen["ts"].max() == bar_timestamp(SOLD)
    assert (last.groupby("symbol").size() >= 2).all()


def test_what_is_delivered_on_another_company_s_days_is_filed_by_the_name_of_the_day(engine: Engine) -> None:
    delivered = daily(["NEW"], FIRST, LAST)
    with engine.begin() as connection:
        record_life(connection, "NEW", first_day=FIRST, last_day=SOLD, reason="delisted")
        assert file_by_day(connection, delivered, as_of=LAST) is delivered
        rename(connection, "OLD", "NEW", first_day=RENAMED)
        filed = file_by_day(connection, delivered, as_of=LAST)

    assert filed[filed["symbol"] == "OLD"]["ts"].max() == bar_timestamp(SOLD)
    assert filed["ts"].tolist() == delivered["ts"].tolist()
    assert set(filed["symbol"]) == {"OLD", "NEW"}


def test_the_times_of_an_asset_are_those_under_its_names(engine: Engine, store: Store) -> None:
    store(daily(["OLD"], FIRST, RENAMED - DAY))
    store(daily(["NEW"], RENAMED, LAST))
    with engine.begin() as connection:
        rename(connection, "OLD", "NEW", first_day=RENAMED)
        pieces = spells(connection, ["NEW"], LAST)["NEW"]
        assert [life.symbol for life in lives(connection)] == ["NEW", "OLD"]
    with engine.connect() as connection:
        times = own_times(stored(connection, ["NEW", "OLD"], timeframe="1Day"), pieces)

    assert len(times) == len(daily(["X"], FIRST, LAST))
    assert times.is_monotonic_increasing
