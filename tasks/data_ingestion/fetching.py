"""Fetching: which bars should exist, which are missing, and bringing them in, chunk by chunk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import batched
from typing import TYPE_CHECKING, Any

from prefect import task

from db.repositories import bars as bars_repository
from db.repositories import coverage, ingestion, life_facts
from db.repositories.spells import file_by_day
from tasks.market_data import SYMBOLS_A_REQUEST
from tasks.policies import REPEATABLE
from tasks.resources import broker, database, flow_run_id, market_data
from trading.adjustment import first_common_closes, share_of_value
from trading.adjustment.spin_offs import SOON
from trading.calendar import bar_timestamp, completed_bars, session_of
from trading.coverage import Chunk, chunks, requests
from trading.errors import BrokerError
from trading.report import Report

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from sqlalchemy import Connection

    from tasks.market_data import MarketData
    from trading.coverage import Span

BARS_A_CHUNK = 100_000
"""Ten of the broker's largest pages: what is lost at most when a fetch is killed."""
HISTORY = timedelta(days=3650)
"""How far back a symbol without bars is filled."""
SETTLED = timedelta(days=1)
"""Age from which a bar that the broker does not have will not come any more."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One fetch: its ingestion run, and its chunks per batch of symbols, in the order they are to be fetched.

    `refresh` asks for stored bars too: what the broker corrected becomes a revision.
    """

    run: int
    timeframe: str
    now: datetime
    refresh: bool
    batches: tuple[tuple[Chunk, ...], ...]

    @property
    def chunks(self) -> list[Chunk]:
        """Every chunk."""
        return [chunk for batch in self.batches for chunk in batch]


@dataclass(frozen=True, slots=True)
class Fetched:
    """What one chunk brought."""

    received: int
    written: int
    rows: tuple[dict[str, Any], ...]


@task(**REPEATABLE)
def plan_fetch(
    symbols: Sequence[str],
    *,
    timeframe: str,
    start: date | None,
    end: date | None,
    refresh: bool = False,
    bars_a_chunk: int = BARS_A_CHUNK,
) -> Plan:
    """Open an ingestion run and cut what is wanted into chunks.

    Without `start` every symbol goes on from its newest stored bar; one without bars gets ten years.
    """
    now = broker().clock().now
    until = min(now, bar_timestamp(end) + timedelta(days=1)) if end else now
    with database().begin() as connection:
        newest = bars_repository.latest(connection, symbols, timeframe=timeframe) if start is None else {}
        run = ingestion.begin(
            connection, source="broker", timeframe=timeframe, symbols=symbols, flow_run_id=flow_run_id()
        )
    begins = {
        symbol: bar_timestamp(start) if start else newest.get(symbol, now - HISTORY) + timedelta(microseconds=1)
        for symbol in symbols
    }
    planned = chunks(
        begins, timeframe=timeframe, until=until, symbols_a_chunk=SYMBOLS_A_REQUEST, bars_a_chunk=bars_a_chunk
    )
    return Plan(run, timeframe, now, refresh, tuple(tuple(batch) for batch in planned))


@task(task_run_name="fetch {chunk.start:%Y-%m-%d} {chunk.end:%Y-%m-%d}", **REPEATABLE)
def fetch_chunk(plan: Plan, chunk: Chunk) -> Fetched:
    """Fetch what a chunk lacks; the bars of a request are committed before the next one is sent."""
    source = market_data()
    expected = completed_bars(plan.timeframe, chunk.start, plan.now)
    expected = expected[: expected.searchsorted(chunk.end, side="right")]
    received, written, rows = 0, 0, []
    for (first, last), symbols in _requests(plan, chunk, expected, feed=source.feed).items():
        frame = source.bars(symbols, timeframe=plan.timeframe, start=first, end=last)
        with database().begin() as connection:
            frame = file_by_day(connection, frame, as_of=session_of(plan.now))
            fresh = bars_repository.write(connection, frame, timeframe=plan.timeframe, source="broker", run=plan.run)
            _cover(connection, plan, symbols, (first, last), feed=source.feed)
        received, written = received + len(frame), written + fresh
        rows.append({"symbols": ", ".join(symbols), "from": first, "to": last, "bars": len(frame), "new": fresh})
    return Fetched(received, written, tuple(rows))


