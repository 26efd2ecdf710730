from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from db.repositories import exclusions
from tasks.data_ingestion.archive import archive_bars, restore_bars
from tasks.data_ingestion.fetching import fetch_bars
from tasks.data_ingestion.imports import import_bars
from tasks.data_ingestion.quality import check_quality
from tasks.data_ingestion.universe import resolve_universe
from tasks.panels import load_sessions
from tasks.resources import broker, database
from trading.calendar import close_at, session_of, sessions
from trading.errors import DataError, UnknownNameError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stack import Stack

BARS = "SELECT symbol, ts, open, high, low, close, volume, quality FROM data_ingestion.bars ORDER BY symbol, ts"


def bars_file(path: Path, symbol: str, first: date, count: int, **damage: Any) -> str:
    days = sessions(first, date(first.year + 1, 12, 31))[:count]
    closes = [100.0 + day % 7 for day in range(count)]
    frame = pd.DataFrame(
        {
            "Date": [day.isoformat() for day in days],
            "Ticker": symbol,
            "Open": closes,
            "High": [close + 1 for close in closes],
            "Low": [close - 1 for close in closes],
            "Close": closes,
            "Volume": [1_000_000 + 1000 * (day % 5) for day in range(count)],
        }
    )
    for column, (row, value) in damage.items():
        frame.loc[row, column] = value
    frame.to_csv(path, index=False)
    return str(path)


def load(path: str, **options: Any) -> int:
    chosen = {"source": "csv", "symbols": None, "timeframe": "1Day", "start": None, "end": None, **options}
    _, done = import_bars.fn(path, **chosen)
    return int(done.written)


def test_a_fetch_that_is_repeated_writes_nothing(before_open: date) -> None:
    universe = resolve_universe.fn(None)

    _, again = fetch_bars.fn(universe, timeframe="1Day", start=None, end=None)

    assert again == 0, f"before {before_open}"
    assert universe == ["AAPL", "FB", "GOOG", "IBM", "MSFT"]


def test_a_bar_of_a_session_that_is_not_over_is_never_stored(inside: Stack, before_open: date) -> None:
    newest = inside.scalar("SELECT max(ts) FROM data_ingestion.bars WHERE symbol = 'IBM'")
    seen = inside.scalar("SELECT max(last_seen_at) FROM execution.accounts")  # other tests went further in time
    now = broker().clock().now

    assert close_at(session_of(newest)) <= max(seen or now, now), f"before {before_open}"


def test_an_unknown_symbol_is_refused_with_a_suggestion(before_open: date) -> None:
    with pytest.raises(UnknownNameError, match="unknown symbol 'AAPLE'; did you mean 'AAPL'"):
        resolve_universe.fn(["AAPLE"])
    assert before_open


