from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from db import archiving, frames, panels
from db.repositories import decisions, ingestion, lives
from tests.db.conftest import begin, daily, put
from tests.postgres import fresh_database
from trading.bars import FIELDS
from trading.calendar import bar_timestamp, completed_bars, sessions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy import Engine

    from trading.bars import Panel

    Daily = Callable[..., pd.DataFrame]
    Store = Callable[..., int]

FIRST, LAST = date(2010, 6, 1), date(2013, 3, 28)
SYMBOLS = ["A", "BRK.B", "GONE", "NEW"]
SPLITS = [("A", date(2011, 7, 11), 2.0), ("A", date(2012, 7, 9), 0.1), ("BRK.B", date(2012, 1, 3), 1.5)]
HELD = bar_timestamp(date(2011, 3, 7))
DAYS = st.dates(FIRST - timedelta(days=20), LAST + timedelta(days=20))


@cache
def world() -> pd.DataFrame:
    """Return bars with gaps, of symbols that come and go."""
    bars = daily(SYMBOLS, FIRST, LAST)
    late, gone = bar_timestamp(date(2011, 9, 1)), bar_timestamp(date(2012, 9, 4))
    bars = bars[~((bars["symbol"] == "NEW") & (bars["ts"] < late))]
    bars = bars[~((bars["symbol"] == "GONE") & (bars["ts"] > gone))]
    missing = np.random.default_rng(5).random(len(bars)) < 0.03
    return bars[~missing | (bars["ts"] == HELD)].reset_index(drop=True)


def plant(engine: Engine) -> None:
    put(engine, world())
    row = {"kind": "split", "cash": None, "source": "broker"}
    with engine.begin() as connection:
        run = begin(connection)
        ingestion.record_actions(
            connection,
            [{**row, "symbol": s, "ex_date": day, "ratio": ratio, "ingestion_run_id": run} for s, day, ratio in SPLITS],
        )
        connection.execute(
            text("UPDATE data_ingestion.bars SET quality = 'quarantined' WHERE symbol = 'A' AND ts = :ts"), {"ts": HELD}
        )


@pytest.fixture(scope="module")
def table(postgres: int, migrated: str, execute: Callable[[str], None], home: Path) -> Iterator[Engine]:
    """A database whose bars are all in the table."""
    with fresh_database(postgres, migrated, execute, home) as engine:
        plant(engine)
        yield engine


