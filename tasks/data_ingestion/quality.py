"""Checking bars before anything is decided on them."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import asdict
from datetime import date, datetime, timedelta
from itertools import batched
from typing import TYPE_CHECKING, Any, Literal

from prefect import task

from db.repositories import bars as bars_repository
from db.repositories import exclusions, ingestion, quality
from tasks.data_ingestion.companies import actions_apart, taken_tickers
from tasks.market_data import SYMBOLS_A_REQUEST
from tasks.policies import REPEATABLE
from tasks.resources import broker, database, flow_run_id, market_data
from trading.calendar import FIRST_DAY, bar_timestamp, completed_bars, session_dates, session_of
from trading.errors import DataError
from trading.quality import apart, check, coverage, name_spin_offs, together, universe_verdicts
from trading.report import Report

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd
    from sqlalchemy import Connection

    from trading.bars import Timeframe
    from trading.quality import Issue

OnFailure = Literal["quarantine", "fail", "warn"]
Feed = Literal["iex", "sip"]
CONTEXT = timedelta(days=400)
"""How much history the rules that compare a bar with its past are given."""
INTRADAY_CONTEXT = timedelta(days=15)
BARS_AT_ONCE = 2_000_000
RECENT = timedelta(days=45)
WINDOW_BARS, WINDOW_DAYS = 60, timedelta(days=100)
"""The newest bars that tell whether a symbol's data is good enough to be decided on, and days that hold as many."""
SHOWN = 100


@task(**REPEATABLE)
def check_quality(
    symbols: Sequence[str],
    *,
    timeframe: Timeframe,
    start: date | None,
    end: date | None,
    on_failure: OnFailure,
    compare_feed: Feed | None = None,
    progress: Callable[[float, int], None] | None = None,
) -> Report:
    """Run every rule over a range (default: what has not been checked) and judge its bars.

    More than `BARS_AT_ONCE` are checked some symbols after the others, so that memory stays bounded; `progress` gets
    the share done (0 .. 1) and the bars so far. With `compare_feed` the broker's bars of that feed are fetched, at
    most `BARS_AT_ONCE`, and compared; of them nothing but the issues is stored.

    Raises
    ------
    DataError
        `on_failure` is "fail" and a bar would have been quarantined, or more bars are to be compared than may be;
        nothing is written.
    BrokerError
        The account may not read the feed.
    """
    until = bar_timestamp(end) + timedelta(days=1) if end else broker().clock().now
    reference = _reference(symbols, compare_feed, timeframe=timeframe, start=start, until=until)
    issues: list[Issue] = []
    poor: dict[str, str] = {}
    done = checked = 0
    with database().begin() as connection:
        begin = bar_timestamp(start) if start else _unchecked(connection, symbols, timeframe, until)
        for batch in batched(symbols, _at_once(timeframe, begin, until)):
            frame = _read(connection, batch, timeframe=timeframe, begin=begin, until=until)
            found = _find(connection, batch, frame, reference, timeframe=timeframe, begin=begin, until=until)
            fresh = [issue for issue in found if issue.ts >= begin]
            _judge(connection, batch, fresh, timeframe=timeframe, begin=begin, until=until, on_failure=on_failure)
            poor |= _exclude(connection, batch, frame, found, timeframe=timeframe, until=until)
            issues += fresh
            checked += int((frame["ts"] >= begin).sum())
            done += len(batch)
            if progress is not None:
                progress(done / len(symbols), checked)
    return _report(issues, poor, checked=checked, timeframe=timeframe, symbols=len(symbols))


def _reference(
    symbols: Sequence[str], feed: Feed | None, *, timeframe: Timeframe, start: date | None, until: datetime
) -> pd.DataFrame | None:
    """Fetch the bars to compare with, before a transaction begins that would have to wait for them."""
    import pandas as pd

    if feed is None:
        return None
    with database().connect() as connection:
        begin = bar_timestamp(start) if start else _unchecked(connection, symbols, timeframe, until)
    bars = len(completed_bars(timeframe, begin, until)) * len(symbols)
    if bars > BARS_AT_ONCE:
        raise DataError(
            f"{bars:,} {timeframe} bars are to be compared with the {feed} feed, {BARS_AT_ONCE:,} are allowed at once; "
            "give fewer symbols or a shorter range"
        )
    source = market_data(feed)
    some = batched(symbols, SYMBOLS_A_REQUEST)
    return pd.concat([source.bars(each, timeframe=timeframe, start=begin, end=until) for each in some])


