from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from sqlalchemy import text

from db import archive_files, archiving, partitions
from db.repositories import archives
from db.repositories import bars as bars_repository
from db.repositories.bars import put_back, read
from trading.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import Connection, Engine

    Daily = Callable[..., pd.DataFrame]
    Store = Callable[..., int]

FIRST, LAST = date(2010, 11, 1), date(2012, 2, 29)
CUTOFF = datetime(2012, 3, 1, tzinfo=UTC)
ROWS = "SELECT * FROM data_ingestion.bars ORDER BY symbol, timeframe, ts"
COUNT = "SELECT count(*) FROM data_ingestion.bars"


class Killed(BaseException):
    """What a kill signal is to the code that runs."""


def rows(engine: Engine, statement: str = ROWS) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


def everything(engine: Engine) -> pd.DataFrame:
    span = {"start": datetime(2000, 1, 1, tzinfo=UTC), "end": datetime(2030, 1, 1, tzinfo=UTC)}
    with engine.connect() as connection:
        return read(connection, ["A", "BRK.B"], timeframe="1Day", quarantined=True, **span)


def move(engine: Engine, target: Path, after: Callable[[Connection], None] = lambda _: None) -> int:
    """Archive each whole period before the cutoff in a transaction of its own; return how many files came of it."""
    with engine.connect() as connection:
        due = archiving.due(connection, timeframe="1Day", cutoff=CUTOFF)
    files = 0
    for start, end in due:
        with engine.begin() as connection:
            done = archiving.archive(
                connection, timeframe="1Day", start=start, end=end, target=str(target), flow_run_id=None
            )
            after(connection)
        files += done is not None
    return files


def bring_back(engine: Engine) -> None:
    with engine.connect() as connection:
        entries = archives.listed(connection, timeframe="1Day")
    for entry in entries:
        with engine.begin() as connection:
            archiving.restore(connection, entry)


@pytest.fixture
def planted(engine: Engine, daily_bars: Daily, store: Store) -> pd.DataFrame:
    """Return what reading found before anything was archived."""
    bars = daily_bars(["A", "BRK.B"], FIRST, LAST)
    bars.loc[[3, 40], "volume"] = float("nan")
    store(bars)
    with engine.begin() as connection:
        connection.execute(text("UPDATE data_ingestion.bars SET quality = 'suspect' WHERE volume IS NULL"))
    return everything(engine)


def test_whole_years_leave_the_table_and_read_the_same(engine: Engine, planted: pd.DataFrame, tmp_path: Path) -> None:
    assert move(engine, tmp_path) == 2

    files = sorted(path.relative_to(tmp_path).parent.as_posix() for path in tmp_path.rglob("*.parquet"))
    assert files == ["timeframe=1Day/year=2010", "timeframe=1Day/year=2011"]
    with engine.connect() as connection:
        assert partitions.existing(connection, "1Day") == ["data_ingestion.bars_1day_2012"]
    pd.testing.assert_frame_equal(everything(engine), planted)
    assert move(engine, tmp_path) == 0


def test_files_are_zstd_and_anybody_can_read_them(engine: Engine, planted: pd.DataFrame, tmp_path: Path) -> None:
    move(engine, tmp_path)

    path = next(tmp_path.rglob("year=2011/*.parquet"))
    assert pq.ParquetFile(path).metadata.row_group(0).column(1).compression == "ZSTD"
    year = planted[planted["ts"].dt.year == 2011]
    pd.testing.assert_series_equal(
        pd.read_parquet(path)["close"], year["close"].reset_index(drop=True), check_dtype=False
    )


def test_bars_that_come_back_are_what_they_were(engine: Engine, planted: pd.DataFrame, tmp_path: Path) -> None:
    before = rows(engine)
    move(engine, tmp_path)
    assert len(rows(engine)) < len(before)

    bring_back(engine)

    assert rows(engine) == before
    pd.testing.assert_frame_equal(everything(engine), planted)


