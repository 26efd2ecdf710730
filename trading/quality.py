"""Quality rules: what is wrong with a batch of bars, each rule a small function over all symbols at once.

A quarantined bar is kept but never seen by a strategy; a suspect one is used and reported. Only what cannot
be true is quarantined: a crash can be.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import numpy as np

from trading.bars import FIELDS, Timeframe, duration, moment
from trading.calendar import NEW_YORK, are_sessions, bar_timestamp, sessions
from trading.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    import pandas as pd
    from numpy.typing import NDArray

    from trading.bars import Floats

Severity = Literal["warning", "error"]
Verdict = Literal["suspect", "quarantined"]

STALE_BARS = 5
"""Identical closes and volumes in a row that mean a feed stands still."""

JUMP, JUMP_SCORE = 0.40, 10.0
"""A move is judged when it exceeds 40 % and 10 robust deviations of the symbol's own moves."""

ROUNDING = 0.001
"""A high below the close by less than this fraction is a rounding of the source, not a wrong bar."""

MAD_TO_DEVIATION = 1.4826
"""Median absolute deviation to standard deviation for a normal distribution (Rousseeuw & Croux 1993)."""


@dataclass(frozen=True, slots=True)
class Issue:
    """A defect of one bar, or of a bar that is not there: what, where, how bad, and in words."""

    symbol: str
    ts: datetime
    rule: str
    severity: Severity
    detail: str
    verdict: Verdict


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Bars of many symbols as arrays of R rows, ordered by symbol and time."""

    timeframe: Timeframe
    symbols: NDArray[np.object_]
    stamps: NDArray[np.datetime64]
    local: pd.DatetimeIndex
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    splits: Mapping[tuple[str, np.datetime64], float]

    @property
    def follows(self) -> NDArray[np.bool_]:
        """(R,), whether the row above is of the same symbol."""
        return (
            np.concatenate(([False], self.symbols[1:] == self.symbols[:-1]))
            if len(self.symbols)
            else np.array([], bool)
        )

    @property
    def days(self) -> NDArray[np.datetime64]:
        """(R,) New York dates, datetime64[D]."""
        return self.local.tz_localize(None).to_numpy().astype("datetime64[D]")


Finding = tuple[str, np.datetime64, Verdict, str]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: its name, how grave its findings are, what it looks for, and the function that finds."""

    name: str
    severity: Severity
    explanation: str
    find: Callable[[Batch], Iterator[Finding]]


def check(bars: pd.DataFrame, *, splits: pd.DataFrame | None = None, timeframe: Timeframe = "1Day") -> list[Issue]:
    """Return what every rule finds, ordered by symbol, time and rule.

    Parameters
    ----------
    bars
        Raw bars of any number of symbols: symbol, ts (timezone-aware), open, high, low, close, volume.
    splits
        symbol, ex_date (date), ratio (new per old): moves they explain are no jumps.
    timeframe
        Of the bars.

    Raises
    ------
    DataError
        A column is missing or the timestamps have no time zone.
    """
    batch = _batch(bars, splits, timeframe)
    issues = [
        Issue(symbol, moment(stamp), rule.name, rule.severity, detail, verdict)
        for rule in RULES.values()
        for symbol, stamp, verdict, detail in rule.find(batch)
    ]
    return sorted(issues, key=lambda issue: (issue.symbol, issue.ts, issue.rule))


def nulls(batch: Batch) -> Iterator[Finding]:
    """Find bars without a price (quarantined) or without a volume (suspect)."""
    for name in FIELDS:
        verdict: Verdict = "suspect" if name == "volume" else "quarantined"
        for row in _rows(np.isnan(getattr(batch, name))):
            yield batch.symbols[row], batch.stamps[row], verdict, f"{name} is missing"


def prices_above_zero(batch: Batch) -> Iterator[Finding]:
    """Find prices that are zero, negative or infinite."""
    for name in FIELDS[:4]:
        values = getattr(batch, name)
        for row in _rows((values <= 0) | np.isinf(values)):
            yield batch.symbols[row], batch.stamps[row], "quarantined", f"{name} is {values[row]:g}"


def high_and_low(batch: Batch) -> Iterator[Finding]:
    """Find bars whose high is below, or low above, another of their prices; suspect if it may be rounding."""
    top = np.fmax(np.fmax(batch.open, batch.close), batch.low)
    bottom = np.fmin(np.fmin(batch.open, batch.close), batch.high)
    for row in _rows((batch.high < top) | (batch.low > bottom)):
        excess = max(top[row] - batch.high[row], batch.low[row] - bottom[row]) / abs(top[row] or 1.0)
        prices = ", ".join(f"{name} {getattr(batch, name)[row]:g}" for name in FIELDS[:4])
        yield batch.symbols[row], batch.stamps[row], "suspect" if excess < ROUNDING else "quarantined", prices