def _at_once(timeframe: Timeframe, begin: datetime, until: datetime) -> int:
    """Return how many symbols are checked together, so that memory stays bounded."""
    return max(BARS_AT_ONCE // max(len(completed_bars(timeframe, _from(timeframe, begin), until)), 1), 1)


def _from(timeframe: Timeframe, begin: datetime) -> datetime:
    """Return from when on bars are read, for the rules that compare a bar with its past."""
    context = CONTEXT if timeframe == "1Day" else INTRADAY_CONTEXT
    return max(begin - context, bar_timestamp(FIRST_DAY))


def _read(
    connection: Connection, symbols: Sequence[str], *, timeframe: Timeframe, begin: datetime, until: datetime
) -> pd.DataFrame:
    start = _from(timeframe, begin)
    return bars_repository.read(connection, symbols, timeframe=timeframe, start=start, end=until, quarantined=True)


def _find(
    connection: Connection,
    symbols: Sequence[str],
    frame: pd.DataFrame,
    reference: pd.DataFrame | None,
    *,
    timeframe: Timeframe,
    begin: datetime,
    until: datetime,
) -> list[Issue]:
    """Run the rules; intraday bars are compared with the daily ones as well, and all with another feed's if given.

    Each company that bore one of the tickers is judged by itself.
    """
    taken = taken_tickers(connection, symbols, session_of(until))
    known = actions_apart(connection, symbols, session_of(until), taken)
    intraday = timeframe != "1Day"
    daily = _read(connection, symbols, timeframe="1Day", begin=begin, until=until) if intraday else None
    issues = together(
        check(
            _apart(frame, taken),
            splits=known,
            timeframe=timeframe,
            reference=None if reference is None else _apart(reference, taken),
            daily=None if daily is None else _apart(daily, taken),
        )
    )
    return name_spin_offs(issues, ingestion.unvalued_spin_offs(connection, symbols))


def _apart(bars: pd.DataFrame, taken: Mapping[str, Sequence[date]]) -> pd.DataFrame:
    return apart(bars, session_dates(bars["ts"].dt.tz_localize(None).to_numpy()), taken) if taken else bars


def _judge(
    connection: Connection,
    symbols: Sequence[str],
    issues: Sequence[Issue],
    *,
    timeframe: Timeframe,
    begin: datetime,
    until: datetime,
    on_failure: OnFailure,
) -> None:
    bad = [issue for issue in issues if issue.verdict == "quarantined"]
    if bad and on_failure == "fail":
        raise DataError(f"{len(bad)} bars fail the quality rules, the first: {_sentence(bad[0])}")
    where: dict[str, Any] = {"symbols": symbols, "timeframe": timeframe, "start": begin, "end": until}
    rows = [{**asdict(issue), "timeframe": timeframe, "flow_run_id": flow_run_id()} for issue in issues]
    quality.replace(connection, rows, **where)
    verdicts = _verdicts(issues, quarantine=on_failure == "quarantine")
    bars_repository.judge(connection, verdicts=verdicts, **where)


def _exclude(
    connection: Connection,
    symbols: Sequence[str],
    frame: pd.DataFrame,
    found: Sequence[Issue],
    *,
    timeframe: Timeframe,
    until: datetime,
) -> dict[str, str]:
    """Take the symbols whose newest bars are too poor out of what is decided on the last bar; return the reasons."""
    expected = completed_bars(timeframe, max(until - WINDOW_DAYS, bar_timestamp(FIRST_DAY)), until)[-WINDOW_BARS:]
    if not len(expected):
        return {}
    since = expected[0].to_pydatetime()
    held = coverage(frame[frame["ts"] >= since])
    recent = [issue for issue in found if issue.ts >= since]
    standings = universe_verdicts(recent, held, symbols=symbols, expected=expected)
    poor = {standing.symbol: standing.reason for standing in standings if not standing.included}
    session = session_of(expected[-1].to_pydatetime())
    exclusions.replace(connection, poor, symbols=symbols, session=session, timeframe=timeframe)
    return poor


def _unchecked(connection: Connection, symbols: Sequence[str], timeframe: str, until: datetime) -> datetime:
    first = bars_repository.first_unchecked(connection, symbols, timeframe=timeframe)
    return first or until - RECENT


def _verdicts(issues: Sequence[Issue], *, quarantine: bool) -> dict[str, list[tuple[str, datetime]]]:
    """Return the bars of each verdict; the worse one wins."""
    worst: dict[tuple[str, datetime], str] = {}
    for issue in issues:
        bar = (issue.symbol, issue.ts)
        verdict: str = issue.verdict if quarantine else "suspect"
        worst[bar] = "quarantined" if "quarantined" in (verdict, worst.get(bar)) else "suspect"
    verdicts: dict[str, list[tuple[str, datetime]]] = defaultdict(list)
    for bar, verdict in worst.items():
        verdicts[verdict].append(bar)
    return verdicts


def _sentence(issue: Issue) -> str:
    return f"{issue.symbol} {issue.ts:%Y-%m-%d}: {issue.rule}: {issue.detail}"


def _report(issues: Sequence[Issue], poor: Mapping[str, str], *, checked: int, timeframe: str, symbols: int) -> Report:
    figures = {
        "symbols": symbols,
        "bars checked": checked,
        "issues": len(issues),
        "quarantined": sum(issue.verdict == "quarantined" for issue in issues),
    } | dict(Counter(f"rule {issue.rule}" for issue in issues))
    rows = [
        {
            "symbol": issue.symbol,
            "bar": issue.ts,
            "rule": issue.rule,
            "verdict": issue.verdict,
            "detail": issue.detail,
        }
        for issue in issues[:SHOWN]
    ]
    notes = [f"{symbol} is out of the universe: {reason}." for symbol, reason in poor.items()]
    return Report(f"Quality of {timeframe} bars", figures, rows, notes)
