"""How long the quality rules take over a million bars, on one core, rule by rule.

`python -m benchmarks.quality [--json]` checks 1,000,000 minute bars of ten symbols and 500 symbols' daily bars of
eight years, both made up, and with `--data FILE` a Parquet or CSV file of daily bars (symbol, date, open, high, low,
close, volume). Every set is compared with itself as a second feed, the minutes also
with their daily bars. What a batch computes once is counted to the first rule that asks for it; the calendar's first
use is counted apart.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from benchmarks.verdicts import Figure, conclude
from trading.calendar import NEW_YORK, completed_bars, open_at, session_dates, sessions
from trading.quality import RULES, Thresholds, check
from trading.quality.batch import make_batch

if TYPE_CHECKING:
    from trading.bars import Timeframe

TARGET_SECONDS = 3.0
MINUTE_SYMBOLS, MINUTE_BARS = 10, 1_000_000
DAILY_SYMBOLS, DAILY_YEARS = 500, (2005, 2012)
ONE_CORE = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


@dataclass(frozen=True)
class Timing:
    """One set of bars: how many, seconds for each rule, and for `check` as a whole."""

    name: str
    bars: int
    issues: int
    seconds: float
    rules: dict[str, float]


def random_bars(starts: pd.DatetimeIndex, symbols: int, deviation: float) -> pd.DataFrame:
    """Return symbols' random walks over the same times, in frames as the database gives them."""
    generator = np.random.default_rng(7)
    frames = []
    for number in range(symbols):
        close = np.round(80 * np.exp(generator.normal(0, deviation, len(starts)).cumsum()), 2)
        start = np.concatenate((close[:1], close[:-1]))
        spread = 1 + np.abs(generator.normal(0, deviation, len(starts)))
        frames.append(
            pd.DataFrame(
                {
                    "symbol": f"S{number:03}",
                    "ts": starts,
                    "open": start,
                    "high": np.round(np.maximum(start, close) * spread, 2),
                    "low": np.round(np.minimum(start, close) / spread, 2),
                    "close": close,
                    "volume": np.round(np.exp(generator.normal(11, 0.6, len(starts)))),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def minute_bars() -> pd.DataFrame:
    """Return a million minute bars of regular hours."""
    starts = completed_bars("1Min", open_at(date(2011, 1, 3)), open_at(date(2012, 6, 1)))
    return random_bars(starts[: MINUTE_BARS // MINUTE_SYMBOLS], MINUTE_SYMBOLS, 0.0005)


def daily_bars() -> pd.DataFrame:
    """Return eight years of daily bars."""
    first, last = DAILY_YEARS
    starts = completed_bars(
        "1Day", open_at(date(first, 1, 3)), open_at(sessions(date(last, 1, 1), date(last, 12, 31))[-1])
    )
    return random_bars(starts, DAILY_SYMBOLS, 0.015)


def file_bars(path: Path) -> pd.DataFrame:
    """Return the daily bars of a file, stamped at midnight in New York."""
    frame = pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
    days = pd.to_datetime(frame.pop("date"))
    return frame.assign(ts=days.dt.tz_localize("America/New_York").dt.tz_convert("UTC"))


def daily_of(bars: pd.DataFrame) -> pd.DataFrame:
    """Return the daily bars of minute bars of regular hours."""
    days = session_dates(bars["ts"].dt.tz_localize(None).to_numpy())
    grouped = bars.groupby(["symbol", days], as_index=False)
    whole = grouped.agg(
        ts=("ts", "first"),
        open=("open", "first"),
        high=("high", "max"),
        low=("low", "min"),
        close=("close", "last"),
        volume=("volume", "sum"),
    )
    return whole.assign(ts=whole["ts"].dt.tz_convert(NEW_YORK).dt.normalize().dt.tz_convert("UTC"))


def measure(name: str, bars: pd.DataFrame, timeframe: Timeframe) -> Timing:
    """Time `check` as a whole, then each rule once on a fresh batch; both compare with a second feed of the bars."""
    daily = daily_of(bars) if timeframe == "1Min" else None
    started = time.perf_counter()
    issues = check(bars, timeframe=timeframe, reference=bars, daily=daily)
    whole = time.perf_counter() - started
    started = time.perf_counter()
    batch = make_batch(bars, timeframe)
    rules = {"(arrays)": time.perf_counter() - started}
    day = None if daily is None else make_batch(daily, "1Day")
    batch = replace(batch, reference=make_batch(bars, timeframe), daily=day)
    for rule in RULES.values():
        started = time.perf_counter()
        rule.judge(batch, Thresholds())
        rules[rule.name] = time.perf_counter() - started
    return Timing(name, len(bars), len(issues), whole, rules)


def main() -> int:
    """Measure and print; the exit code is 1 when a million bars take longer than the target."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--data", type=Path, help="also check this file of daily bars")
    asked = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    started = time.perf_counter()
    sessions(date(2012, 1, 1), date(2012, 12, 31))
    calendar = time.perf_counter() - started
    check(daily_bars().iloc[:5000])  # imports what is imported where it is used
    timings = [measure("minute bars", minute_bars(), "1Min"), measure("daily bars", daily_bars(), "1Day")]
    if asked.data:
        timings.append(measure(asked.data.name, file_bars(asked.data), "1Day"))
    if not asked.json:
        show(calendar, timings)
    figures = [
        Figure(
            f"check() of {timing.bars:,} {timing.name}",
            timing.seconds,
            "s",
            most=TARGET_SECONDS * max(timing.bars / 1e6, 1),
        )
        for timing in timings
    ]
    told = [vars(timing) for timing in timings]
    return conclude("Quality rules on one core", figures, as_json=asked.json, calendar=calendar, timings=told)


def show(calendar: float, timings: list[Timing]) -> None:
    """Print a table of rules and sets of bars."""
    table = Table(title=f"Quality rules, seconds on one core (calendar's first use: {calendar:.2f} s)")
    table.add_column("rule")
    for timing in timings:
        table.add_column(f"{timing.bars:,} {timing.name}", justify="right")
    for rule in timings[0].rules:
        table.add_row(rule, *(f"{timing.rules[rule]:.3f}" for timing in timings))
    table.add_section()
    table.add_row("check(), issues written", *(f"{timing.seconds:.2f}" for timing in timings))
    table.add_row("issues", *(f"{timing.issues:,}" for timing in timings))
    Console().print(table)


if __name__ == "__main__":
    for variable in ONE_CORE:
        os.environ.setdefault(variable, "1")
    sys.exit(main())
