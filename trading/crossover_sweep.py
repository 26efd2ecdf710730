"""Every pair of simple moving averages over every symbol at once: long while the fast one is above the slow one.

Each symbol is an account of its own that is all in or out, in fractions of shares; decided at a close, filled at the
next open. The averages of a length are worked out once and shared by all pairs that use it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import prange

from trading.calendar import SESSIONS_PER_YEAR
from trading.compilation import compiled, spread
from trading.errors import DataError, InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from trading.bars import Floats, Panel

FIGURES = ("total_return", "sharpe", "max_drawdown", "trades")


@dataclass(frozen=True, slots=True, eq=False)
class CrossoverSweep:
    """What each pair made of each symbol.

    Attributes
    ----------
    pairs
        The P (fast, slow) lengths, bars.
    total_return, max_drawdown
        (P, N) fractions; the drawdown is at closes, zero or above. NaN for a symbol without bars to decide on.
    sharpe
        (P, N) mean over sample deviation (ddof 1) of the bars' returns, times the root of 252; NaN without trades.
    trades
        (P, N) positions opened.
    """

    pairs: tuple[tuple[int, int], ...]
    total_return: Floats
    sharpe: Floats
    max_drawdown: Floats
    trades: Floats


def sweep_crossovers(
    panel: Panel, pairs: Sequence[tuple[int, int]], *, commission_bps: float = 0.0, first: int = 0
) -> CrossoverSweep:
    """Try every pair of lengths on every symbol of a panel.

    Parameters
    ----------
    panel
        T bars of N symbols; a missing bar is left out, as if the symbol's bars followed one another.
    pairs
        (fast, slow) in bars, fast below slow.
    commission_bps
        Of the notional of each fill.
    first
        Row at whose close the first decision is; those before only fill the averages.

    Raises
    ------
    DataError
        There are no bars.
    InvalidValueError
        There are no pairs, or one is not 1 <= fast < slow.
    """
    if not len(panel):
        raise DataError("no bars to sweep over; fetch market data first")
    if not pairs:
        raise InvalidValueError("pairs", list(pairs), "at least one (fast, slow)")
    for pair in pairs:
        if not 1 <= pair[0] < pair[1]:
            raise InvalidValueError("a pair of lengths", pair, "1 <= fast < slow")
    lengths = sorted({length for pair in pairs for length in pair})
    place = {length: at for at, length in enumerate(lengths)}
    indices = np.array([(place[fast], place[slow]) for fast, slow in pairs], dtype=np.int64)
    order = np.lexsort((indices[:, 0], indices[:, 1]))  # pairs of one slow average follow one another: it stays near
    figures = _sweep(
        np.ascontiguousarray(panel.open.T),
        np.ascontiguousarray(panel.close.T),
        np.array(lengths, dtype=np.int64),
        indices[order],
        commission_bps / 10_000,
        first,
    )
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    total, sharpe, drawdown, trades = (np.ascontiguousarray(figures[:, back, at].T) for at in range(len(FIGURES)))
    return CrossoverSweep(tuple(pairs), total, sharpe, drawdown, trades)


@spread
def _sweep(
    opens: Floats, closes: Floats, lengths: NDArray[np.int64], pairs: NDArray[np.int64], fee: float, first: int
) -> Floats:
    """Return (N, P, 4) figures; `opens` and `closes` are (N, T), `pairs` are places in `lengths`."""
    symbols = len(closes)
    figures = np.empty((symbols, len(pairs), 4))
    for symbol in prange(symbols):
        rows = np.flatnonzero((closes[symbol] > 0) & (opens[symbol] > 0))
        start, close = opens[symbol][rows], closes[symbol][rows]
        count, begin = len(rows), int(np.searchsorted(rows, first))
        if begin == count:
            figures[symbol] = np.nan
            continue
        averages = _averages(close, lengths)
        gains, squares = _running(close)
        tops, lows, falls = _ranges(close)
        rounding = 4e-16 * np.sum(close)  # of the running sums: averages no further apart are equal
        above = np.zeros(count, np.uint8)
        held = above[begin:]
        edges = np.zeros((count + 7) // 8 * 8, np.uint8)
        words = edges.view(np.uint64)
        turns = np.empty(count, np.int64)
        for pair in range(len(pairs)):
            fast, slow = averages[pairs[pair, 0], begin:], averages[pairs[pair, 1], begin:]
            for row in range(len(held)):  # from zero: rows that might count from the end are not compared in one go
                held[row] = fast[row] > slow[row] + rounding
            for row in range(1, count):
                edges[row] = above[row] ^ above[row - 1]
            edges[0] = above[0]
            found = _turns(words, edges, turns)
            _one(start, close, turns[:found], gains, squares, tops, lows, falls, fee, begin, figures[symbol, pair])
    return figures


@compiled
def _averages(close: Floats, lengths: NDArray[np.int64]) -> Floats:
    """Return (L, T) averages of each length as differences of running sums, NaN until the window is full."""
    count = len(close)
    sums = np.zeros(count + 1)
    for row in range(count):
        sums[row + 1] = sums[row] + close[row]
    averages = np.full((len(lengths), count), np.nan)
    for at in range(len(lengths)):
        length = lengths[at]
        for row in range(length - 1, count):
            averages[at, row] = (sums[row + 1] - sums[row + 1 - length]) / length
    return averages


@compiled
def _running(close: Floats) -> tuple[Floats, Floats]:
    """Return the running sums of the returns and of their squares."""
    gains, squares = np.zeros(len(close)), np.zeros(len(close))
    for row in range(1, len(close)):
        gain = close[row] / close[row - 1] - 1
        gains[row] = gains[row - 1] + gain
        squares[row] = squares[row - 1] + gain * gain
    return gains, squares


@compiled
def _ranges(close: Floats) -> tuple[Floats, Floats, Floats]:
    """Return highest, lowest and deepest fall (lowest over an earlier high) of ranges, (K, T), for `_range`.

    A disjoint sparse table: on level k, rows are in blocks of 2 ** (k + 1), and each row's range goes from it to the
    middle of its block, or from the middle to it. Any range is two of them.
    """
    count = len(close)
    levels = 1
    while 2**levels < count:
        levels += 1
    tops, lows, falls = np.empty((levels, count)), np.empty((levels, count)), np.empty((levels, count))
    for level in range(levels):
        half = 2**level
        for middle in range(half, count + half, 2 * half):
            top, low, fall = 0.0, np.inf, 1.0
            for row in range(min(middle, count) - 1, middle - half - 1, -1):
                fall = min(fall, low / close[row])
                top, low = max(top, close[row]), min(low, close[row])
                tops[level, row], lows[level, row], falls[level, row] = top, low, fall
            top, low, fall = 0.0, np.inf, 1.0
            for row in range(middle, min(middle + half, count)):
                top, low = max(top, close[row]), min(low, close[row])
                fall = min(fall, close[row] / top)
                tops[level, row], lows[level, row], falls[level, row] = top, low, fall
    return tops, lows, falls


@compiled
def _turns(words: NDArray[np.uint64], edges: NDArray[np.uint8], turns: NDArray[np.int64]) -> int:
    """Write the rows whose edge is set, eight rows at a look; return how many."""
    found = 0
    for word in range(len(words)):
        if words[word] != 0:
            for row in range(8 * word, 8 * word + 8):
                if edges[row]:
                    turns[found] = row
                    found += 1
    return found


@compiled
def _one(
    start: Floats,
    close: Floats,
    turns: NDArray[np.int64],
    gains: Floats,
    squares: Floats,
    tops: Floats,
    lows: Floats,
    falls: Floats,
    fee: float,
    begin: int,
    figures: Floats,
) -> None:
    """Write the figures of one pair on one symbol from row `begin` on, whose averages change sides at `turns`.

    From its first close to its last a position moves as the price does: the sums of its returns, its peak and its
    deepest fall are those of the price, looked up.
    """
    last = len(close) - 1
    equity, peak, deepest = 1.0, 1.0, 1.0
    total, square, trades = 0.0, 0.0, 0
    for turn in range(0, len(turns), 2):
        entry = turns[turn] + 1
        if entry > last:
            break
        left = turns[turn + 1] if turn + 1 < len(turns) else last  # held to this close, sold at the next open
        trades += 1
        shares = equity / (start[entry] * (1 + fee))
        gain = shares * close[entry] / equity - 1
        total += gain + gains[left] - gains[entry]
        square += gain * gain + squares[left] - squares[entry]
        top = low = close[entry]
        fall = 1.0
        if left > entry:
            level, apart = 0, (entry ^ left) >> 1
            while apart > 0:
                level, apart = level + 1, apart >> 1
            top, low = max(tops[level, entry], tops[level, left]), min(lows[level, entry], lows[level, left])
            fall = min(falls[level, entry], falls[level, left], lows[level, left] / tops[level, entry])
        deepest = min(deepest, fall, shares * low / peak)
        peak = max(peak, shares * top)
        equity = shares * close[left]
        if left < last:
            sold = shares * start[left + 1] * (1 - fee)
            gain = sold / equity - 1
            total += gain
            square += gain * gain
            equity = sold
            deepest = min(deepest, equity / peak)
            peak = max(peak, equity)
    returns = last - begin
    figures[0] = equity - 1
    figures[1] = np.nan
    if returns > 1 and trades > 0:
        variance = (square - total * total / returns) / (returns - 1)
        if variance > 0:
            figures[1] = total / returns / math.sqrt(variance) * math.sqrt(SESSIONS_PER_YEAR)
    figures[2] = 1 - deepest
    figures[3] = trades
