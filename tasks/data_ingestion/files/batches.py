"""From files to batches of bars: the good rows as a frame, the bad ones recorded with their lines."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tasks.data_ingestion.files import csv_rows, parquet_rows, places
from tasks.data_ingestion.files.file_format import SYMBOL
from tasks.data_ingestion.files.numbers import floats
from tasks.data_ingestion.files.times import Clock
from trading.errors import TradingError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from tasks.data_ingestion.files.bad_rows import BadRows
    from tasks.data_ingestion.files.columns import Columns
    from tasks.data_ingestion.files.file_format import FileFormat
    from tasks.data_ingestion.files.places import Format, Place
    from tasks.data_ingestion.files.raw_rows import RawRows
    from tasks.data_ingestion.files.times import Problem

COLUMNS = ["symbol", "ts", "open", "high", "low", "close", "volume"]
FIGURES = ("open", "high", "low", "close", "volume")
LIMIT = 1e12
"""Prices from here on do not fit the table (18 digits, 6 of them decimals)."""
MOST_SHARES = float(2**62)
EXCHANGE = re.compile(r"^(?:NYSE|NASDAQ|NYSEARCA|NYSEAMERICAN|NYSEMKT|AMEX|ARCA|BATS|CBOE|IEX|XNYS|XNAS)\s*:\s*")
"""An exchange before the symbol, as Google and TradingView write it."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Good rows of one file.

    Attributes
    ----------
    frame
        `COLUMNS`; ts in UTC (nanoseconds), figures float64, NaN where the file has none.
    lines
        (R,) where each row stands in the file.
    path
        The file.
    format
        csv or parquet.
    columns
        Which column was taken for what.
    read
        Rows of the file behind this batch, bad ones included, blank lines not.
    done
        Share of all the bytes asked for that is read, 0 .. 1.
    renamed
        Symbols that were written with an exchange before them: as written, as taken.
    """

    frame: pd.DataFrame
    lines: NDArray[np.int64]
    path: str
    format: Format
    columns: Columns
    read: int
    done: float
    renamed: Mapping[str, str]


def read_bars(path: str, *, source: Format | None, timeframe: str, form: FileFormat, bad: BadRows) -> Iterator[Batch]:
    """Yield the bars of a file, a folder or an fsspec URL, some 250,000 at a time.

    A folder is read file by file in order of name; one that cannot be read is recorded in `bad`, the others are
    read on. Memory grows with the batch, not with the file.

    Raises
    ------
    DataError, UnknownNameError
        Nothing is there, or the only file cannot be read as bars.
    """
    found = places.find(path, source=source)
    total, before = places.total_size(found), 0
    for place in found:
        try:
            for batch in _rows(place, form, bad, timeframe):
                done = (before + batch.done * place.size) / total if total else 1.0
                yield replace(batch, done=done)
        except TradingError as error:
            if len(found) == 1:
                raise
            bad.add_file(place.path, str(error).removeprefix(f"{place.path}: "))
        before += place.size


def _rows(place: Place, form: FileFormat, bad: BadRows, timeframe: str) -> Iterator[Batch]:
    clock = Clock(place.path, timeframe=timeframe, zone=form.timezone, day_first=form.day_first)
    rows = csv_rows.read(place, form, bad) if place.format == "csv" else parquet_rows.read(place, form)
    for raw in rows:
        yield _batch(raw, clock, place, bad)


def _batch(raw: RawRows, clock: Clock, place: Place, bad: BadRows) -> Batch:
    import pandas as pd

    stamps, problems = clock.read(raw.arrays["ts"], raw.arrays.get("clock"))
    symbols, unnamed, renamed = _symbols(raw)
    problems = [unnamed, *problems]
    figures: dict[str, NDArray[np.float64]] = {}
    for field in FIGURES:
        figures[field], found = _figure(raw, field)
        problems += found
    blank = csv_rows.blank(raw) if place.format == "csv" else np.zeros(len(raw.lines), dtype=bool)
    wrong = np.logical_or.reduce([mask for mask, _ in problems]) & ~blank
    rows = np.flatnonzero(wrong)
    bad.add(place.path, raw.lines[rows], lambda position: _reason(problems, int(rows[position])))
    good = ~wrong & ~blank
    frame = pd.DataFrame(
        {"symbol": symbols[good], "ts": pd.DatetimeIndex(stamps[good], tz="UTC")}
        | {field: values[good] for field, values in figures.items()}
    )
    read = len(raw.lines) - int(blank.sum()) + raw.torn
    return Batch(frame, raw.lines[good], place.path, place.format, raw.columns, read, raw.done, renamed)


def _reason(problems: list[Problem], row: int) -> str:
    return next(describe(row) for mask, describe in problems if mask[row])


def _symbols(raw: RawRows) -> tuple[NDArray[np.object_], Problem, dict[str, str]]:
    """Return (R,) symbols in capitals without blanks and exchange, which rows have none, and which were renamed."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if "symbol" not in raw.arrays:
        named = np.full(len(raw.lines), raw.columns.symbol, dtype=object)
        return named, (np.zeros(len(named), dtype=bool), str), {}
    array: Any = pc.cast(raw.arrays["symbol"], pa.string())
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    coded = pc.fill_null(array, "").dictionary_encode()
    written = [str(name) for name in coded.dictionary.to_pylist()]
    plain = [name.strip().strip('"').strip().upper() for name in written]
    clean = [EXCHANGE.sub("", name) for name in plain]
    fits = np.array([re.match(SYMBOL, name) is not None for name in clean], dtype=bool)
    codes = np.asarray(coded.indices)
    renamed = {before: after for before, after in zip(plain, clean, strict=True) if before != after}
    unnamed = (~fits[codes], lambda row: f"{written[codes[row]]!r} is not a symbol")
    return np.array(clean, dtype=object)[codes], unnamed, renamed


def _figure(raw: RawRows, field: str) -> tuple[NDArray[np.float64], list[Problem]]:
    array = raw.arrays[field]
    values, unreadable = floats(array, decimal=raw.decimal)
    limit = MOST_SHARES if field == "volume" else LIMIT
    too_large = np.isinf(values) | (np.abs(values) >= limit)
    return values, [
        (unreadable, lambda row: f"{field} {array[row].as_py()!r} is not a number"),
        (too_large, lambda row: f"{field} {values[row]:g} is too large to be stored"),
    ]
