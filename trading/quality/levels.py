"""Whether bars that are delivered stand on the level of those that are stored, before the two are mixed.

Nothing in a bar says whether its prices are as traded or adjusted. Bars of two levels in one series are a false
split: sizes and stops decided on them are wrong by its ratio.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from trading.calendar import session_dates
from trading.quality.batch import make_batch
from trading.quality.identity import carried
from trading.quality.moves import price_jumps, split_flips
from trading.quality.thresholds import DEFAULTS

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd
    from numpy.typing import NDArray

    from trading.adjustment.actions import Actions
    from trading.bars import Floats, Timeframe
    from trading.quality.batch import Batch
    from trading.quality.thresholds import Thresholds

ENOUGH = 5
"""Bars in common off by one and the same ratio that make a level; fewer are corrections."""
MANY = 20
"""Bars in common whose median difference is a level even when it is small: dividends taken out."""
ALIKE = 0.02
"""Log ratios this near to each other are one ratio."""
AROUND_SPLIT = 3
"""Sessions before and after an ex-date whose closes show a split, were it recorded a day off."""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A symbol's delivered level against the stored one, at the first bar that shows it.

    Attributes
    ----------
    stored
        The close that is stored at `ts`, or next to it, or that a recorded split lets expect (USD).
    delivered
        The close delivered (USD).
    why
        What was compared, in words.
    """

    symbol: str
    ts: datetime
    stored: float
    delivered: float
    why: str

    @property
    def ratio(self) -> float:
        """Delivered by stored."""
        return self.delivered / self.stored


def overlap_contradictions(
    delivered: pd.DataFrame, stored: pd.DataFrame, *, thresholds: Thresholds = DEFAULTS
) -> tuple[list[Contradiction], dict[str, int]]:
    """Compare bars that both have: symbol, ts, close of each.

    Off by one ratio beyond `contradiction` in at least five bars, or by more than `disagreement` in the median of
    twenty, is another level; single bars that differ are corrections.

    Returns
    -------
    The contradictions, and for the other symbols how many bars agree.
    """
    keys = ["symbol", "ts"]
    both = delivered[[*keys, "close"]].merge(stored[[*keys, "close"]], on=keys, suffixes=("", "_stored"))
    both = both[(both["close"] > 0) & (both["close_stored"] > 0)]
    found, agreeing = [], {}
    for symbol, bars in both.groupby("symbol", sort=True):
        sizes = np.log(bars["close"].to_numpy() / bars["close_stored"].to_numpy())
        off = _off(sizes, thresholds)
        if not off.any():
            agreeing[str(symbol)] = int((np.abs(sizes) <= np.log1p(thresholds.disagreement)).sum())
            continue
        first = bars[off].sort_values("ts").iloc[0]
        why = f"so on {int(off.sum()):,} of {len(bars):,} bars that both have"
        found.append(_contradiction(symbol, first["ts"], first["close_stored"], first["close"], why))
    return found, agreeing


def _off(sizes: Floats, thresholds: Thresholds) -> NDArray[np.bool_]:
    """Return which of (K,) log ratios are of another level."""
    far = np.abs(sizes) > np.log1p(thresholds.contradiction)
    alike = far & (np.abs(sizes - np.median(sizes[far])) < ALIKE) if far.any() else far
    if int(np.count_nonzero(alike)) >= ENOUGH:
        found: NDArray[np.bool_] = alike
        return found
    small = np.log1p(thresholds.disagreement)
    middle = np.median(sizes) if len(sizes) else 0.0
    if len(sizes) >= MANY and np.abs(middle) > small:
        same: NDArray[np.bool_] = sizes * np.sign(middle) > small
        return same
    return np.zeros(len(sizes), dtype=bool)


