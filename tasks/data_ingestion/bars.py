"""Importing: bars from files."""

from __future__ import annotations

from datetime import UTC, date, timedelta
from typing import TYPE_CHECKING, Literal

from prefect import task

from db.repositories import bars as bars_repository
from db.repositories import ingestion
from tasks.market_data import read_file
from tasks.policies import REPEATABLE
from tasks.resources import database, flow_run_id
from trading.calendar import bar_timestamp
from trading.errors import DataError, UnknownNameError
from trading.report import Report

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

Source = Literal["broker", "csv", "parquet"]


@task(**REPEATABLE)
def import_bars(
    path: str,
    *,
    source: Source,
    symbols: Sequence[str] | None,
    timeframe: str,
    start: date | None,
    end: date | None,
) -> tuple[Report, int]:
    """Import bars from a CSV or Parquet file.

    Raises
    ------
    DataError
        The file cannot be read or has nothing of what was asked for.
    UnknownNameError
        A symbol is not in the file.
    """
    frame = read_file(path, source=source)
    present = sorted(frame["symbol"].unique())
    for symbol in symbols or ():
        if symbol not in present:
            raise UnknownNameError(f"symbol in {path}", symbol, present)
    chosen = frame[frame["symbol"].isin(symbols or present)]
    if start:
        chosen = chosen[chosen["ts"] >= bar_timestamp(start)]
    if end:
        chosen = chosen[chosen["ts"] < bar_timestamp(end) + timedelta(days=1)]
    if chosen.empty:
        raise DataError(f"{path}: no bars in the range asked for; the file has {_span(frame)}")
    with database().begin() as connection:
        run = ingestion.begin(
            connection,
            source=source,
            timeframe=timeframe,
            symbols=sorted(chosen["symbol"].unique()),
            flow_run_id=flow_run_id(),
        )
        written = bars_repository.write(connection, chosen, timeframe=timeframe, source=source, run=run)
    times = chosen["ts"].min().to_pydatetime(), chosen["ts"].max().to_pydatetime()
    with database().begin() as connection:
        ingestion.finish(
            connection,
            run,
            status="completed",
            range_start=times[0],
            range_end=times[1],
            bars_received=len(chosen),
            bars_written=written,
        )
    figures = {
        "file": path,
        "symbols": chosen["symbol"].nunique(),
        "bars": len(chosen),
        "new or changed": written,
    }
    return Report(f"{timeframe} bars imported", figures), written


def _span(frame: pd.DataFrame) -> str:
    if frame.empty:
        return "no rows"
    first, last = frame["ts"].min(), frame["ts"].max()
    return f"{first.astimezone(UTC):%Y-%m-%d} to {last.astimezone(UTC):%Y-%m-%d}"
