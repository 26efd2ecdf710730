"""Rules on bars that are not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trading.bars import duration
from trading.calendar import bar_timestamp, session_days, session_hours, wall_clock
from trading.quality.findings import Findings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trading.bars import Floats
    from trading.quality.batch import Batch
    from trading.quality.thresholds import Thresholds

Numbers = np.ndarray[tuple[int], np.dtype[np.int64]]


def missing_sessions(batch: Batch, _: Thresholds) -> Findings:
    """Find sessions without a bar between a symbol's first and last bar; there is nothing to quarantine."""
    rows = np.flatnonzero(batch.session_numbers >= 0)
    codes, numbers = batch.codes[rows], batch.session_numbers[rows]
    steps = np.where(codes[1:] == codes[:-1], numbers[1:] - numbers[:-1], 0)
    before = np.flatnonzero(steps > 1)
    absent = _runs(numbers[before] + 1, steps[before] - 1)
    days = session_days(absent)
    if batch.timeframe == "1Day":
        instants = [bar_timestamp(day).replace(tzinfo=None) for day in days.tolist()]
        stamps = np.array(instants, dtype="datetime64[ns]")
    else:
        stamps = session_hours(absent)[0]
    return Findings(
        np.repeat(codes[before], steps[before] - 1),
        stamps,
        np.zeros(len(absent), dtype=bool),
        lambda number: f"no bar for the session of {days[number]}",
    )


def missing_bars(batch: Batch, thresholds: Thresholds) -> Findings:
    """Find runs of intraday bars missing from regular hours; one finding for each, at the first missing bar.

    A thin symbol does not trade in every bar: with a usual share s of bars traded, a run of k is found when
    (1 - s)^k is below `missing_score`. Sessions without any bar are left to `missing_sessions`.
    """
    if batch.timeframe == "1Day":
        return _nothing()
    codes, numbers, slots, counts = _regular(batch)
    if not len(codes):
        return _nothing()
    own = codes[1:] == codes[:-1]
    same = own & (numbers[1:] == numbers[:-1])
    inside = np.flatnonzero(same & (slots[1:] - slots[:-1] > 1))
    late = np.flatnonzero(own & ~same & (slots[1:] > 0)) + 1
    early = np.flatnonzero(own & ~same & (slots[:-1] < counts[:-1] - 1))
    place = np.concatenate((inside, late, early))
    first = np.concatenate((slots[inside] + 1, np.zeros(len(late), np.int64), slots[early] + 1))
    lengths = np.concatenate((slots[inside + 1] - slots[inside] - 1, slots[late], counts[early] - 1 - slots[early]))
    share = _traded_share(codes, same, counts)[codes[place]]
    certain = (share >= thresholds.complete) | ((1 - share) ** lengths < thresholds.missing_score)
    place, first, lengths = place[certain], first[certain], lengths[certain]
    length = np.timedelta64(duration(batch.timeframe), "ns")
    stamps = _grid_open(batch, numbers[place]) + first * length
    until = wall_clock(stamps + (lengths - 1) * length)

    def describe(number: int) -> str:
        last = until[number].astype("datetime64[s]").item()
        return f"{lengths[number]} bar(s) missing, the last at {last:%H:%M} New York"

    return Findings(codes[place], stamps, np.zeros(len(place), dtype=bool), describe)


def _regular(batch: Batch) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Return symbol, session, slot in the session and slots of the session for each bar of regular hours."""
    length = np.timedelta64(duration(batch.timeframe), "ns")
    held = np.flatnonzero(batch.session_numbers >= 0)
    numbers = batch.session_numbers[held]
    changed = np.concatenate(([True], numbers[1:] != numbers[:-1])) if len(numbers) else np.array([], bool)
    place = np.cumsum(changed) - 1
    opens = _grid_open(batch, numbers[changed])
    lasts = session_hours(numbers[changed])[1] - np.timedelta64(1, "ns")
    counts = ((lasts - opens) // length + 1).astype(np.int64)[place]
    slots = ((batch.stamps[held] - opens[place]) // length).astype(np.int64)
    kept = (slots >= 0) & (slots < counts)
    return batch.codes[held][kept], numbers[kept], slots[kept], counts[kept]


def _grid_open(batch: Batch, numbers: NDArray[np.int64]) -> NDArray[np.datetime64]:
    """Return the start of the bar that holds the open: 09:00 for hourly bars."""
    length = duration(batch.timeframe) // duration("1Min") * 60 * 10**9
    opens = session_hours(numbers)[0].astype(np.int64)
    return (opens - opens % length).astype("datetime64[ns]")


def _traded_share(codes: Numbers, same: NDArray[np.bool_], counts: Numbers) -> Floats:
    """Return, by symbol code, the median over sessions of the share of bars that are there."""
    import pandas as pd

    starts = np.concatenate(([0], np.flatnonzero(~same) + 1))
    held = np.diff(np.append(starts, len(codes)))
    shares = pd.Series(np.minimum(held / counts[starts], 1.0)).groupby(codes[starts]).median()
    return shares.reindex(range(int(codes[-1]) + 1)).to_numpy(dtype=np.float64)


def _runs(first: NDArray[np.int64], lengths: NDArray[np.int64]) -> Numbers:
    """Return first, first + 1, ... of each run, one after the other."""
    ends = np.cumsum(lengths)
    offsets = np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - lengths, lengths)
    return np.repeat(first, lengths) + offsets


def _nothing() -> Findings:
    none = np.array([], dtype=np.int64)
    return Findings(none, none.astype("datetime64[ns]"), none.astype(bool), str)