@pytest.fixture(scope="module")
def archive(
    postgres: int, migrated: str, execute: Callable[[str], None], home: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    """A database with the same bars, two of the years in files."""
    with fresh_database(postgres, migrated, execute, home) as engine:
        plant(engine)
        target = str(tmp_path_factory.mktemp("archive"))
        cutoff = datetime(2012, 6, 1, tzinfo=UTC)
        with engine.connect() as connection:
            due = archiving.due(connection, timeframe="1Day", cutoff=cutoff)
        for start, end in due:
            with engine.begin() as connection:
                archiving.archive(connection, timeframe="1Day", start=start, end=end, target=target, flow_run_id=None)
        assert len(due) == 2
        yield engine


def load(engine: Engine, symbols: list[str], start: datetime, end: datetime, **how: Any) -> Panel:
    with engine.connect() as connection:
        return panels.load(connection, symbols, timeframe="1Day", start=start, end=end, **how)


def raw(engine: Engine, symbols: list[str], start: datetime, end: datetime, **how: Any) -> Panel:
    with engine.connect() as connection:
        return panels.raw(connection, symbols, timeframe="1Day", start=start, end=end, **how)


@settings(max_examples=40)
@given(st.lists(st.sampled_from([*SYMBOLS, "NONE"]), min_size=1, unique=True), DAYS, DAYS)
def test_every_bar_stands_at_its_time_and_symbol_and_nothing_else_does(
    table: Engine, symbols: list[str], first: date, last: date
) -> None:
    panel = raw(table, symbols, bar_timestamp(first), bar_timestamp(last))

    bars = world()
    bars = bars[~((bars["symbol"] == "A") & (bars["ts"] == HELD))]
    bars = bars[bars["symbol"].isin(symbols) & bars["ts"].between(bar_timestamp(first), bar_timestamp(last))]
    assert panel.symbols == tuple(symbols)
    days = sessions(bars["ts"].min().date(), bars["ts"].max().date()) if len(bars) else []
    expected = pd.DatetimeIndex([bar_timestamp(day) for day in days], tz="UTC")
    assert panel.timestamps.tolist() == expected.tz_localize(None).to_numpy("datetime64[ns]").tolist()
    for field in FIELDS:
        wide = bars.pivot_table(field, "ts", "symbol").reindex(index=expected, columns=symbols)
        np.testing.assert_array_equal(panel.field(field), wide.to_numpy(dtype=np.float64))


@settings(max_examples=40)
@given(DAYS, DAYS, DAYS)
def test_nothing_later_than_the_end_or_the_date_is_seen(table: Engine, first: date, last: date, day: date) -> None:
    start, end = bar_timestamp(first), bar_timestamp(last)

    seen = load(table, SYMBOLS, start, end, as_of=day)

    latest = min(end, bar_timestamp(day))
    assert not len(seen) or seen.last_timestamp <= latest
    whole = raw(table, SYMBOLS, start, end, as_of=LAST)
    assert np.array_equal(seen.timestamps, whole.up_to(latest).timestamps) or not seen.close.size


@settings(max_examples=40)
@given(DAYS)
def test_a_split_counts_from_its_day_on_and_not_before(table: Engine, day: date) -> None:
    start, end = bar_timestamp(FIRST), bar_timestamp(LAST)

    seen, paid = (read(table, ["A", "BRK.B"], start, end, as_of=day) for read in (load, raw))

    for column, symbol in enumerate(seen.symbols):
        factors = np.ones(len(seen))
        for owner, ex_date, ratio in SPLITS:
            if owner == symbol and ex_date <= day:
                factors[seen.timestamps < np.datetime64(bar_timestamp(ex_date).replace(tzinfo=None))] *= ratio
        np.testing.assert_allclose(seen.close[:, column] * factors, paid.close[:, column], rtol=1e-12)
        np.testing.assert_allclose(seen.volume[:, column] / factors, paid.volume[:, column], rtol=1e-12)


@settings(max_examples=40)
@given(st.lists(st.sampled_from(SYMBOLS), min_size=1), st.tuples(DAYS, DAYS), st.one_of(st.none(), DAYS))
def test_table_and_archive_read_as_the_table_alone(
    table: Engine, archive: Engine, symbols: list[str], span: tuple[date, date], day: date | None
) -> None:
    start, end = map(bar_timestamp, span)

    one, other = (load(engine, symbols, start, end, as_of=day) for engine in (table, archive))

    assert one.fingerprint() == other.fingerprint()


def test_a_released_bar_is_seen_a_quarantined_one_is_not(engine: Engine) -> None:
    plant(engine)
    assert np.isnan(raw(engine, ["A", "GONE"], HELD, HELD).close).tolist() == [[True, False]]

    with engine.begin() as connection:
        decisions.release(connection, "A", timeframe="1Day", ts=HELD, who="ann", why="it was so")

    assert not np.isnan(raw(engine, ["A", "GONE"], HELD, HELD).close).any()


def test_a_ticker_is_read_as_the_company_it_meant(engine: Engine, daily_bars: Daily, store: Store) -> None:
    bars = daily_bars(["T", "U"], FIRST, LAST)
    store(bars)
    sold, taken, renamed = date(2010, 12, 1), date(2011, 2, 1), date(2012, 2, 1)
    with engine.begin() as connection:
        lives.record_life(connection, "T", first_day=FIRST, last_day=sold, reason="merged")
        lives.record_life(connection, "T", first_day=taken)
        lives.rename(connection, "T", "U", first_day=renamed)
    start, end = bar_timestamp(FIRST), bar_timestamp(LAST)

    old = raw(engine, ["T"], start, end, as_of=sold)
    new = raw(engine, ["U", "T"], start, end)

    close = bars.set_index(["symbol", "ts"])["close"]
    assert old.last_timestamp == bar_timestamp(sold)
    assert old.close[:, 0].tolist() == close["T"][: bar_timestamp(sold)].tolist()
    pieces = pd.concat(
        [close["T"][bar_timestamp(taken) : bar_timestamp(date(2012, 1, 31))], close["U"][bar_timestamp(renamed) :]]
    )
    assert new.close[:, 0].tolist() == pieces.tolist()
    assert np.array_equal(new.close[:, 0], new.close[:, 1])


def test_frames_are_the_same_from_the_archive_and_the_table(table: Engine, archive: Engine) -> None:
    found = []
    asked: list[tuple[frames.Adjustment, date | None]] = [
        ("raw", None),
        ("split", None),
        ("split", date(2011, 12, 30)),
    ]
    for engine in (table, archive):
        with engine.connect() as connection:
            found.append(
                [
                    frames.newest(connection, ["A", "GONE"], timeframe="1Day", count=400, adjustment=kind, as_of=day)
                    for kind, day in asked
                ]
                + [frames.last_sessions(connection, SYMBOLS, timeframe="1Day", as_of=date(2011, 3, 8))]
            )

    for stored, archived in zip(*found, strict=True):
        pd.testing.assert_frame_equal(stored, archived)
    assert found[0][0]["ts"].min() < HELD, "as far back as what is in files"
    with table.connect() as connection:
        panel = panels.load(connection, ["A"], timeframe="1Day", start=bar_timestamp(FIRST), end=bar_timestamp(LAST))
    own = found[0][1][found[0][1]["symbol"] == "A"]
    assert own["close"].tolist() == panel.close[~np.isnan(panel.close[:, 0]), 0][-400:].tolist()


def test_bars_off_the_grid_are_not_in_a_panel(engine: Engine, store: Store) -> None:
    start, end = datetime(2012, 11, 23, tzinfo=UTC), datetime(2012, 11, 27, tzinfo=UTC)
    grid = completed_bars("1Min", start, end)
    stamps = [*grid, grid[5] + pd.Timedelta(seconds=30), grid[0] - pd.Timedelta(minutes=60)]
    figures = dict.fromkeys(("open", "high", "low", "close", "volume"), 10.0)
    store(pd.DataFrame({"symbol": "A", "ts": pd.DatetimeIndex(stamps), **figures}), timeframe="1Min")

    with engine.connect() as connection:
        panel = panels.load(connection, ["A"], timeframe="1Min", start=start, end=end)

    assert len(panel) == 210 + 390, "the day after Thanksgiving closes at one"
    assert panel.timestamps.tolist() == grid.tz_localize(None).to_numpy("datetime64[ns]").tolist()


def test_without_bars_or_symbols_a_panel_is_empty(engine: Engine) -> None:
    start, end = bar_timestamp(FIRST), bar_timestamp(LAST)
    assert load(engine, ["A"], start, end).close.shape == (0, 1)
    assert load(engine, [], start, end).close.shape == (0, 0)
    assert load(engine, ["A"], end, start).close.shape == (0, 1)


def test_a_long_range_is_read_by_two_connections_as_by_one(
    engine: Engine, daily_bars: Daily, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    bars = daily_bars(["A", "B", "C"], FIRST, LAST)
    store(bars)
    start, end = bar_timestamp(FIRST), bar_timestamp(LAST)
    one = load(engine, ["A", "B", "C"], start, end)

    monkeypatch.setattr(panels, "WORTH_TWO", 10)

    assert load(engine, ["A", "B", "C"], start, end).fingerprint() == one.fingerprint()
    assert one.close.size == len(bars)


def test_a_connection_that_the_server_cut_is_made_anew(
    engine: Engine, daily_bars: Daily, store: Store, execute: Callable[[str], None]
) -> None:
    store(daily_bars(["A"], FIRST, LAST))
    start, end = bar_timestamp(FIRST), bar_timestamp(LAST)
    before = load(engine, ["A"], start, end)

    execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{engine.url.database}'")

    assert load(engine, ["A"], start, end).fingerprint() == before.fingerprint()
