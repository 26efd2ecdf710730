"""Rule on who a ticker belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trading.quality.findings import at_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trading.bars import Floats
    from trading.quality.batch import Batch
    from trading.quality.findings import Findings
    from trading.quality.thresholds import Thresholds

AROUND = 20
"""Bars on each side of a gap that say what volume is usual there."""


def reused_tickers(batch: Batch, thresholds: Thresholds) -> Findings:
    """Find the first bar after a long gap at which the symbol looks like another company's.

    The price must have moved further than the symbol's own moves would carry it over the gap, or the usual
    volume must have changed beyond what companies do.
    """
    steps = np.zeros(len(batch), dtype=np.int64)
    steps[1:] = np.where(batch.follows[1:], batch.session_numbers[1:] - batch.session_numbers[:-1], 0)
    known = batch.session_numbers >= 0
    known[1:] &= known[:-1]
    rows = np.flatnonzero(known & (steps > thresholds.identity_gap))
    moves = batch.moves[rows]
    moved = np.abs(moves) > carried(batch, rows, steps[rows], thresholds)
    volumes = _volume_changes(batch, rows)
    kept = moved | (np.abs(volumes) > np.log(thresholds.identity_volume))
    rows, moves, volumes = rows[kept], moves[kept], volumes[kept]

    def describe(number: int, row: int) -> str:
        return (
            f"after {steps[row] - 1} sessions without a bar the close is {np.expm1(moves[number]):+.0%} away and "
            f"volume {np.exp(volumes[number]):.2g} times the usual: perhaps another company"
        )

    return at_rows(batch, rows, False, describe)


def carried(batch: Batch, rows: NDArray[np.int64], sessions: NDArray[np.int64], thresholds: Thresholds) -> Floats:
    """Return the largest log move that symbols make by themselves over gaps of `sessions` (K,) before (K,) rows."""
    deviations = batch.move_deviations[batch.codes[rows]]
    expected = thresholds.identity_score * deviations * np.sqrt(np.maximum(sessions, 0) * batch.bars_a_session)
    reach: Floats = np.fmax(expected, np.log(thresholds.identity_level))
    return reach


def _volume_changes(batch: Batch, rows: NDArray[np.int64]) -> Floats:
    """Return the log change of the median volume from before each row to it and after; NaN for short histories."""
    before = batch.usual(batch.volume, rows, AROUND, AROUND // 2)
    ends = batch.starts[batch.codes[rows] + 1]
    places = rows[:, None] + np.arange(AROUND)
    inside = places < ends[:, None]
    after = np.where(inside, batch.volume[np.minimum(places, max(len(batch) - 1, 0))], np.nan)
    enough = np.count_nonzero(~np.isnan(after), axis=1) >= AROUND // 2
    medians = np.full(len(rows), np.nan)
    medians[enough] = np.nanmedian(after[enough], axis=1) if enough.any() else np.nan
    return np.log(medians / before)
