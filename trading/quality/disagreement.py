"""Rules that compare bars with a second opinion: another feed, or the daily bar of the same session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trading.bars import FIELDS
from trading.calendar import session_hours
from trading.quality.findings import Findings, at_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trading.bars import Floats
    from trading.quality.batch import Batch
    from trading.quality.thresholds import Thresholds

PRICES = FIELDS[:4]
CENT = 0.01
VOLUME_TOLERANCE = 1.01


def feeds_disagree(batch: Batch, thresholds: Thresholds) -> Findings:
    """Find bars whose prices differ from the same bar of another feed.

    Which of the two is wrong is not known: beyond `contradiction` the bar is not to be traded on.
    """
    if batch.reference is None:
        return _nothing()
    rows, theirs = _matches(batch, batch.reference)
    own = np.column_stack([getattr(batch, name)[rows] for name in PRICES])
    other = np.column_stack([getattr(batch.reference, name)[theirs] for name in PRICES])
    away = _away(own, other)
    worst = np.argmax(away, axis=1)
    size = away.max(axis=1, initial=0.0)
    kept = np.flatnonzero(size > thresholds.disagreement)

    def describe(number: int, _: int) -> str:
        place = kept[number]
        column = worst[place]
        return f"{PRICES[column]} {own[place, column]:g}, {other[place, column]:g} in the other feed"

    return at_rows(batch, rows[kept], size[kept] > thresholds.contradiction, describe)


def daily_disagrees(batch: Batch, thresholds: Thresholds) -> Findings:
    """Find intraday bars of regular hours that the daily bar of their session contradicts.

    A price beyond the day's high or low, a first open or a last close that is not the day's, and more volume
    in the bars than in the day.
    """
    if batch.daily is None or batch.timeframe == "1Day":
        return _nothing()
    rows, day = _daily_rows(batch, batch.daily)
    first, last = _edges(day)
    daily = batch.daily
    away = np.zeros((4, len(rows)))
    away[0] = _beyond(batch.high[rows], daily.high[day])
    away[1] = _beyond(daily.low[day], batch.low[rows])
    away[2, first] = _away(batch.open[rows[first]], daily.open[day[first]])
    away[3, last] = _away(batch.close[rows[last]], daily.close[day[last]])
    size, worst = away.max(axis=0, initial=0.0), np.argmax(away, axis=0)
    volumes = np.zeros(len(rows))
    volumes[last] = np.add.reduceat(batch.volume[rows], np.flatnonzero(first)) if len(rows) else 0.0
    crowded = volumes > VOLUME_TOLERANCE * daily.volume[day]
    kept = np.flatnonzero((size > thresholds.disagreement) | crowded)

    def describe(number: int, row: int) -> str:
        place = kept[number]
        if size[place] <= thresholds.disagreement:
            return f"the session's bars have volume {volumes[place]:.0f}, its daily bar {daily.volume[day[place]]:.0f}"
        name = ("high", "low", "open", "close")[worst[place]]
        return f"{name} {getattr(batch, name)[row]:g}, {getattr(daily, name)[day[place]]:g} in the daily bar"

    return at_rows(batch, rows[kept], size[kept] > thresholds.contradiction, describe)


def _matches(batch: Batch, other: Batch) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows of bars that both have, first occurrences."""
    theirs = _renamed(batch, other)
    seconds = [stamps.astype("datetime64[s]").astype(np.int64) for stamps in (batch.stamps, other.stamps)]
    mine, keys = (batch.codes << 36) + seconds[0], (theirs << 36) + seconds[1]
    _, rows, places = np.intersect1d(mine, np.where(theirs >= 0, keys, -1), return_indices=True)
    return rows, places


def _daily_rows(batch: Batch, daily: Batch) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows of regular hours that have a daily bar, and that bar's row."""
    numbers = batch.session_numbers
    opens, closes = session_hours(np.maximum(numbers, 0))
    regular = np.flatnonzero((numbers >= 0) & (batch.stamps >= opens) & (batch.stamps < closes))
    theirs = _renamed(batch, daily)
    keys = np.where(theirs >= 0, (theirs << 32) + daily.days.astype(np.int64), -1)
    order = np.argsort(keys, kind="stable")
    wanted = (batch.codes[regular] << 32) + batch.days[regular].astype(np.int64)
    if not len(order):
        return regular[:0], regular[:0]
    place = order[np.minimum(np.searchsorted(keys[order], wanted), len(order) - 1)]
    held = keys[place] == wanted
    return regular[held], place[held]


def _renamed(batch: Batch, other: Batch) -> NDArray[np.int64]:
    """Return the other batch's codes as this one's; -1 for symbols that this one does not have."""
    places = np.minimum(np.searchsorted(batch.names, other.names), max(len(batch.names) - 1, 0))
    if not len(batch.names):
        return np.full(len(other), -1, dtype=np.int64)
    return np.where(batch.names[places] == other.names, places, -1)[other.codes].astype(np.int64)


def _edges(groups: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which rows are the first and which the last of their run."""
    change = groups[1:] != groups[:-1]
    one = np.ones(min(len(groups), 1), dtype=bool)
    return np.concatenate((one, change)), np.concatenate((change, one))


def _away(own: Floats, other: Floats) -> Floats:
    """Return by which share two prices differ, a cent apart from rounding; 0 where either is missing."""
    share = np.where(np.abs(own - other) > CENT * (1 + 1e-9), np.abs(own - other) / np.abs(other), 0.0)
    return np.nan_to_num(share, posinf=np.inf)


def _beyond(high: Floats, limit: Floats) -> Floats:
    return np.where(high > limit, _away(high, limit), 0.0)


def _nothing() -> Findings:
    none = np.array([], dtype=np.int64)
    return Findings(none, none.astype("datetime64[ns]"), none.astype(bool), str)
