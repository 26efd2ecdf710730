from __future__ import annotations

import threading
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import select, text

from db.models.data_ingestion import Bar
from db.repositories import decisions
from db.repositories.bars import latest, newest, oldest, read, stored, write
from trading.calendar import bar_timestamp, completed_bars
from trading.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine

    Daily = Callable[..., pd.DataFrame]
    Store = Callable[..., int]

FIRST, LAST = date(2011, 12, 1), date(2012, 2, 29)


def back(engine: Engine, *symbols: str, **how: Any) -> pd.DataFrame:
    span: dict[str, Any] = {"start": datetime(2000, 1, 1, tzinfo=UTC), "end": datetime(2030, 1, 1, tzinfo=UTC)}
    with engine.connect() as connection:
        return read(connection, symbols, timeframe=how.pop("timeframe", "1Day"), **span, **how)


def test_bars_come_back_as_they_were_delivered(engine: Engine, daily_bars: Daily, store: Store) -> None:
    bars = daily_bars(["AAPL", "BRK.B", "X"], FIRST, LAST)

    assert store(bars.sample(frac=1, random_state=3)) == len(bars)

    found = back(engine, "X", "AAPL", "BRK.B").drop(columns="quality")
    pd.testing.assert_frame_equal(found, bars, check_dtype=False)


def test_a_price_is_stored_to_the_millionth(engine: Engine, daily_bars: Daily, store: Store) -> None:
    bars = daily_bars(["A"], LAST, LAST).assign(open=0.1, high=123456.789012, low=0.000001, close=4.35)

    store(bars)

    with engine.connect() as connection:
        (row,) = connection.execute(select(Bar.open, Bar.high, Bar.low, Bar.close)).all()
    assert tuple(row) == tuple(map(Decimal, ("0.100000", "123456.789012", "0.000001", "4.350000")))
    assert back(engine, "A")["high"].tolist() == [123456.789012]


def test_writing_again_writes_nothing(engine: Engine, daily_bars: Daily, store: Store) -> None:
    bars = daily_bars(["A", "B"], FIRST, LAST)
    store(bars)

    assert store(bars) == 0
    assert store(pd.concat([bars, daily_bars(["C"], LAST, LAST)])) == 1
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM data_ingestion.bar_revisions")) == 0


def test_a_bar_delivered_with_other_figures_keeps_the_old_ones(engine: Engine, daily_bars: Daily, store: Store) -> None:
    bars = daily_bars(["A"], FIRST, LAST)
    store(bars)
    close, volume = bars["close"].to_numpy(copy=True), bars["volume"].to_numpy(copy=True)
    was, close[5], volume[5] = (close[5], volume[5]), close[5] + 0.25, 7
    changed = bars.assign(close=close, volume=volume)

    assert store(changed, source="csv") == 1

    with engine.connect() as connection:
        (revision,) = decisions.revisions(connection, "A", timeframe="1Day")
    assert (float(revision.old_close), float(revision.new_close)) == (was[0], close[5])
    assert (revision.old_volume, revision.new_volume) == (was[1], 7)
    assert (revision.old_source, revision.new_source) == ("broker", "csv")
    assert revision.ingestion_run_id == revision.old_ingestion_run_id + 1
    assert back(engine, "A")["close"].tolist() == changed["close"].tolist()


def test_a_missing_figure_is_neither_lost_nor_a_change(engine: Engine, daily_bars: Daily, store: Store) -> None:
    bars = daily_bars(["A", "LONGER"], FIRST, LAST)
    bars.loc[[3, 70], "volume"] = np.nan
    bars.loc[3, "open"] = np.nan

    assert store(bars) == len(bars)
    assert store(bars) == 0
    found = back(engine, "A", "LONGER")
    assert np.flatnonzero(np.isnan(found["open"])).tolist() == [3]
    assert np.flatnonzero(np.isnan(found["volume"])).tolist() == [3, 70]


