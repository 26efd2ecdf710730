"""Importing: the bars of files into the table, batch by batch, under one ingestion run."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from db.repositories import assets, ingestion
from db.repositories import bars as bars_repository
from tasks.data_ingestion.files import levels
from tasks.data_ingestion.files.bad_rows import BadRows
from tasks.data_ingestion.files.batches import COLUMNS, read_bars
from trading.calendar import bar_timestamp
from trading.errors import DataError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from uuid import UUID

    import pandas as pd
    from sqlalchemy import Engine

    from tasks.data_ingestion.files.batches import Batch
    from tasks.data_ingestion.files.file_format import FileFormat
    from tasks.data_ingestion.files.places import Format
    from trading.bars import Timeframe
    from trading.quality import Contradiction

    Progress = Callable[[float, int], None]

ROWS = 200_000
"""Small files are written together until there are as many bars."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of a file: `symbols` None is all; `start` and `end` are sessions, both included, None is open.

    `trusted` symbols are taken at the level that the file has, whatever is stored.
    """

    path: str
    timeframe: Timeframe
    source: Format | None = None
    symbols: Sequence[str] | None = None
    start: date | None = None
    end: date | None = None
    trusted: Sequence[str] = ()


@dataclass(slots=True)
class Imported:
    """What an import has done so far.

    Attributes
    ----------
    run
        Id of the ingestion run, once there was something to write.
    source
        Format of the first file.
    present
        Every symbol in the files, wanted or not.
    symbols
        The symbols written.
    columns
        Field to the column it was read from, in the first file.
    renamed
        Symbols as written with an exchange, and as taken.
    rows, bars, written, repeated
        Rows read; bars of them that were wanted; bars that were new or different; rows that say again what one says.
    first, last
        Range of the bars (UTC).
    refused
        The symbols left out because their level is not the stored one.
    """

    run: int | None = None
    source: Format | None = None
    files: set[str] = field(default_factory=set)
    present: set[str] = field(default_factory=set)
    symbols: set[str] = field(default_factory=set)
    columns: dict[str, str] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)
    rows: int = 0
    bars: int = 0
    written: int = 0
    repeated: int = 0
    first: datetime | None = None
    last: datetime | None = None
    refused: tuple[Contradiction, ...] = ()


def import_files(
    engine: Engine,
    wanted: Wanted,
    *,
    form: FileFormat,
    bad: BadRows,
    flow_run_id: UUID | None = None,
    progress: Progress | None = None,
) -> Imported:
    """Write the bars of a file, folder or URL; each batch is committed, so that what is killed goes on where it was.

    Importing again writes only what is new or different. `progress` gets the share read (0 .. 1) and the bars so far.
    Where bars or splits are stored, the files are read once before: symbols on another level are left out.

    Raises
    ------
    DataError
        Nothing can be read, nothing is in the range asked for, or every symbol is on another level.
    UnknownNameError
        None of the symbols asked for is in the files, or a column is not.
    """
    done = Imported(refused=_refused(engine, wanted, form))
    batches = read_bars(wanted.path, source=wanted.source, timeframe=wanted.timeframe, form=form, bad=bad)
    try:
        for group in _grouped(_noted(batches, done)):
            frame = _chosen(_distinct(group, bad, done), wanted, done)
            source = group[0].format
            _write(engine, wanted, done, frame, source=source, form=form, flow_run_id=flow_run_id)
            if progress is not None:
                progress(group[-1].done, done.bars)
    except BaseException:
        _close(engine, done, "failed")
        raise
    _close(engine, done, "completed")
    if done.bars == 0:
        raise _nothing(wanted, done, bad)
    return done


def _refused(engine: Engine, wanted: Wanted, form: FileFormat) -> tuple[Contradiction, ...]:
    """Read the files before anything is written, and compare what they bring with what is stored."""
    with engine.connect() as connection:
        if not levels.comparable(connection, wanted.timeframe):
            return ()
    check, seen, unread = levels.Levels(engine, wanted.timeframe), Imported(), BadRows()
    for group in _grouped(
        read_bars(wanted.path, source=wanted.source, timeframe=wanted.timeframe, form=form, bad=unread)
    ):
        frame = _chosen(_distinct(group, unread, seen), wanted, seen)
        frame = frame[~frame["symbol"].isin(list(wanted.trusted))]
        check.look(levels.as_traded(engine, frame, form.adjusted_as_of))
    return check.refused()


def _noted(batches: Iterator[Batch], done: Imported) -> Iterator[Batch]:
    for batch in batches:
        done.files.add(batch.path)
        done.rows += batch.read
        done.renamed |= batch.renamed
        done.source = done.source or batch.format
        done.columns = done.columns or dict(batch.columns.names)
        yield batch


def _grouped(batches: Iterator[Batch]) -> Iterator[list[Batch]]:
    """Yield batches of one format together until they hold `ROWS` bars."""
    group: list[Batch] = []
    for batch in batches:
        if group and (batch.format != group[0].format or sum(len(each.frame) for each in group) >= ROWS):
            yield group
            group = []
        group.append(batch)
    if group:
        yield group


def _write(
    engine: Engine,
    wanted: Wanted,
    done: Imported,
    frame: pd.DataFrame,
    *,
    source: Format,
    form: FileFormat,
    flow_run_id: UUID | None,
) -> None:
    frame = frame[~frame["symbol"].isin([one.symbol for one in done.refused])] if done.refused else frame
    if frame.empty:
        return
    frame = levels.as_traded(engine, frame, form.adjusted_as_of)
    with engine.begin() as connection:
        if done.run is None:
            done.run = ingestion.begin(
                connection,
                source=source,
                timeframe=wanted.timeframe,
                symbols=list(wanted.symbols or ()),
                flow_run_id=flow_run_id,
            )
        assets.record_imported(connection, frame["symbol"].unique())
        written = sum(
            bars_repository.write(connection, part, timeframe=wanted.timeframe, source=source, run=done.run)
            for part in _fresh_apart(frame, done.symbols)
        )
    first, last = frame["ts"].min().to_pydatetime(), frame["ts"].max().to_pydatetime()
    done.first, done.last = min(first, done.first or first), max(last, done.last or last)
    done.symbols |= set(frame["symbol"].unique())
    done.bars, done.written = done.bars + len(frame), done.written + written


def _fresh_apart(frame: pd.DataFrame, begun: set[str]) -> list[pd.DataFrame]:
    """Keep symbols that begin in this batch apart from those that go on: nothing of theirs can collide."""
    known = frame["symbol"].isin(begun)
    return [part for part in (frame[known], frame[~known]) if len(part)]


def _distinct(group: list[Batch], bad: BadRows, done: Imported) -> pd.DataFrame:
    """Join batches; of several rows for one bar the last counts, as it would in the table, and the others are told."""
    import pandas as pd

    frame = pd.concat([batch.frame for batch in group], ignore_index=True) if len(group) > 1 else group[0].frame
    earlier = frame.duplicated(["symbol", "ts"], keep="last").to_numpy()
    if not earlier.any():
        return frame
    same = earlier & frame.duplicated(COLUMNS, keep="last").to_numpy()
    done.repeated += int(same.sum())
    begin = 0
    for batch in group:
        rows = np.flatnonzero((earlier & ~same)[begin : begin + len(batch.frame)])
        bad.add(batch.path, batch.lines[rows], lambda _: "a later row has other figures for the same bar, and counts")
        begin += len(batch.frame)
    return frame[~earlier]


def _chosen(frame: pd.DataFrame, wanted: Wanted, done: Imported) -> pd.DataFrame:
    done.present |= set(frame["symbol"].unique())
    if wanted.symbols is not None:
        frame = frame[frame["symbol"].isin(list(wanted.symbols))]
    if wanted.start is not None:
        frame = frame[frame["ts"] >= bar_timestamp(wanted.start)]
    if wanted.end is not None:
        frame = frame[frame["ts"] < bar_timestamp(wanted.end + timedelta(days=1))]
    return frame


def _close(engine: Engine, done: Imported, status: str) -> None:
    if done.run is None:
        return
    with engine.begin() as connection:
        ingestion.finish(
            connection,
            done.run,
            status=status,
            symbols=sorted(done.symbols),
            range_start=done.first,
            range_end=done.last,
            bars_received=done.bars,
            bars_written=done.written,
        )


def _nothing(wanted: Wanted, done: Imported, bad: BadRows) -> DataError | UnknownNameError:
    absent = [symbol for symbol in wanted.symbols or () if symbol not in done.present]
    if done.refused:
        more = f"; {len(done.refused) - 1} more symbols are refused too" if len(done.refused) > 1 else ""
        return DataError(
            f"{wanted.path}: nothing imported: {levels.sentence(done.refused[0])}{more}. {levels.WHAT_TO_DO}"
        )
    if not done.present:
        first = f": {bad.first[0]}" if bad.first else ""
        return DataError(f"{wanted.path}: no bar in {max(done.rows, bad.total)} rows{first}")
    if wanted.symbols and len(absent) == len(wanted.symbols):
        return UnknownNameError(f"symbol in {wanted.path}", absent[0], done.present)
    return DataError(f"{wanted.path}: no bars from {wanted.start or 'the first'} to {wanted.end or 'the last'} session")
