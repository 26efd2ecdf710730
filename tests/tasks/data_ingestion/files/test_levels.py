"""Files against stored bars on another level: real bars of real splits."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import text

from db.repositories import ingestion
from tasks.data_ingestion.files import csv_rows, importing
from tasks.data_ingestion.files.bad_rows import BadRows
from tasks.data_ingestion.files.file_format import FileFormat
from tasks.data_ingestion.files.importing import Imported, Wanted, import_files
from trading.calendar import bar_timestamp, sessions
from trading.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

SPLIT = date(2014, 6, 9)
"""Apple's, seven new shares for one."""
CLOSES = "SELECT symbol, ts, close / 1e6 AS close FROM data_ingestion.bars ORDER BY symbol, ts"


def walk(symbol: str, first: date, last: date, *, level: float = 600.0, split: date | None = None) -> pd.DataFrame:
    """Return bars with a volatility of 1 %, whose price is divided by seven from `split` on."""
    days = sessions(date(2012, 1, 3), date(2015, 12, 31))
    chance = np.random.default_rng(sum(map(ord, symbol)))
    close = level * np.exp(np.clip(chance.normal(0, 0.01, len(days)), -0.025, 0.025).cumsum())
    volume = np.round(1e6 * np.exp(chance.normal(0, 0.2, len(days))))
    after = np.array([split is not None and day >= split for day in days])
    close, volume = np.where(after, close / 7, close), np.where(after, volume * 7, volume)
    frame = pd.DataFrame(
        {
            "symbol": symbol,
            "date": days,
            **dict.fromkeys(("open", "close"), np.round(close, 4)),
            "high": np.round(close * 1.005, 4),
            "low": np.round(close * 0.995, 4),
            "volume": volume,
        }
    )
    return frame[(frame["date"] >= first) & (frame["date"] <= last)]


def adjusted(frame: pd.DataFrame, split: date = SPLIT) -> pd.DataFrame:
    """Return bars as a vendor gives them who divides the split out."""
    before = (frame["date"] < split).to_numpy()
    prices = {
        name: np.where(before, frame[name] / 7, frame[name]).round(6) for name in ("open", "high", "low", "close")
    }
    return frame.assign(**prices, volume=np.where(before, frame["volume"] * 7, frame["volume"]))


def load(engine: Engine, path: Path, *frames: pd.DataFrame, form: FileFormat | None = None, **said: Any) -> Imported:
    pd.concat(frames).to_csv(path, index=False)
    return import_files(engine, Wanted(str(path), "1Day", **said), form=form or FileFormat(), bad=BadRows())


def closes(engine: Engine, symbol: str) -> pd.Series:
    with engine.connect() as connection:
        rows = pd.DataFrame(connection.execute(text(CLOSES)).all())
    return rows[rows["symbol"] == symbol].set_index("ts")["close"].astype(float)


def record_split(engine: Engine, symbol: str, day: date = SPLIT) -> None:
    with engine.begin() as connection:
        run = ingestion.begin(connection, source="csv", timeframe="1Day", symbols=[symbol], flow_run_id=None)
        row = {"symbol": symbol, "kind": "split", "ex_date": day, "ratio": 7, "cash": None, "source": "csv"}
        ingestion.record_actions(connection, [row | {"ingestion_run_id": run}])


def test_a_file_on_another_level_in_common_bars_is_refused_by_symbol(engine: Engine, tmp_path: Path) -> None:
    stored = [walk(name, date(2012, 1, 3), date(2012, 12, 31), split=SPLIT) for name in ("AAPL", "IBM")]
    load(engine, tmp_path / "raw.csv", *stored)
    before = closes(engine, "AAPL")

    apple = adjusted(walk("AAPL", date(2012, 8, 13), date(2015, 6, 30), split=SPLIT))
    other = walk("IBM", date(2012, 8, 13), date(2015, 6, 30))
    done = load(engine, tmp_path / "vendor.csv", apple, other)

    (refused,) = done.refused
    at = bar_timestamp(date(2012, 8, 13))
    assert (refused.symbol, refused.ts) == ("AAPL", at)
    assert refused.stored == before[at]
    assert refused.ratio == pytest.approx(1 / 7, abs=1e-6)
    assert closes(engine, "AAPL").equals(before)
    assert done.symbols == {"IBM"}
    assert len(closes(engine, "IBM")) == len(sessions(date(2012, 1, 3), date(2015, 6, 30)))


def test_a_file_that_begins_where_the_stored_bars_end_is_refused_for_the_step_between(
    engine: Engine, tmp_path: Path
) -> None:
    load(engine, tmp_path / "raw.csv", walk("AAPL", date(2012, 1, 3), date(2012, 12, 31), split=SPLIT))

    later = adjusted(walk("AAPL", date(2013, 1, 2), date(2015, 6, 30), split=SPLIT))
    with pytest.raises(DataError, match=r"AAPL 2013-01-02: stored close .* next to the stored bar of 2012-12-31"):
        load(engine, tmp_path / "vendor.csv", later)
    far = adjusted(walk("AAPL", date(2013, 7, 1), date(2014, 6, 6), split=SPLIT))
    with pytest.raises(DataError, match=r"nothing imported: AAPL 2013-07-01"):
        load(engine, tmp_path / "far.csv", far)


