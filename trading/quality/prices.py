"""Rules on the prices of one bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trading.bars import FIELDS
from trading.quality.batch import MAD_TO_DEVIATION
from trading.quality.findings import at_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trading.bars import Floats
    from trading.quality.batch import Batch
    from trading.quality.findings import Findings
    from trading.quality.thresholds import Thresholds

PRICES = FIELDS[:4]


def nulls(batch: Batch, _: Thresholds) -> Findings:
    """Find bars without a price (quarantined) or without a volume (suspect)."""
    absent = np.column_stack([np.isnan(getattr(batch, name)) for name in FIELDS])
    rows = np.flatnonzero(absent.any(axis=1))

    def describe(_: int, row: int) -> str:
        names = [name for name, gone in zip(FIELDS, absent[row], strict=True) if gone]
        return f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'} missing"

    return at_rows(batch, rows, absent[rows, :4].any(axis=1), describe)


def prices_above_zero(batch: Batch, _: Thresholds) -> Findings:
    """Find prices that are zero, negative or infinite."""
    wrong = np.zeros(len(batch), dtype=bool)
    for name in PRICES:
        values = getattr(batch, name)
        wrong |= (values <= 0) | np.isinf(values)

    def describe(_: int, row: int) -> str:
        values = {name: float(getattr(batch, name)[row]) for name in PRICES}
        return ", ".join(f"{name} is {value:g}" for name, value in values.items() if value <= 0 or np.isinf(value))

    return at_rows(batch, np.flatnonzero(wrong), True, describe)


def high_and_low(batch: Batch, thresholds: Thresholds) -> Findings:
    """Find bars whose high is below, or low above, another of their prices; suspect if it may be rounding."""
    top = np.fmax(np.fmax(batch.open, batch.close), batch.low)
    bottom = np.fmin(np.fmin(batch.open, batch.close), batch.high)
    rows = np.flatnonzero((batch.high < top) | (batch.low > bottom))
    excess = np.fmax(top[rows] - batch.high[rows], batch.low[rows] - bottom[rows])
    grave = excess >= thresholds.rounding * np.where(top[rows] == 0, 1.0, np.abs(top[rows]))
    return at_rows(batch, rows, grave, lambda _, row: _quote(batch, row))


def lone_extremes(batch: Batch, thresholds: Thresholds) -> Findings:
    """Find highs and lows far beyond open, close and the close before that only one tick can have made.

    Judged against the symbol's own usual reach and that of all symbols at that time: in a flash crash the
    reach of everything is far. Beyond a factor of two the bar is quarantined.
    """
    before = np.where(np.isnan(batch.previous_close), batch.close, batch.previous_close)
    top = np.fmax(np.fmax(batch.open, batch.close), before)
    bottom = np.fmin(np.fmin(batch.open, batch.close), before)
    above, below = np.log(batch.high / top), np.log(bottom / batch.low)
    reach = np.fmax(above, below)
    reach[~np.isfinite(reach)] = np.nan
    rows = np.flatnonzero(reach > np.log1p(thresholds.wick))
    scores = _reach_scores(batch, reach, rows)
    traded = batch.trading(rows, thresholds.history) > thresholds.traded
    grave = reach[rows] > np.log(thresholds.wick_factor)
    kept = (scores > thresholds.wick_score) & (grave | ~traded)
    rows, grave, scores = rows[kept], grave[kept], scores[kept]

    def describe(number: int, row: int) -> str:
        name = "high" if above[row] > below[row] else "low"
        return f"{name} {getattr(batch, name)[row]:g} stands alone ({scores[number]:.0f} deviations): " + _quote(
            batch, row
        )

    return at_rows(batch, rows, grave, describe)


def _reach_scores(batch: Batch, reach: Floats, rows: NDArray[np.int64]) -> Floats:
    center, spread = batch.crowd(np.maximum(reach, 0.0), rows)
    own = MAD_TO_DEVIATION * batch.medians(np.maximum(reach, 0.0))[batch.codes[rows]] if len(rows) else spread
    scores: Floats = (reach[rows] - center) / np.fmax(own, spread)
    return scores


def _quote(batch: Batch, row: int) -> str:
    return ", ".join(f"{name} {getattr(batch, name)[row]:g}" for name in PRICES)
