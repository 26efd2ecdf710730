"""Archived bars as Parquet files, under any fsspec address: written, read back, and read by symbol and time."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from db.models.base import MICRO
from trading.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    import pyarrow as pa

PRICES = ("open", "high", "low", "close")
TEXTS = ("symbol", "quality", "source")
COLUMNS = ("symbol", "ts", *PRICES, "volume", "quality", "source", "ingestion_run_id")
ROWS_A_GROUP = 100_000
"""Rows that are written, hashed and read at once: what an archive run needs of memory."""


@dataclass(frozen=True, slots=True)
class Written:
    """A file that was read back and holds what was written."""

    path: str
    bars: int
    sha256: str


def schema() -> pa.Schema:
    """Return the columns of an archive: prices in USD and volumes as float64, `ts` in UTC."""
    import pyarrow as pa

    kinds = dict.fromkeys(COLUMNS, pa.float64()) | dict.fromkeys(TEXTS, pa.string())
    kinds |= {"ts": pa.timestamp("us", tz="UTC"), "ingestion_run_id": pa.int64()}
    return pa.schema([(name, kinds[name]) for name in COLUMNS])


def dollars(batch: pa.RecordBatch) -> pa.Table:
    """Return stored bars, whose prices are millionths, in the columns of an archive."""
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = {name: batch.column(name) for name in COLUMNS}
    for name in PRICES:
        columns[name] = pc.divide(columns[name].cast(pa.float64()), float(MICRO))
    return pa.table(columns).cast(schema())


def write(tables: Iterable[pa.Table], folder: str) -> Written | None:
    """Write bars in order to a file in `folder` and read it back; None when there are none.

    The file gets its name when it is whole and checked; one left over by a run that was killed is never
    listed anywhere.

    Raises
    ------
    DataError
        What was read back is not what was written; no file is left.
    """
    import fsspec
    import pyarrow.parquet as pq

    system, place = fsspec.core.url_to_fs(folder)
    system.makedirs(place, exist_ok=True)
    partial = f"{place}/{uuid4().hex}.partial"
    digest, bars = hashlib.sha256(), 0
    try:
        with (
            system.open(partial, "wb") as file,
            pq.ParquetWriter(file, schema(), compression="zstd", write_statistics=True) as writer,
        ):
            for group in _groups(tables):
                writer.write_table(group, row_group_size=ROWS_A_GROUP)
                digest.update(_digest(group))
                bars += len(group)
        if not bars:
            return None
        _verify(system, partial, bars=bars, sha256=digest.hexdigest())
        name = f"bars-{digest.hexdigest()[:16]}.parquet"
        system.mv(partial, f"{place}/{name}")
    finally:
        with suppress(FileNotFoundError):
            system.rm(partial)
    return Written(f"{folder}/{name}", bars, digest.hexdigest())


def verify(path: str, *, bars: int, sha256: str) -> None:
    """Raise DataError unless a file holds what its manifest row says; without a checksum the count has to do."""
    import fsspec

    try:
        system, location = fsspec.core.url_to_fs(path)
        _verify(system, location, bars=bars, sha256=sha256)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: the archive cannot be read: {str(error).splitlines()[0]}") from None


def groups(path: str) -> Iterator[pa.Table]:
    """Yield every bar of a file in its own order, in pieces."""
    import fsspec

    system, location = fsspec.core.url_to_fs(path)
    yield from _row_groups(system, location)


def read(
    path: str,
    symbols: Sequence[str] | None,
    *,
    start: datetime | None,
    end: datetime | None,
    columns: Sequence[str] = COLUMNS,
) -> pa.Table:
    """Return the bars of `symbols` (None: of all) with `start` <= ts <= `end` (UTC)."""
    import fsspec
    import pyarrow as pa
    import pyarrow.parquet as pq

    moment = pa.timestamp("us", tz="UTC")
    filters: list[tuple[str, str, Any]] = [("symbol", "in", list(symbols))] if symbols is not None else []
    filters += [("ts", ">=", pa.scalar(start, moment))] if start is not None else []
    filters += [("ts", "<=", pa.scalar(end, moment))] if end is not None else []
    system, location = fsspec.core.url_to_fs(path)
    try:
        table = pq.read_table(
            location, filesystem=system, columns=list(columns), filters=filters or None, partitioning=None
        )
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: the archive cannot be read: {str(error).splitlines()[0]}") from None
    return table.cast(pa.schema([schema().field(name) for name in columns]))


def remove(path: str) -> None:
    """Delete a file that no manifest row names any more."""
    import fsspec

    system, location = fsspec.core.url_to_fs(path)
    with suppress(FileNotFoundError):
        system.rm(location)


def _groups(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Yield the rows of tables in pieces of exactly `ROWS_A_GROUP`, the last one shorter."""
    import pyarrow as pa

    waiting: list[pa.Table] = []
    for table in tables:
        waiting.append(table)
        if sum(map(len, waiting)) >= ROWS_A_GROUP:
            joined = pa.concat_tables(waiting)
            whole = len(joined) // ROWS_A_GROUP * ROWS_A_GROUP
            yield from (joined.slice(begin, ROWS_A_GROUP) for begin in range(0, whole, ROWS_A_GROUP))
            waiting = [joined.slice(whole)]
    if rest := sum(map(len, waiting)):
        yield pa.concat_tables(waiting).slice(0, rest)


def _verify(system: Any, location: str, *, bars: int, sha256: str) -> None:
    digest, found = hashlib.sha256(), 0
    for group in _row_groups(system, location):
        digest.update(_digest(group))
        found += len(group)
    if found != bars:
        raise DataError(f"{location}: holds {found} bars, not {bars}; the table keeps its bars")
    if sha256 and digest.hexdigest() != sha256:
        raise DataError(f"{location}: not what was archived (checksum differs); restore it from a backup")


def _row_groups(system: Any, location: str) -> Iterator[pa.Table]:
    import pyarrow.parquet as pq

    with system.open(location, "rb") as file, pq.ParquetFile(file) as source:
        for number in range(source.num_row_groups):
            yield source.read_row_group(number, columns=list(COLUMNS)).cast(schema())


def _digest(table: pa.Table) -> bytes:
    """Return the SHA-256 of the rows of a table, whatever they are chunked or encoded like."""
    import numpy as np
    import pyarrow as pa

    digest = hashlib.sha256()
    for name in COLUMNS:
        column = table.column(name).combine_chunks()
        if name in TEXTS:
            coded = column.dictionary_encode()
            digest.update("\0".join(coded.dictionary.to_pylist()).encode())
            column = coded.indices
        elif name == "ts":
            column = column.cast(pa.int64())
        digest.update(np.ascontiguousarray(column.to_numpy(zero_copy_only=False)).tobytes())
    return digest.digest()
