"""Rules on when bars are: order, repetition, calendar, grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trading.bars import FIELDS, duration
from trading.calendar import session_hours, wall_clock
from trading.quality.findings import at_rows

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray

    from trading.quality.batch import Batch
    from trading.quality.findings import Findings
    from trading.quality.thresholds import Thresholds

PRE_MARKET = np.timedelta64(4, "h")
"""Extended hours begin at 04:00 New York."""
AFTER_HOURS = np.timedelta64(4, "h")
"""They end four hours after the close: at 20:00, and at 17:00 after an early close."""


WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def duplicates(batch: Batch, _: Thresholds) -> Findings:
    """Find a second bar of a symbol at one time: suspect when it is the same, quarantined when it differs."""
    repeated = batch.follows.copy()
    repeated[1:] &= batch.stamps[1:] == batch.stamps[:-1]
    rows = np.flatnonzero(repeated)
    differs = np.zeros(len(rows), dtype=bool)
    for name in FIELDS:
        values = getattr(batch, name)
        one, other = values[rows], values[rows - 1]
        differs |= (one != other) & ~(np.isnan(one) & np.isnan(other))
    return at_rows(
        batch,
        rows,
        differs,
        lambda number, _: f"second bar at this time, {'other' if differs[number] else 'same'} values",
    )


def out_of_order(batch: Batch, _: Thresholds) -> Findings:
    """Find bars that were delivered after a later bar of their symbol."""
    by_symbol = _as_delivered(batch)
    late = batch.codes[by_symbol][1:] == batch.codes[by_symbol][:-1]
    late &= batch.stamps[by_symbol][1:] < batch.stamps[by_symbol][:-1]
    places = np.flatnonzero(late) + 1
    order = np.argsort(by_symbol[places])
    rows, before = by_symbol[places][order], by_symbol[places - 1][order]
    clock = wall_clock(batch.stamps[before])
    return at_rows(
        batch, rows, False, lambda number, _: f"delivered after the bar of {_written(clock[number])} New York"
    )


def off_calendar(batch: Batch, _: Thresholds) -> Findings:
    """Find bars on a day without a session, or outside its hours: 04:00 to four hours after the close."""
    open_days = batch.session_numbers >= 0
    outside = ~open_days
    if batch.timeframe != "1Day":
        outside |= _outside_hours(batch)
    rows = np.flatnonzero(outside)

    def describe(_: int, row: int) -> str:
        why = "outside the session's hours" if open_days[row] else "no session that day"
        return f"{_written(batch.local[row])} New York: {why}"

    return at_rows(batch, rows, True, describe)


def off_grid(batch: Batch, _: Thresholds) -> Findings:
    """Find bars whose time no bar of the timeframe has: a daily one off midnight, a 5-minute one at 14:32."""
    if batch.timeframe == "1Day":
        away = batch.since_midnight != np.timedelta64(0, "ns")
    else:
        length = np.timedelta64(duration(batch.timeframe), "ns")
        away = batch.since_midnight % length != np.timedelta64(0, "ns")
    return at_rows(
        batch,
        np.flatnonzero(away),
        True,
        lambda _, row: f"{_written(batch.local[row])} New York: not on the {batch.timeframe} grid",
    )


def _as_delivered(batch: Batch) -> NDArray[np.int64]:
    """Return the rows of the batch by symbol and, within each, in the order they came."""
    if (batch.delivered[1:] > batch.delivered[:-1]).all():
        return batch.delivered
    rows = np.argsort(batch.delivered)
    return rows[np.argsort(batch.codes[rows], kind="stable")]


def _outside_hours(batch: Batch) -> NDArray[np.bool_]:
    numbers = batch.session_numbers
    known = np.unique(numbers[numbers >= 0])
    if not len(known):
        return np.zeros(len(batch), dtype=bool)
    closes = wall_clock(session_hours(known)[1])
    ends = closes - closes.astype("datetime64[D]") + AFTER_HOURS
    end = ends[np.minimum(np.searchsorted(known, numbers), len(known) - 1)]
    outside: NDArray[np.bool_] = (batch.since_midnight < PRE_MARKET) | (batch.since_midnight >= end)
    return outside


def _written(clock: np.datetime64) -> str:
    shown: datetime = clock.astype("datetime64[s]").item()
    return f"{WEEKDAYS[shown.weekday()]} {shown.isoformat(' ', 'minutes')}"