def test_a_file_that_ends_where_the_stored_bars_begin_is_refused_too(engine: Engine, tmp_path: Path) -> None:
    load(engine, tmp_path / "raw.csv", walk("AAPL", date(2013, 1, 2), date(2014, 3, 31), split=SPLIT))

    with pytest.raises(DataError, match="nothing imported: AAPL 2012-12-31"):
        load(engine, tmp_path / "early.csv", adjusted(walk("AAPL", date(2012, 1, 3), date(2012, 12, 31), split=SPLIT)))


def test_a_split_between_is_no_other_level(engine: Engine, tmp_path: Path) -> None:
    record_split(engine, "AAPL")
    load(engine, tmp_path / "raw.csv", walk("AAPL", date(2013, 1, 2), date(2014, 6, 6), split=SPLIT))

    done = load(engine, tmp_path / "next.csv", walk("AAPL", SPLIT, date(2014, 12, 31), split=SPLIT))

    assert done.refused == ()
    assert len(closes(engine, "AAPL")) == len(sessions(date(2013, 1, 2), date(2014, 12, 31)))


def test_a_file_that_does_not_show_a_recorded_split_is_refused_on_an_empty_table(
    engine: Engine, tmp_path: Path
) -> None:
    record_split(engine, "AAPL")

    with pytest.raises(DataError, match=r"AAPL 2014-06-09: .* split of 7 new shares per old does not show"):
        load(engine, tmp_path / "vendor.csv", adjusted(walk("AAPL", date(2014, 1, 2), date(2014, 12, 31), split=SPLIT)))
    done = load(engine, tmp_path / "raw.csv", walk("AAPL", date(2014, 1, 2), date(2014, 12, 31), split=SPLIT))

    assert (done.refused, done.symbols) == ((), {"AAPL"})


def test_an_adjusted_file_is_stored_as_traded_when_the_splits_are_recorded(engine: Engine, tmp_path: Path) -> None:
    record_split(engine, "AAPL")
    raw = walk("AAPL", date(2013, 1, 2), date(2014, 12, 31), split=SPLIT)
    load(engine, tmp_path / "raw.csv", raw[raw["date"] < date(2013, 7, 1)])

    form = FileFormat(adjusted_as_of=date(2014, 12, 31))
    done = load(engine, tmp_path / "vendor.csv", adjusted(raw), form=form)

    assert done.refused == ()
    assert closes(engine, "AAPL").to_numpy() == pytest.approx(raw["close"].to_numpy(), abs=1e-5)


def test_a_file_of_many_batches_from_the_newest_bar_to_the_oldest_is_refused_before_any_is_written(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_rows, "BLOCK", 2048)
    monkeypatch.setattr(importing, "ROWS", 50)
    load(engine, tmp_path / "raw.csv", walk("AAPL", date(2013, 1, 2), date(2013, 3, 28), split=SPLIT))
    before = closes(engine, "AAPL")

    vendor = adjusted(walk("AAPL", date(2012, 1, 3), date(2015, 6, 30), split=SPLIT)).iloc[::-1]
    with pytest.raises(DataError, match="AAPL 2013-0"):
        load(engine, tmp_path / "vendor.csv", vendor)

    assert closes(engine, "AAPL").equals(before)


def test_corrections_repeats_and_what_a_person_trusts_are_no_contradictions(engine: Engine, tmp_path: Path) -> None:
    raw = walk("AAPL", date(2013, 1, 2), date(2014, 3, 31), split=SPLIT)
    damaged = raw.copy()
    damaged.loc[damaged.index[40], "close"] *= 2.1
    load(engine, tmp_path / "damaged.csv", damaged)

    mended = load(engine, tmp_path / "one.csv", raw.iloc[40:41])
    again = load(engine, tmp_path / "all.csv", raw)
    trusted = load(engine, tmp_path / "vendor.csv", adjusted(raw), trusted=["AAPL"])

    assert (mended.refused, mended.written) == ((), 1)
    assert (again.refused, again.written) == ((), 0)
    assert (trusted.refused, trusted.written) == ((), len(raw))


def test_dividends_taken_out_are_another_level(engine: Engine, tmp_path: Path) -> None:
    raw = walk("IBM", date(2013, 1, 2), date(2014, 3, 31))
    load(engine, tmp_path / "raw.csv", raw)

    total = raw.assign(close=(raw["close"] * 0.98).round(4))
    with pytest.raises(DataError, match=r"\(0.98 times\)"):
        load(engine, tmp_path / "total.csv", total)