def test_an_import_can_be_repeated_and_counts_only_what_changed(inside: Stack, tmp_path: Path) -> None:
    path = bars_file(tmp_path / "once.csv", "ONCE", date(2011, 1, 3), 30)

    assert load(path) == 30
    assert load(path) == 0
    changed = bars_file(tmp_path / "twice.csv", "ONCE", date(2011, 1, 3), 30, Close=(4, 104.5))
    assert load(changed) == 1
    assert inside.scalar("SELECT count(*) FROM data_ingestion.bars WHERE symbol = 'ONCE'") == 30


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("absent.csv", None, "no such file"),
        ("empty.csv", "", "the file is empty"),
        ("columns.csv", "Date,Close\n2011-01-03,1\n", "no column for open, high, low, volume"),
    ],
)
def test_a_bad_file_is_refused_in_one_line_and_nothing_is_stored(
    inside: Stack, tmp_path: Path, name: str, content: str | None, complaint: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_text(content)
    before = inside.scalar("SELECT count(*) FROM data_ingestion.bars")

    with pytest.raises(DataError, match=complaint) as caught:
        load(str(path))

    assert "\n" not in str(caught.value)
    assert inside.scalar("SELECT count(*) FROM data_ingestion.bars") == before


def test_a_bar_that_breaks_a_rule_is_quarantined_and_never_read(inside: Stack, tmp_path: Path) -> None:
    load(bars_file(tmp_path / "bad.csv", "BADBAR", date(2011, 1, 3), 60, High=(40, 1.0)))

    check_quality.fn(
        ["BADBAR"], timeframe="1Day", start=date(2011, 1, 3), end=date(2011, 3, 31), on_failure="quarantine"
    )

    with database().connect() as connection:
        panel = load_sessions(connection, ["BADBAR"], start=date(2011, 1, 3), end=date(2011, 3, 31))
    assert np.flatnonzero(np.isnan(panel.close[:, 0])).tolist() == [40]
    verdicts = inside.rows("SELECT DISTINCT verdict FROM data_ingestion.quality_issues WHERE symbol = 'BADBAR'")
    assert ("quarantined",) in verdicts


def test_a_check_that_must_not_fail_leaves_everything_as_it_was(inside: Stack, tmp_path: Path) -> None:
    load(bars_file(tmp_path / "fail.csv", "FAILBAR", date(2011, 1, 3), 60, High=(40, 1.0)))

    with pytest.raises(DataError, match="1 bars fail the quality rules, the first: FAILBAR 2011-03-02"):
        check_quality.fn(["FAILBAR"], timeframe="1Day", start=date(2011, 1, 3), end=None, on_failure="fail")

    states = inside.rows("SELECT DISTINCT quality FROM data_ingestion.bars WHERE symbol = 'FAILBAR'")
    assert states == [("unchecked",)]


def test_archived_bars_are_read_as_before_and_come_back_the_same(
    inside: Stack, before_open: date, tmp_path: Path
) -> None:
    with database().connect() as connection:
        before = load_sessions(connection, ["IBM", "AAPL"], start=date(2003, 1, 2), end=date(2012, 11, 30))
    rows = inside.rows(BARS)

    archive_bars.fn(timeframe="1Day", older_than=1500, target=str(tmp_path))
    in_table = inside.scalar("SELECT count(*) FROM data_ingestion.bars")
    with database().connect() as connection:
        across = load_sessions(connection, ["IBM", "AAPL"], start=date(2003, 1, 2), end=date(2012, 11, 30))
    again = archive_bars.fn(timeframe="1Day", older_than=1500, target=str(tmp_path))
    restore_bars.fn(timeframe="1Day", start=date(1990, 1, 2), end=date(2012, 1, 3))

    assert in_table < len(rows), f"before {before_open}"
    assert across.fingerprint() == before.fingerprint()
    assert again.figures["bars moved"] == 0
    assert inside.rows(BARS) == rows


def test_an_archive_that_was_tampered_with_is_not_restored(inside: Stack, before_open: date, tmp_path: Path) -> None:
    archive_bars.fn(timeframe="1Day", older_than=3000, target=str(tmp_path))
    path = next(tmp_path.rglob("*.parquet"))
    content = path.read_bytes()
    pd.read_parquet(path).assign(close=lambda frame: frame["close"] + 1).to_parquet(path, index=False)
    in_table = inside.scalar("SELECT count(*) FROM data_ingestion.bars")

    with pytest.raises(DataError, match="checksum differs"):
        restore_bars.fn(timeframe="1Day", start=date(1990, 1, 2), end=date(2012, 1, 3))

    assert inside.scalar("SELECT count(*) FROM data_ingestion.bars") == in_table, f"before {before_open}"
    path.write_bytes(content)
    restore_bars.fn(timeframe="1Day", start=date(1990, 1, 2), end=date(2012, 1, 3))


def test_a_symbol_with_poor_bars_is_out_of_the_universe_of_the_next_decision(
    inside: Stack, before_open: date, tmp_path: Path
) -> None:
    count = len(sessions(date(2012, 7, 2), date(2012, 11, 30)))
    damage = {"High": (count - 5, 1.0), "Low": (count - 9, 1000.0), "Close": (count - 12, 0.0)}
    load(bars_file(tmp_path / "poor.csv", "POORBAR", date(2012, 7, 2), count, **damage))

    report = check_quality.fn(["POORBAR"], timeframe="1Day", start=None, end=None, on_failure="quarantine")

    with database().connect() as connection:
        excluded = exclusions.excluded(connection, session=date(2012, 11, 30), timeframe="1Day")
    assert report.notes == [f"POORBAR is out of the universe: {excluded['POORBAR']}."], f"before {before_open}"
    assert excluded["POORBAR"].startswith("3 of 60 bars (5.0%) are quarantined")
    assert inside.scalar("SELECT count(*) FROM data_ingestion.bars WHERE quality = 'quarantined'") >= 3


def test_a_symbol_with_imported_bars_can_be_asked_for_though_the_broker_knows_none(
    inside: Stack, before_open: date, tmp_path: Path
) -> None:
    load(bars_file(tmp_path / "known.csv", "KNOWNBAR", date(2011, 1, 3), 5))

    assert resolve_universe.fn(["IBM", "KNOWNBAR"]) == ["IBM", "KNOWNBAR"], f"before {before_open}"
    assert inside.rows("SELECT tradable, tracked FROM data_ingestion.assets WHERE symbol = 'KNOWNBAR'") == [
        (False, False)
    ]