def _requests(
    plan: Plan, chunk: Chunk, expected: pd.DatetimeIndex, *, feed: str
) -> dict[tuple[datetime, datetime], list[str]]:
    within: dict[str, Any] = {"timeframe": plan.timeframe, "start": chunk.start, "end": chunk.end}
    stored, covered = {}, {}
    if not plan.refresh:
        with database().connect() as connection:
            stored = bars_repository.stored(connection, chunk.symbols, **within)
            covered = coverage.covered(connection, chunk.symbols, feed=feed, **within)
    return requests(chunk, timeframe=plan.timeframe, expected=expected, stored=stored, covered=covered)


def _cover(connection: Connection, plan: Plan, symbols: Sequence[str], span: Span, *, feed: str) -> None:
    """Note that a range was answered in full, as far as it is old enough for nothing more to come."""
    first, last = span[0], min(span[1], plan.now - SETTLED)
    if first > last:
        return
    entry = {"timeframe": plan.timeframe, "feed": feed, "symbols": sorted(symbols)}
    coverage.record(connection, entry | {"range_start": first, "range_end": last, "ingestion_run_id": plan.run})


@task(**REPEATABLE)
def finish_fetch(plan: Plan, fetched: Sequence[Fetched]) -> tuple[Report, int]:
    """Bring in the corporate actions of the time and close the ingestion run.

    Returns
    -------
    The report, and how many bars were new or different.
    """
    rows = [row for part in fetched for row in part.rows]
    symbols = sorted({symbol for chunk in plan.chunks for symbol in chunk.symbols})
    written = sum(part.written for part in fetched)
    if not rows:
        with database().begin() as connection:
            ingestion.discard(connection, plan.run)
        return Report(f"{plan.timeframe} bars are complete", {"symbols": len(symbols), "bars written": 0}), 0
    span = min(row["from"] for row in rows), max(row["to"] for row in rows)
    actions = _actions(symbols, *span, run=plan.run)
    with database().begin() as connection:
        ingestion.finish(
            connection,
            plan.run,
            status="completed",
            range_start=span[0],
            range_end=span[1],
            bars_received=sum(part.received for part in fetched),
            bars_written=written,
            actions_written=actions,
        )
    figures = {"symbols": len(symbols), "bars written": written, "corporate actions": actions}
    return Report(f"{plan.timeframe} bars fetched", figures, rows), written


@task(**REPEATABLE)
def fetch_bars(symbols: Sequence[str], *, timeframe: str, start: date | None, end: date | None) -> tuple[Report, int]:
    """Fetch in one step what `plan_fetch`, `fetch_chunk` and `finish_fetch` fetch in many: for the few newest bars."""
    plan = plan_fetch.fn(symbols, timeframe=timeframe, start=start, end=end)
    return finish_fetch.fn(plan, [fetch_chunk.fn(plan, chunk) for chunk in plan.chunks])


def _actions(symbols: Sequence[str], start: datetime, end: datetime, *, run: int) -> int:
    """Store the corporate actions around the fetched range, those that are known of the coming days included."""
    source = market_data()
    rows = [
        {**valued(source, action), "ingestion_run_id": run}
        for batch in batched(symbols, SYMBOLS_A_REQUEST)
        for action in source.corporate_actions(batch, start=start.date(), end=(end + timedelta(days=7)).date())
    ]
    with database().begin() as connection:
        written = ingestion.record_actions(connection, rows)
        life_facts.derive(connection, symbols)
    return written


def valued(source: MarketData, action: dict[str, Any]) -> dict[str, Any]:
    """Return a corporate action, a spin-off with the share of the value that left where both companies' closes tell.

    Where they do not, it has no ratio: it is recorded, adjusts nothing, and the quality rules name it.
    """
    if action["kind"] != "spin_off":
        return action
    day, names = action["ex_date"], (action["symbol"], action["new_symbol"])
    try:
        bars = source.bars(names, timeframe="1Day", start=bar_timestamp(day), end=bar_timestamp(day + SOON))
    except BrokerError:  # the broker knows one of them no longer
        return action
    closes = first_common_closes(bars, *names, day)
    return action | {"ratio": closes and share_of_value(*closes, action["shares"])}