def test_of_two_bars_with_one_key_the_last_counts(engine: Engine, daily_bars: Daily, store: Store) -> None:
    bars = daily_bars(["A"], FIRST, LAST)

    assert store(pd.concat([bars.assign(close=1.0), bars])) == len(bars)
    assert back(engine, "A")["close"].tolist() == bars["close"].tolist()


def test_intraday_bars_stand_in_months(engine: Engine, store: Store) -> None:
    stamps = completed_bars("5Min", datetime(2023, 12, 28, tzinfo=UTC), datetime(2024, 1, 4, tzinfo=UTC))
    figures = dict.fromkeys(("open", "high", "low", "close", "volume"), 10.0)

    store(pd.DataFrame({"symbol": "A", "ts": stamps, **figures}), timeframe="5Min")

    with engine.connect() as connection:
        counts = connection.execute(
            text("SELECT tableoid::regclass::text, count(*) FROM data_ingestion.bars GROUP BY 1")
        )
        assert dict(counts.all()) == {
            "data_ingestion.bars_5min_2023_12": 2 * 78,
            "data_ingestion.bars_5min_2024_01": 2 * 78,
        }
        assert oldest(connection, timeframe="5Min") == stamps[0]
        assert newest(connection, timeframe="5Min") == stamps[-1]
        assert newest(connection, timeframe="1Min") is None


def test_latest_and_stored_answer_per_symbol(engine: Engine, daily_bars: Daily, store: Store) -> None:
    store(daily_bars(["A"], FIRST, LAST))
    store(daily_bars(["B"], FIRST, FIRST))

    with engine.connect() as connection:
        found = stored(connection, ["B", "NONE", "A"], timeframe="1Day")
        newest_of = latest(connection, ["A", "B", "NONE"], timeframe="1Day")

    assert newest_of == {"A": bar_timestamp(LAST), "B": bar_timestamp(FIRST)}
    assert {symbol: len(times) for symbol, times in found.items()} == {"B": 1, "NONE": 0, "A": 61}
    assert found["A"].is_monotonic_increasing


@pytest.mark.parametrize(("column", "value"), [("close", np.inf), ("volume", 1e19), ("open", 1e13)])
def test_a_bar_that_cannot_be_stored_is_named(
    engine: Engine, daily_bars: Daily, store: Store, column: str, value: float
) -> None:
    bars = daily_bars(["A", "B"], FIRST, LAST)
    bars.loc[70, column] = value

    with pytest.raises(DataError, match=rf"^B 2011-12-14 05:00:00\+00:00: {column} .* cannot be stored"):
        store(bars)
    assert back(engine, "A", "B").empty


def test_bars_without_a_time_or_a_run_are_refused(engine: Engine, daily_bars: Daily, store: Store) -> None:
    bars = daily_bars(["A"], FIRST, LAST)
    with pytest.raises(DataError, match="there is none"), engine.begin() as connection:
        write(connection, bars, timeframe="1Day", source="broker", run=404)
    bars.loc[1, "ts"] = pd.NaT
    with pytest.raises(DataError, match="no symbol or no time"):
        store(bars)


def test_two_writers_of_the_same_new_bars_write_them_once(engine: Engine, daily_bars: Daily, store: Store) -> None:
    bars = daily_bars(["A", "BB", "CCC"], FIRST, LAST)
    store(daily_bars(["Z"], FIRST, LAST))
    counts: list[int] = []
    writers = [threading.Thread(target=lambda: counts.append(store(bars))) for _ in range(4)]

    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert sorted(counts) == [0, 0, 0, len(bars)]
    assert len(back(engine, "A", "BB", "CCC")) == len(bars)


def test_a_write_that_is_rolled_back_leaves_nothing(engine: Engine, daily_bars: Daily, store: Store) -> None:
    store(daily_bars(["Z"], FIRST, LAST))
    bars = daily_bars(["A"], FIRST, LAST)

    with engine.connect() as connection:
        run = connection.scalar(text("SELECT max(id) FROM data_ingestion.ingestion_runs"))
        assert write(connection, bars, timeframe="1Day", source="broker", run=run) == len(bars)
        connection.rollback()

    assert back(engine, "A").empty
