"""Gaps: the runs of bars that the exchange's calendar has and a symbol has not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trading.calendar import missing_ranges

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd


@dataclass(frozen=True, slots=True)
class Gap:
    """A run of missing bars of one symbol.

    Attributes
    ----------
    symbol
        Whose.
    first, last
        Starts (UTC) of the first and the last missing bar, both included.
    bars
        How many are missing.
    ends
        Whether bars come after it; False when the symbol's bars end there.
    """

    symbol: str
    first: datetime
    last: datetime
    bars: int
    ends: bool


def find_gaps(symbol: str, expected: pd.DatetimeIndex, stored: pd.DatetimeIndex) -> list[Gap]:
    """Return the gaps of a symbol, oldest first.

    Parameters
    ----------
    symbol
        Whose bars they are.
    expected
        Starts (UTC) of the bars that should exist, increasing.
    stored
        Starts (UTC) of those that do, in any order.
    """
    newest = stored.max() if len(stored) else None
    return [
        Gap(
            symbol,
            first,
            last,
            int(expected.searchsorted(last, side="right") - expected.searchsorted(first)),
            ends=newest is not None and last < newest,
        )
        for first, last in missing_ranges(expected, stored)
    ]