def test_a_bar_that_arrives_late_joins_the_archive_of_its_year(
    engine: Engine, planted: pd.DataFrame, store: Store, daily_bars: Daily, tmp_path: Path
) -> None:
    move(engine, tmp_path)
    late = daily_bars(["LATE"], date(2011, 5, 2), date(2011, 5, 3))
    changed = planted[planted["ts"].dt.date == date(2011, 5, 2)].drop(columns="quality").assign(close=1.25)
    store(pd.concat([late, changed]))
    expected = everything(engine)

    assert move(engine, tmp_path) == 1

    assert rows(engine, COUNT)[0][0] == len(planted[planted["ts"].dt.year == 2012])
    pd.testing.assert_frame_equal(everything(engine), expected)
    assert (expected["close"] == 1.25).sum() == 2
    bring_back(engine)
    assert rows(engine, COUNT)[0][0] == len(planted) + 2


STEPS: list[tuple[Any, str]] = [
    (archives, "hold"),
    (archives, "covering"),
    (archives, "bars"),
    (archive_files, "dollars"),
    (pq.ParquetWriter, "write_table"),
    (archive_files, "_verify"),
    (archive_files, "write"),
    (archives, "record"),
    (archives, "leave"),
]


@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", STEPS, ids=[name for _, name in STEPS])
def test_killed_at_any_step_no_bar_is_lost_or_doubled(
    engine: Engine, planted: pd.DataFrame, tmp_path: Path, *, step: tuple[Any, str], late: bool
) -> None:
    run = getattr(*step)

    def killed(*arguments: Any, **options: Any) -> None:
        if late:
            run(*arguments, **options)
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(*step, killed)
        with pytest.raises(Killed):
            move(engine, tmp_path)
    pd.testing.assert_frame_equal(everything(engine), planted)

    move(engine, tmp_path)

    pd.testing.assert_frame_equal(everything(engine), planted)
    assert rows(engine, COUNT)[0][0] == len(planted[planted["ts"].dt.year == 2012])


def test_killed_before_the_commit_the_bars_are_in_the_table(
    engine: Engine, planted: pd.DataFrame, tmp_path: Path
) -> None:
    def killed(_: Connection) -> None:
        raise Killed

    with pytest.raises(Killed):
        move(engine, tmp_path, after=killed)

    assert rows(engine, COUNT)[0][0] == len(planted)
    assert rows(engine, "SELECT * FROM data_ingestion.archives") == []
    pd.testing.assert_frame_equal(everything(engine), planted)


def test_killed_while_restoring_nothing_is_doubled(
    engine: Engine, planted: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    move(engine, tmp_path)

    def killed(*arguments: Any, **options: Any) -> None:
        put_back(*arguments, **options)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(bars_repository, "put_back", killed)
        with pytest.raises(Killed):
            bring_back(engine)

    pd.testing.assert_frame_equal(everything(engine), planted)


def test_a_file_that_was_changed_is_not_restored(engine: Engine, planted: pd.DataFrame, tmp_path: Path) -> None:
    move(engine, tmp_path)
    for path in tmp_path.rglob("*.parquet"):
        frame = pd.read_parquet(path)
        frame.assign(close=frame["close"] + 0.01).to_parquet(path, index=False)
    left = rows(engine)

    with pytest.raises(DataError, match="checksum differs"):
        bring_back(engine)

    assert rows(engine) == left
    assert len(planted) > len(left)


def test_a_file_that_is_gone_or_cut_is_said_so(engine: Engine, planted: pd.DataFrame, tmp_path: Path) -> None:
    move(engine, tmp_path)
    path = next(tmp_path.rglob("year=2011/*.parquet"))
    content = path.read_bytes()

    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match="the archive cannot be read"):
        everything(engine)
    path.unlink()
    with pytest.raises(DataError, match="the archive cannot be read"):
        everything(engine)
    path.write_bytes(content)
    pd.testing.assert_frame_equal(everything(engine), planted)


def test_an_archive_can_be_at_any_fsspec_address(engine: Engine, planted: pd.DataFrame) -> None:
    with engine.connect() as connection:
        due = archiving.due(connection, timeframe="1Day", cutoff=CUTOFF)
    for start, end in due:
        with engine.begin() as connection:
            archiving.archive(
                connection, timeframe="1Day", start=start, end=end, target="memory://bars", flow_run_id=None
            )

    pd.testing.assert_frame_equal(everything(engine), planted)
    bring_back(engine)
    assert rows(engine, COUNT)[0][0] == len(planted)
