"""Fetching: which bars should exist, which are missing, and bringing them in."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, timedelta
from itertools import batched
from typing import TYPE_CHECKING, Any, Literal

from prefect import task

from db.repositories import bars as bars_repository
from db.repositories import ingestion
from tasks.policies import REPEATABLE
from tasks.resources import broker, database, flow_run_id, market_data
from trading.calendar import bar_timestamp, completed_bars, missing_ranges
from trading.report import Report

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

Source = Literal["broker", "csv", "parquet"]
SYMBOLS_A_REQUEST = 100
HISTORY = timedelta(days=3650)
"""How far back a symbol without bars is filled."""


@task(**REPEATABLE)
def fetch_bars(symbols: Sequence[str], *, timeframe: str, start: date | None, end: date | None) -> tuple[Report, int]:
    """Fetch the bars that should exist and are not stored, with the corporate actions of the time.

    Returns
    -------
    The report, and how many bars were written.
    """
    now = broker().clock().now
    last = min(now, bar_timestamp(end) + timedelta(days=1)) if end else now
    missing = _missing(symbols, timeframe=timeframe, start=start, now=last)
    if not missing:
        return Report(f"{timeframe} bars are complete", {"symbols": len(symbols), "bars written": 0}), 0
    with database().begin() as connection:
        run = ingestion.begin(
            connection, source="broker", timeframe=timeframe, symbols=symbols, flow_run_id=flow_run_id()
        )
    written, received, rows = 0, 0, []
    for (first, until), wanted in sorted(missing.items()):
        for batch in batched(wanted, SYMBOLS_A_REQUEST):
            frame = market_data().bars(batch, timeframe=timeframe, start=first, end=until)
            frame = _complete(frame, timeframe=timeframe, now=now)
            with database().begin() as connection:
                fresh = bars_repository.write(connection, frame, timeframe=timeframe, source="broker", run=run)
            received, written = received + len(frame), written + fresh
            rows.append({"symbols": ", ".join(batch), "from": first, "to": until, "bars": len(frame), "new": fresh})
    first, until = min(first for first, _ in missing), max(until for _, until in missing)
    actions = _actions(symbols, start=first, end=until, run=run)
    _finish(run, first, until, received=received, written=written, actions=actions)
    figures = {"symbols": len(symbols), "bars written": written, "corporate actions": actions}
    return Report(f"{timeframe} bars fetched", figures, rows), written


def _missing(
    symbols: Sequence[str], *, timeframe: str, start: date | None, now: datetime
) -> dict[tuple[datetime, datetime], list[str]]:
    """Return the ranges to fetch, each with the symbols that lack bars in it."""
    with database().connect() as connection:
        if start is None:
            newest = bars_repository.latest(connection, symbols, timeframe=timeframe)
            stored: dict[str, Any] = {}
        else:
            newest = {}
            stored = bars_repository.stored(connection, symbols, timeframe=timeframe)
    wanted: dict[tuple[datetime, datetime], list[str]] = defaultdict(list)
    for symbol in symbols:
        begin = bar_timestamp(start) if start else newest.get(symbol, now - HISTORY) + timedelta(microseconds=1)
        expected = completed_bars(timeframe, begin, now)
        gaps = missing_ranges(expected, stored.get(symbol, expected[:0]))
        for gap in gaps:
            wanted[gap].append(symbol)
    return wanted


def _complete(frame: pd.DataFrame, *, timeframe: str, now: datetime) -> pd.DataFrame:
    """Drop the bar that is still forming."""
    if frame.empty:
        return frame
    done = completed_bars(timeframe, frame["ts"].min().to_pydatetime(), now)
    return frame[(frame["ts"] <= done[-1]) if len(done) else frame["ts"].isna()]


def _actions(symbols: Sequence[str], *, start: datetime, end: datetime, run: int) -> int:
    """Store the corporate actions around the fetched range, those that are known of the coming days included."""
    rows = [
        {**action, "ingestion_run_id": run}
        for batch in batched(symbols, SYMBOLS_A_REQUEST)
        for action in market_data().corporate_actions(batch, start=start.date(), end=(end + timedelta(days=7)).date())
    ]
    with database().begin() as connection:
        return ingestion.record_actions(connection, rows)


def _finish(run: int, start: datetime, end: datetime, *, received: int, written: int, actions: int) -> None:
    with database().begin() as connection:
        ingestion.finish(
            connection,
            run,
            status="completed",
            range_start=start,
            range_end=end,
            bars_received=received,
            bars_written=written,
            actions_written=actions,
        )