def volume(batch: Batch) -> Iterator[Finding]:
    """Find bars with a negative volume (quarantined) or none (suspect)."""
    for row in _rows(batch.volume <= 0):
        amount = batch.volume[row]
        yield (
            batch.symbols[row],
            batch.stamps[row],
            "suspect" if amount == 0 else "quarantined",
            f"volume is {amount:g}",
        )


def duplicates(batch: Batch) -> Iterator[Finding]:
    """Find a second bar of a symbol at one time: suspect when it is the same, quarantined when it differs."""
    repeated = batch.follows.copy()
    repeated[1:] &= batch.stamps[1:] == batch.stamps[:-1]
    for row in _rows(repeated):
        same = all(getattr(batch, name)[row] == getattr(batch, name)[row - 1] for name in FIELDS)
        verdict: Verdict = "suspect" if same else "quarantined"
        yield (
            batch.symbols[row],
            batch.stamps[row],
            verdict,
            f"second bar at this time, {'same' if same else 'other'} values",
        )


def off_calendar(batch: Batch) -> Iterator[Finding]:
    """Find bars on a day without a session, off the timeframe's grid, or outside 04:00-20:00 New York."""
    open_days = are_sessions(batch.days)
    since_midnight = (batch.local - batch.local.normalize()).to_numpy()
    if batch.timeframe == "1Day":
        on_grid = since_midnight == np.timedelta64(0, "ns")
    else:
        length = np.timedelta64(duration(batch.timeframe))
        hours = since_midnight / np.timedelta64(1, "h")
        on_grid = (since_midnight % length == np.timedelta64(0, "ns")) & (hours >= 4) & (hours < 20)  # noqa: PLR2004 - Alpaca's extended hours
    for row in _rows(~(open_days & on_grid)):
        why = "no session that day" if not open_days[row] else f"not on the {batch.timeframe} grid"
        yield (
            batch.symbols[row],
            batch.stamps[row],
            "quarantined",
            f"{batch.local[row]:%a %Y-%m-%d %H:%M} New York: {why}",
        )


def missing_sessions(batch: Batch) -> Iterator[Finding]:
    """Find sessions without a bar between a symbol's first and last bar; there is nothing to quarantine."""
    days = batch.days
    for symbol, first, last in _spans(batch):
        own = days[first:last]
        expected = np.array(sessions(own[0].item(), own[-1].item()), dtype="datetime64[D]")
        for day in np.setdiff1d(expected, own):
            stamp = np.datetime64(bar_timestamp(day.item()).replace(tzinfo=None), "ns")
            yield symbol, stamp, "suspect", f"no bar for the session of {day}"


def stale_repeats(batch: Batch) -> Iterator[Finding]:
    """Find the fifth and later of identical closes and volumes in a row: trade never repeats to the share."""
    same = batch.follows & (batch.volume > 0)
    same[1:] &= (batch.close[1:] == batch.close[:-1]) & (batch.volume[1:] == batch.volume[:-1])
    rows = np.arange(len(same))
    start = np.maximum.accumulate(np.where(same, 0, rows)) if len(rows) else rows
    for row in _rows(rows - start >= STALE_BARS - 1):
        count = row - start[row] + 1
        detail = f"close {batch.close[row]:g} and volume {batch.volume[row]:.0f} for {count} bars in a row"
        yield batch.symbols[row], batch.stamps[row], "quarantined", detail


def price_jumps(batch: Batch) -> Iterator[Finding]:
    """Find moves beyond 40 % and ten robust deviations that no split explains.

    A move the next bar takes back is a wrong tick (quarantined); one that lasts may be a crash (suspect).
    """
    moves = _log_moves(batch)
    scores = _robust_scores(batch, moves)
    jumped = (np.abs(np.expm1(moves)) > JUMP) & (np.abs(scores) > JUMP_SCORE)
    following = np.append(moves[1:], np.nan)
    taken_back = jumped & (moves * following < 0) & (np.abs(moves + following) < np.abs(moves) / 4)
    after_tick = np.concatenate(([False], taken_back[:-1]))[: len(jumped)]
    for row in _rows(jumped & ~after_tick):
        move, back = float(np.expm1(moves[row])), bool(taken_back[row])
        fate = "and back on the next bar" if back else "and no split is known"
        detail = f"close moved {move:+.1%} ({scores[row]:+.0f} robust deviations) {fate}"
        yield batch.symbols[row], batch.stamps[row], "quarantined" if back else "suspect", detail


