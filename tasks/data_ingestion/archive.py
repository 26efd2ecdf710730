"""Old bars out of the table into Parquet files, and back; no bar is lost or doubled whenever it is killed."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from prefect import task

from db.repositories import archives
from db.repositories import bars as bars_repository
from tasks.policies import REPEATABLE
from tasks.resources import broker, database, flow_run_id
from trading.calendar import bar_timestamp
from trading.config import settings
from trading.errors import DataError
from trading.report import Report

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    import pandas as pd
    from sqlalchemy import Row

PRICES = ("open", "high", "low", "close")


def default_target() -> str:
    """Return where files go without a target: `archive` in the state directory."""
    return str(settings().home / "archive")


@task(**REPEATABLE)
def archive_bars(*, timeframe: str, older_than: int, target: str | None) -> Report:
    """Move whole periods of bars (years of daily ones, months of others) older than `older_than` days to files."""
    cutoff = broker().clock().now - timedelta(days=older_than)
    where = (target or default_target()).rstrip("/")
    rows = [
        row for start, end in _periods(timeframe, cutoff) if (row := _archive(timeframe, start, end, where)) is not None
    ]
    figures = {"files": len(rows), "bars moved": sum(row["bars"] for row in rows), "older than": cutoff}
    return Report(f"{timeframe} bars archived", figures, rows)


def _periods(timeframe: str, cutoff: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield the whole periods before `cutoff`, from the oldest bar on."""
    with database().connect() as connection:
        oldest = bars_repository.oldest(connection, timeframe=timeframe)
    if oldest is None:
        return
    monthly = timeframe != "1Day"
    start = datetime(oldest.year, oldest.month if monthly else 1, 1, tzinfo=UTC)
    while (end := _after(start, monthly=monthly)) <= cutoff:
        yield start, end
        start = end


def _after(start: datetime, *, monthly: bool) -> datetime:
    if not monthly or start.month == 12:  # noqa: PLR2004 - December
        return datetime(start.year + 1, 1, 1, tzinfo=UTC)
    return datetime(start.year, start.month + 1, 1, tzinfo=UTC)


def _archive(timeframe: str, start: datetime, end: datetime, target: str) -> dict[str, Any] | None:
    import pandas as pd

    path = f"{target}/{timeframe}/{start:%Y}/{start:%Y-%m}.parquet"
    with database().begin() as connection:
        taken = bars_repository.take(connection, timeframe=timeframe, start=start, end=end)
        if taken.empty:
            return None
        earlier = archives.covering(connection, timeframe=timeframe, start=start, end=end)
        if earlier is not None:
            taken = pd.concat([pd.read_parquet(earlier.path), _floats(taken)]).drop_duplicates(
                ["symbol", "ts"], keep="last"
            )
        frame = _floats(taken).sort_values(["symbol", "ts"], ignore_index=True)
        _write(frame, path)
        if fingerprint(pd.read_parquet(path)) != fingerprint(frame):
            raise DataError(f"{path}: what was read back is not what was written; the bars stay in the table")
        entry = {
            "timeframe": timeframe,
            "range_start": start,
            "range_end": end,
            "path": path,
            "bars": len(frame),
            "sha256": fingerprint(frame),
            "status": "archived",
            "flow_run_id": flow_run_id(),
        }
        archives.record(connection, entry)
        bars_repository.drop(connection, timeframe=timeframe, start=start, end=end)
    return {"from": start, "to": end, "bars": len(frame), "file": path}


def _floats(frame: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    times = pd.to_datetime(frame["ts"], utc=True).astype("datetime64[ns, UTC]")
    return frame.assign(ts=times).astype(dict.fromkeys((*PRICES, "volume"), "float64"))


def _write(frame: pd.DataFrame, path: str) -> None:
    import fsspec

    system, location = fsspec.core.url_to_fs(path)
    system.makedirs(system._parent(location), exist_ok=True)  # noqa: SLF001 - fsspec's own way to a parent
    partial = f"{location}.partial"
    with system.open(partial, "wb") as file:
        frame.to_parquet(file, index=False, compression="zstd")
    system.mv(partial, location)


def fingerprint(frame: pd.DataFrame) -> str:
    """Return the SHA-256 of a frame's bars, whatever file they came from."""
    canonical = frame.sort_values(["symbol", "ts"]).to_csv(index=False, date_format="%Y-%m-%dT%H:%M:%S%z")
    return hashlib.sha256(canonical.encode()).hexdigest()


@task(**REPEATABLE)
def restore_bars(*, timeframe: str, start: date, end: date) -> Report:
    """Bring the archives that hold sessions of `start` .. `end` back into the table; their files stay.

    Raises
    ------
    DataError
        A file does not hold what its manifest row says; nothing is restored.
    """
    with database().connect() as connection:
        listed = [
            entry
            for entry in archives.listed(connection, timeframe=timeframe)
            if entry.range_end > bar_timestamp(start) and entry.range_start <= bar_timestamp(end)
        ]
    for entry in listed:
        _verified(entry)
    rows = []
    for entry in listed:
        frame = _verified(entry)
        with database().begin() as connection:
            bars_repository.put_back(connection, frame, timeframe=timeframe)
            archives.set_status(connection, entry.id, "restored")
        rows.append({"from": entry.range_start, "to": entry.range_end, "bars": len(frame), "file": entry.path})
    return Report(f"{timeframe} bars restored", {"files": len(rows), "bars": sum(r["bars"] for r in rows)}, rows)


def _verified(entry: Row[Any]) -> pd.DataFrame:
    import pandas as pd

    try:
        frame = pd.read_parquet(entry.path)
    except (OSError, ValueError) as error:
        raise DataError(f"{entry.path}: the archive cannot be read: {str(error).splitlines()[0]}") from None
    if fingerprint(frame) != entry.sha256:
        raise DataError(f"{entry.path}: not what was archived (checksum differs); restore it from a backup")
    return frame
