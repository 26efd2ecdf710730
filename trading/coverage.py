"""Which bars to ask for: bounded chunks of what should exist, less what is stored or was asked for before."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from itertools import batched
from typing import TYPE_CHECKING

import numpy as np

from trading.calendar import completed_bars, missing_ranges

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import pandas as pd

type Span = tuple[datetime, datetime]
"""Starts of the first and the last bar of a range, both included."""

SAME_DAY = timedelta(hours=8)
"""Gaps of an intraday symbol that lie closer together than this are asked for in one request."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A bounded part of a fetch: some symbols, a range of bars (starts in UTC, both included)."""

    symbols: tuple[str, ...]
    start: datetime
    end: datetime


def chunks(
    begins: Mapping[str, datetime], *, timeframe: str, until: datetime, symbols_a_chunk: int, bars_a_chunk: int
) -> list[list[Chunk]]:
    """Cut a fetch into chunks.

    Parameters
    ----------
    begins
        From when on (UTC) each symbol's bars are wanted.
    until
        Bars complete by this time (UTC) are wanted.
    symbols_a_chunk, bars_a_chunk
        How many symbols, and how many bars of all of them together, a chunk holds at most.

    Returns
    -------
    A list per batch of symbols, each oldest chunk first. Kept in that order, a symbol's newest stored bar says
    how far a fetch that was interrupted had come.
    """
    ordered = sorted(begins, key=lambda symbol: (begins[symbol], symbol))
    planned = []
    for batch in batched(ordered, symbols_a_chunk):
        expected = completed_bars(timeframe, begins[batch[0]], until)
        length = max(bars_a_chunk // len(batch), 1)
        pieces = [expected[first : first + length] for first in range(0, len(expected), length)]
        planned.append(
            [Chunk(tuple(sorted(batch)), piece[0].to_pydatetime(), piece[-1].to_pydatetime()) for piece in pieces]
        )
    return [batch for batch in planned if batch]


def requests(
    chunk: Chunk,
    *,
    timeframe: str,
    expected: pd.DatetimeIndex,
    stored: Mapping[str, pd.DatetimeIndex],
    covered: Mapping[str, Sequence[Span]],
) -> dict[Span, list[str]]:
    """Return what of a chunk is to be asked for: the symbols of each range.

    Parameters
    ----------
    expected
        The bars (starts, UTC) that the chunk should have.
    stored
        Those that are there, per symbol.
    covered
        Ranges that were asked for before and answered in full: what is absent there does not exist.
    """
    wanted: dict[Span, list[str]] = defaultdict(list)
    for symbol in chunk.symbols:
        known = expected.isin(stored[symbol]) if symbol in stored else np.zeros(len(expected), bool)
        for first, last in covered.get(symbol, ()):
            known[expected.searchsorted(first) : expected.searchsorted(last, side="right")] = True
        gaps = missing_ranges(expected, expected[known])
        for gap in gaps if timeframe == "1Day" else _joined(gaps):
            wanted[gap].append(symbol)
    return dict(sorted(wanted.items()))


def _joined(gaps: list[Span]) -> list[Span]:
    joined: list[Span] = []
    for first, last in gaps:
        if joined and first - joined[-1][1] < SAME_DAY:
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    return joined