def unshown_splits(delivered: pd.DataFrame, actions: Actions) -> list[Contradiction]:
    """Return the symbols with a recorded split that the delivered daily closes do not show: already divided out.

    Reading bars divides the recorded splits out; a series that has them divided out already would be wrong by them.
    """
    closes = delivered[delivered["close"] > 0].sort_values(["symbol", "ts"])
    found: list[Contradiction] = []
    splits = actions.where(actions.kinds == "split")
    series = dict(iter(closes[closes["symbol"].isin(splits.symbols)].groupby("symbol")))
    for symbol, day, ratio in zip(splits.symbols, splits.ex_dates, splits.values, strict=True):
        if symbol not in series or any(one.symbol == symbol for one in found):
            continue
        bars = series[symbol]
        days = session_dates(bars["ts"].dt.tz_convert(None).to_numpy(dtype="datetime64[ns]"))
        place, level = int(np.searchsorted(days, day)), bars["close"].to_numpy()
        before, after = place - AROUND_SPLIT, place + AROUND_SPLIT - 1
        if before < 0 or after >= len(level) or abs(np.log(ratio)) <= np.log1p(DEFAULTS.jump):
            continue
        if abs(np.log(level[after] / level[before])) < abs(np.log(level[after] / level[before] * ratio)):
            why = f"the recorded split of {ratio:g} new shares per old does not show: already divided out?"
            found.append(_contradiction(symbol, bars["ts"].iloc[place], level[place - 1] / ratio, level[place], why))
    return found


def junction_contradictions(
    bars: pd.DataFrame, *, actions: Actions, timeframe: Timeframe = "1Day", thresholds: Thresholds = DEFAULTS
) -> list[Contradiction]:
    """Return the symbols whose price steps where stored bars meet delivered ones, and nothing explains the step.

    The rules `price_jumps`, `split_flips` and, across long gaps, the price limits of `reused_tickers` decide.

    Parameters
    ----------
    bars
        Stored and delivered bars around the places where they meet: symbol, ts, open, high, low, close, volume and
        `delivered` (bool).
    actions
        Recorded corporate actions, whose moves are no steps.
    """
    batch = replace(make_batch(bars, timeframe), actions=actions)
    ours = bars["delivered"].to_numpy(dtype=bool)[batch.delivered]
    before = batch.previous
    rows = np.flatnonzero((before >= 0) & (batch.close > 0) & (ours != ours[np.maximum(before, 0)]))
    found: dict[str, Contradiction] = {}
    for row in rows[_stepped(batch, rows, thresholds)].tolist():
        symbol, pair = str(batch.names[batch.codes[row]]), (row, int(before[row]))
        mine, theirs = pair if ours[row] else pair[::-1]
        stored = float(batch.close[theirs] * batch.factors[theirs] / batch.factors[mine])
        why = f"next to the stored bar of {batch.days[theirs]}, and nothing known explains the step"
        new = _contradiction(symbol, _utc(batch.stamps[mine]), stored, float(batch.close[mine]), why)
        found.setdefault(symbol, new)
    return list(found.values())


def _stepped(batch: Batch, rows: NDArray[np.int64], thresholds: Thresholds) -> NDArray[np.bool_]:
    """Return at which of (K,) rows the step since the bar before is unexplained."""
    findings = [rule(batch, thresholds) for rule in (price_jumps, split_flips)]
    named = {
        (int(code), stamp)
        for found in findings
        for code, stamp in zip(found.codes, found.stamps.astype(np.int64).tolist(), strict=True)
    }
    stamps = batch.stamps.astype(np.int64)
    jumped = np.array([(int(batch.codes[row]), int(stamps[row])) in named for row in rows.tolist()], dtype=bool)
    sessions = batch.session_numbers[rows] - batch.session_numbers[batch.previous[rows]]
    far = np.abs(batch.moves[rows]) > carried(batch, rows, sessions, thresholds)
    return np.where(sessions > thresholds.identity_gap, far, jumped)


def _contradiction(symbol: object, ts: pd.Timestamp, stored: float, delivered: float, why: str) -> Contradiction:
    return Contradiction(str(symbol), ts.to_pydatetime(), float(stored), float(delivered), why)


def _utc(stamp: np.datetime64) -> pd.Timestamp:
    import pandas as pd

    return pd.Timestamp(stamp, tz="UTC")
