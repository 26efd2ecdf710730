"""Rules on volume, and on feeds that stand still."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trading.quality.batch import MAD_TO_DEVIATION
from trading.quality.findings import at_rows

if TYPE_CHECKING:
    from trading.quality.batch import Batch
    from trading.quality.findings import Findings
    from trading.quality.thresholds import Thresholds

LEAST = 20
"""Bars before that it takes to say what is usual."""


def volume(batch: Batch, _: Thresholds) -> Findings:
    """Find bars with a negative or infinite volume (quarantined) or none (suspect)."""
    rows = np.flatnonzero((batch.volume <= 0) | np.isinf(batch.volume))
    return at_rows(batch, rows, batch.volume[rows] != 0, lambda _, row: f"volume is {batch.volume[row]:g}")


def volume_spikes(batch: Batch, thresholds: Thresholds) -> Findings:
    """Find volumes out of all proportion to the bars before, far more than a takeover brings or next to none."""
    logs = np.log(np.where((batch.volume > 0) & np.isfinite(batch.volume), batch.volume, np.nan))
    center = batch.medians(logs)
    spread = MAD_TO_DEVIATION * batch.medians(np.abs(logs - center[batch.codes]))
    surge, collapse = np.log(thresholds.volume_surge), -np.log(thresholds.volume_collapse)
    away = logs - center[batch.codes]
    # the median of everything may be off by the growth of years: what it lets through, the bars before judge
    unusual = (away > surge / 2) | (away < collapse / 2)
    rows = np.flatnonzero(unusual & (np.abs(away) > thresholds.volume_score * spread[batch.codes] / 2))
    usual = batch.usual_alike(logs, rows, thresholds.history, LEAST)
    change = logs[rows] - usual
    kept = (change > surge) | (change < collapse)
    kept &= np.abs(change) > thresholds.volume_score * spread[batch.codes[rows]]
    rows, usual = rows[kept], np.exp(usual[kept])
    return at_rows(
        batch, rows, False, lambda number, row: f"volume {batch.volume[row]:.0f}, usually {usual[number]:.0f}"
    )


def stale_repeats(batch: Batch, thresholds: Thresholds) -> Findings:
    """Find the fifth and later of identical closes and volumes in a row: trade never repeats to the share."""
    limit = thresholds.stale_bars if batch.timeframe == "1Day" else thresholds.stale_bars_intraday
    same = batch.follows & (batch.volume > 0)
    same[1:] &= (batch.close[1:] == batch.close[:-1]) & (batch.volume[1:] == batch.volume[:-1])
    numbers = np.arange(len(same))
    first = np.maximum.accumulate(np.where(same, 0, numbers)) if len(numbers) else numbers
    rows = np.flatnonzero(numbers - first >= limit - 1)

    def describe(_: int, row: int) -> str:
        count = row - first[row] + 1
        return f"close {batch.close[row]:g} and volume {batch.volume[row]:.0f} for {count} bars in a row"

    return at_rows(batch, rows, True, describe)
