"""Periods of bars out of the table into a file, and back; the caller's transaction decides whether it happened.

Killed at any point, a period is either in the table or in a file that the manifest names: the file is whole
and checked before the manifest row is written, and that row and the removal of the bars commit together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from db import archive_files, partitions
from db.arrow import snapshot
from db.repositories import archives
from db.repositories import bars as bars_repository

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from typing import Any
    from uuid import UUID

    import pyarrow as pa
    from sqlalchemy import Connection, Row

    from db.archive_files import Written
    from db.arrow import Snapshot


@dataclass(frozen=True, slots=True)
class Archived:
    """A period that is in a file once the transaction commits; `superseded` is then a file nobody needs."""

    start: datetime
    end: datetime
    file: Written
    superseded: str | None


def due(connection: Connection, *, timeframe: str, cutoff: datetime) -> list[tuple[datetime, datetime]]:
    """Return the whole periods (start, end) before `cutoff` (UTC), from the oldest stored bar on."""
    oldest = bars_repository.oldest(connection, timeframe=timeframe)
    found = []
    start = partitions.start_of(timeframe, oldest) if oldest else cutoff
    while (end := partitions.end_of(timeframe, start)) <= cutoff:
        found.append((start, end))
        start = end
    return found


def archive(
    connection: Connection, *, timeframe: str, start: datetime, end: datetime, target: str, flow_run_id: UUID | None
) -> Archived | None:
    """Move the bars of one period under the folder or fsspec address `target`; None when there are none.

    One period per transaction: its removal keeps every reader out until the commit, this one included. Nobody
    can write to the period meanwhile. Bars of it that were archived before stay archived: the new
    file has both, and of a bar that both have, the table's.

    Raises
    ------
    DataError
        The file does not read back as it was written; the bars stay in the table.
    """
    if not archives.hold(connection, timeframe=timeframe, start=start):
        return None
    earlier = archives.covering(connection, timeframe=timeframe, start=start, end=end)
    with snapshot(connection) as found:
        stored = _stored(found, timeframe, start, end)
        tables = stored if earlier is None else _merged(earlier.path, stored)
        file = archive_files.write(tables, _folder(target, timeframe, start))
    if file is not None:
        previous = archives.previous(connection, timeframe=timeframe, start=start, end=end)
        entry = {"timeframe": timeframe, "range_start": start, "range_end": end, "status": "archived"}
        entry |= {"path": file.path, "bars": file.bars, "sha256": file.sha256, "flow_run_id": flow_run_id}
        archives.record(connection, entry)
    archives.leave(connection, timeframe=timeframe, start=start)
    if file is None:
        return None
    return Archived(start, end, file, previous if previous != file.path else None)


def restore(connection: Connection, entry: Row[Any]) -> int:
    """Bring the bars of a manifest row back into the table, where they are not already; return how many came.

    Raises
    ------
    DataError
        The file does not hold what the manifest row says.
    """
    archive_files.verify(entry.path, bars=entry.bars, sha256=entry.sha256)
    restored = sum(
        bars_repository.put_back(connection, group.to_pandas(), timeframe=entry.timeframe)
        for group in archive_files.groups(entry.path)
    )
    archives.set_status(connection, entry.id, "restored")
    return restored


def _folder(target: str, timeframe: str, start: datetime) -> str:
    month = "" if timeframe == partitions.DAILY else f"/month={start:%m}"
    return f"{target.rstrip('/')}/timeframe={timeframe}/year={start:%Y}{month}"


def _stored(found: Snapshot, timeframe: str, start: datetime, end: datetime) -> Iterator[pa.Table]:
    batches = archives.bars(found, timeframe=timeframe, start=start, end=end)
    return (archive_files.dollars(batch) for batch in batches if len(batch))


def _merged(path: str, stored: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """Yield the bars of an earlier file and of the table as one table, by symbol and time."""
    import pandas as pd
    import pyarrow as pa

    frames = [table.to_pandas() for table in (*archive_files.groups(path), *stored)]
    both = pd.concat(frames).drop_duplicates(["symbol", "ts"], keep="last").sort_values(["symbol", "ts"])
    yield pa.Table.from_pandas(both, schema=archive_files.schema(), preserve_index=False)