_ALL = (
    Rule("nulls", "error", "A price or the volume is missing.", nulls),
    Rule("prices_above_zero", "error", "A price is zero, negative or infinite.", prices_above_zero),
    Rule("high_and_low", "error", "The high or the low contradicts another price of the bar.", high_and_low),
    Rule("volume", "warning", "The volume is zero or negative.", volume),
    Rule("duplicates", "error", "A symbol has two bars at one time.", duplicates),
    Rule("off_calendar", "error", "The bar is outside every session or off the time grid.", off_calendar),
    Rule("missing_sessions", "warning", "A session between the first and last bar has none.", missing_sessions),
    Rule("stale_repeats", "error", "Close and volume repeat: the feed stood still.", stale_repeats),
    Rule("price_jumps", "warning", "A move far outside the symbol's own, without a split.", price_jumps),
)

RULES: Mapping[str, Rule] = MappingProxyType({rule.name: rule for rule in _ALL})
"""Every rule by name, in the order they run."""


def _rows(mask: NDArray[np.bool_]) -> list[int]:
    found: list[int] = np.flatnonzero(mask).tolist()
    return found


def _spans(batch: Batch) -> Iterator[tuple[str, int, int]]:
    edges = [*np.flatnonzero(~batch.follows).tolist(), len(batch.symbols)]
    for first, last in pairwise(edges):
        yield batch.symbols[first], first, last


def _log_moves(batch: Batch) -> Floats:
    """Return (R,) log moves of the close with known splits taken out; NaN on a symbol's first bar."""
    close = np.where(batch.close > 0, batch.close, np.nan)
    moves = np.full(len(close), np.nan)
    moves[1:] = np.log(close[1:] / close[:-1])
    moves[~batch.follows] = np.nan
    days = batch.days
    for (symbol, day), ratio in batch.splits.items():
        rows = np.flatnonzero((batch.symbols == symbol) & (days >= day))
        if len(rows):
            moves[rows[0]] += np.log(ratio)
    return moves


def _robust_scores(batch: Batch, moves: Floats) -> Floats:
    import pandas as pd

    frame = pd.DataFrame({"symbol": batch.symbols, "move": moves})
    center = frame.groupby("symbol")["move"].transform("median")
    frame["away"] = (frame["move"] - center).abs()
    spread = MAD_TO_DEVIATION * frame.groupby("symbol")["away"].transform("median")
    with np.errstate(divide="ignore", invalid="ignore"):
        return ((frame["move"] - center) / spread).to_numpy(dtype=np.float64)


def _batch(bars: pd.DataFrame, splits: pd.DataFrame | None, timeframe: Timeframe) -> Batch:
    import pandas as pd

    missing = [name for name in ("symbol", "ts", *FIELDS) if name not in bars.columns]
    if missing:
        raise DataError(f"bars lack the column(s) {', '.join(missing)}; present: {', '.join(map(str, bars.columns))}")
    if len(bars) and getattr(bars["ts"].dtype, "tz", None) is None:
        raise DataError("bars have timestamps without a time zone; store them in UTC")
    ordered = bars.sort_values(["symbol", "ts"], kind="stable")
    utc = pd.DatetimeIndex(pd.to_datetime(ordered["ts"], utc=True)).as_unit("ns")
    known: dict[tuple[str, np.datetime64], float] = {}
    if splits is not None:
        for symbol, day, ratio in zip(splits["symbol"], splits["ex_date"], splits["ratio"], strict=True):
            known[symbol, np.datetime64(str(day)[:10], "D")] = float(ratio)
    return Batch(
        timeframe=timeframe,
        symbols=ordered["symbol"].to_numpy(dtype=object),
        stamps=utc.tz_localize(None).to_numpy(),
        local=utc.tz_convert(NEW_YORK),
        open=ordered["open"].to_numpy(dtype=np.float64),
        high=ordered["high"].to_numpy(dtype=np.float64),
        low=ordered["low"].to_numpy(dtype=np.float64),
        close=ordered["close"].to_numpy(dtype=np.float64),
        volume=ordered["volume"].to_numpy(dtype=np.float64),
        splits=known,
    )
