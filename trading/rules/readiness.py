"""When a symbol has bars enough for a decision, and when a rule decides."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import numpy as np

from trading.calendar import ends_month, ends_week, session_dates
from trading.indicators.computing import by_symbol

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trading.bars import Floats, Panel

Values = dict[str, float | int | str | None]
"""The figures of a reason, JSON-ready."""

Rebalance = Literal["daily", "weekly", "monthly"]
"""At every close, or at the last of each week or month."""

STALE_ROWS = 5
"""A symbol without a bar for this many rows no longer takes a share of the capital."""

LONGEST_MONTH = 23
"""Most sessions in a month: the last decision of a monthly rule is at most this many bars back."""

BETWEEN: dict[Rebalance, int] = {"daily": 0, "weekly": 5, "monthly": LONGEST_MONTH}
"""Most bars since the last decision."""


def enough(panel: Panel, bars: int) -> NDArray[np.bool_]:
    """Return (T, N), whether a symbol has had that many bars, the last of them not stale."""
    return by_symbol(panel).remembered(("enough", bars), lambda: _enough(panel, bars))


def _enough(panel: Panel, bars: int) -> NDArray[np.bool_]:
    seen = ~np.isnan(panel.close)
    rows = np.arange(len(panel))[:, None]
    if not len(panel):
        return seen
    latest = np.maximum.accumulate(np.where(seen, rows, -STALE_ROWS), axis=0)
    fresh: NDArray[np.bool_] = (np.cumsum(seen, axis=0) >= bars) & (rows - latest < STALE_ROWS)
    return fresh


def carried(values: Floats) -> Floats:
    """Return (T, N) values where each NaN takes the last figure above it in its column."""
    if not len(values):
        return values
    rows = np.where(np.isnan(values), 0, np.arange(len(values))[:, None])
    return np.take_along_axis(values, np.maximum.accumulate(rows, axis=0), axis=0)


def known(value: float) -> float | None:
    """Return the value, or None where it is not a finite number, as JSON wants it."""
    return value if math.isfinite(value) else None


def rebalancing_rows(panel: Panel, rebalance: Rebalance) -> NDArray[np.int64]:
    """Return (T,), the row of the last decision at or before each row; -1 before the first."""
    rows = np.arange(len(panel))
    if rebalance == "daily" or not len(panel):
        return rows
    ends = (ends_month if rebalance == "monthly" else ends_week)(session_dates(panel.timestamps))
    return np.maximum.accumulate(np.where(ends, rows, -1))
