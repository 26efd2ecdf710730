"""Rules on moves of the close: jumps that nobody traded, ticks that are taken back, levels that flip.

A move counts beyond the median move of all symbols at that time, in robust deviations of the symbol's own
moves or of the spread between symbols, whichever is larger. A real crash is told from a wrong price by what
a wrong price never has: dollar volume far above the usual, or a way from the open to the close.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from trading.quality.findings import Findings, at_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from trading.bars import Floats
    from trading.quality.batch import Batch
    from trading.quality.thresholds import Thresholds

LEVEL_BARS = 11
"""Bars whose median close is the level that a jump leaves."""

_NEAR = 16
LIKELY_RATIOS = (Fraction(3, 2), *(Fraction(whole) for whole in (2, 3, 4, 5, 6, 7, 8, 10, 15, 20, 25, 30, 50)))


@dataclass(frozen=True, slots=True, eq=False)
class Jumps:
    """J rows whose move is far out, in order: log move beyond the market, score, and how much was traded."""

    rows: NDArray[np.int64]
    sizes: Floats
    scores: Floats
    trading: Floats
    limits: Thresholds

    @property
    def big(self) -> NDArray[np.bool_]:
        """(J,), whether the size alone makes it a jump, not only a tick."""
        above: NDArray[np.bool_] = np.abs(self.sizes) > np.log1p(self.limits.jump)
        return above

    @property
    def traded(self) -> NDArray[np.bool_]:
        """(J,), whether dollar volume shows that many took part."""
        above: NDArray[np.bool_] = self.trading > self.limits.traded
        return above


@dataclass(frozen=True, slots=True)
class Excursion:
    """A level left and taken up again: rows `first` .. `last` are off it by the log `size`."""

    jump: int
    first: int
    last: int
    size: float

    @property
    def bars(self) -> int:
        """How many bars are off the level."""
        return self.last - self.first + 1


def price_jumps(batch: Batch, thresholds: Thresholds) -> Findings:
    """Find jumps that no corporate action and no trading explains.

    One that lasts is suspect: a crash, or an action nobody recorded. Bars off the level that is then taken up
    again are quarantined from `certain` on, suspect below.
    """
    jumps = find_jumps(batch, thresholds)
    excursions = list(_excursions(batch, jumps))
    ticks = _untraded(_others(excursions, batch, thresholds), batch, jumps)
    covered = np.isin(jumps.rows, [row for one in excursions for row in (one.first, one.last + 1)])
    lasting = np.flatnonzero(jumps.big & ~jumps.traded & ~_came_about(batch, jumps) & ~covered)
    words = [f"{_moved(jumps, one.jump)} and back after {one.bars} bar(s)" for one in ticks for _ in range(one.bars)]
    words += [
        f"{_moved(jumps, number)} without unusual trading{_guess(batch, jumps, number)}" for number in lasting.tolist()
    ]
    grave = [abs(one.size) > np.log1p(thresholds.certain) for one in ticks for _ in range(one.bars)]
    rows = np.concatenate((_rows(ticks), jumps.rows[lasting]))
    quarantined = np.concatenate((np.array(grave, dtype=bool), np.zeros(len(lasting), dtype=bool)))
    return at_rows(batch, rows, quarantined, lambda number, _: words[number])


def split_flips(batch: Batch, thresholds: Thresholds) -> Findings:
    """Find bars off their symbol's level by a split's ratio for a while: adjusted and raw ones are mixed.

    One single bar off by a likely ratio is left to `price_jumps`, unless that ratio is of a known split or the
    same happens again.
    """
    excursions = list(_excursions(batch, find_jumps(batch, thresholds)))
    ticks = {one.jump for one in _others(excursions, batch, thresholds)}
    flips = [one for one in excursions if one.jump not in ticks]
    words = [
        f"off its level by {_written(_ratio(one.size, thresholds) or Fraction(1), one.size)} for {one.bars} bar(s)"
        for one in flips
        for _ in range(one.bars)
    ]
    return at_rows(batch, _rows(flips), True, lambda number, _: words[number])


def find_jumps(batch: Batch, thresholds: Thresholds) -> Jumps:
    """Return the moves of at least `tick` beyond the market's that score `jump_score`."""
    least = np.log1p(thresholds.tick)
    rows = np.flatnonzero(np.abs(batch.moves) > least)
    center, spread = batch.crowd(batch.moves, rows)
    sizes = batch.moves[rows] - center
    scores = sizes / np.fmax(batch.move_deviations[batch.codes[rows]], spread)
    kept = (np.abs(sizes) > least) & (np.abs(scores) > thresholds.jump_score)
    rows, sizes, scores = rows[kept], sizes[kept], scores[kept]
    return Jumps(rows, sizes, scores, batch.trading(rows, thresholds.history), thresholds)


def _excursions(batch: Batch, jumps: Jumps) -> Iterator[Excursion]:
    """Pair each jump with the bar that takes it back, from the first jump to the last.

    That bar is the first near the old level, and it must get there by a jump: a crash recovers bar by bar. A level
    that is not the one of most bars before, or was held for no more bars than the excursion lasts, is not the
    symbol's own to return to.
    """
    level = np.log(batch.close * batch.factors)
    away = level[batch.previous[jumps.rows]] - batch.usual(level, jumps.rows, LEVEL_BARS, LEVEL_BARS // 2)
    departs = ~(np.abs(away) > np.abs(jumps.sizes) / 2)
    own, held, taken = -1, 0, -1  # symbol, bars at its level, last row already judged
    since = 0
    for number, row in enumerate(jumps.rows.tolist()):
        if batch.codes[row] != own:
            own, held, since = int(batch.codes[row]), 0, int(batch.starts[batch.codes[row]])
        if row <= taken:
            continue
        held += row - since
        since = row
        back = _first_back(batch, level, jumps, number) if departs[number] else None
        if back is not None and back - row < held:
            yield Excursion(number, row, back - 1, float(jumps.sizes[number]))
            since = taken = back
        elif jumps.big[number]:
            held = 0


def _first_back(batch: Batch, level: Floats, jumps: Jumps, number: int) -> int | None:
    """Return the first row at the level from before a jump, if it got there by a jump."""
    row, size, limits = int(jumps.rows[number]), float(jumps.sizes[number]), jumps.limits
    reach = _reach(batch, jumps, number)
    before = level[batch.previous[row]]
    end = min(row + 1 + reach, int(batch.starts[batch.codes[row] + 1]))
    first, width = row + 1, _NEAR
    while first < end:
        last = min(first + width, end)
        near = np.flatnonzero(np.abs(level[first:last] - before) < limits.taken_back * abs(size))
        if len(near):
            back = first + int(near[0])
            return back if batch.moves[back] * -np.sign(size) > abs(size) / 2 else None
        first, width = last, width * _NEAR
    return None


def _reach(batch: Batch, jumps: Jumps, number: int) -> int:
    """Return within how many bars a jump must be taken back: a split's flip may take weeks, a small tick one bar."""
    if not jumps.big[number]:
        return 1
    likely = _ratio(float(jumps.sizes[number]), jumps.limits) is not None
    return int(jumps.limits.flip_sessions * batch.bars_a_session) if likely else jumps.limits.tick_bars


def _others(excursions: list[Excursion], batch: Batch, thresholds: Thresholds) -> list[Excursion]:
    """Return the excursions that are no flips between the terms before and after a split."""
    ratios = [_ratio(one.size, thresholds) if abs(one.size) > np.log1p(thresholds.jump) else None for one in excursions]
    codes = [int(batch.codes[one.first]) for one in excursions]
    often = Counter(zip(codes, ratios, strict=True))
    return [
        one
        for one, code, ratio in zip(excursions, codes, ratios, strict=True)
        if ratio is None or not (one.bars > 1 or often[code, ratio] > 1 or _is_known(ratio, code, batch))
    ]


def _rows(excursions: list[Excursion]) -> NDArray[np.int64]:
    return np.array([row for one in excursions for row in range(one.first, one.last + 1)], dtype=np.int64)


def _is_known(ratio: Fraction, code: int, batch: Batch) -> bool:
    if batch.actions is None:
        return False
    own = (batch.actions.symbols == batch.names[code]) & (batch.actions.kinds == "split")
    return bool(np.isclose(np.abs(np.log(batch.actions.values[own])), np.log(float(ratio))).any())


def _untraded(excursions: list[Excursion], batch: Batch, jumps: Jumps) -> list[Excursion]:
    """Return those that trading does not explain; of small ones the way back may be it: a rumour and its denial."""
    backs = np.array([one.last + 1 for one in excursions], dtype=np.int64)
    on_return = batch.trading(backs, jumps.limits.history) > jumps.limits.traded
    return [
        one
        for one, back in zip(excursions, on_return.tolist(), strict=True)
        if not jumps.traded[one.jump] and (jumps.big[one.jump] or not back)
    ]


def _came_about(batch: Batch, jumps: Jumps) -> NDArray[np.bool_]:
    """(J,), whether the move came about after the open, with more than the usual trading."""
    rows = jumps.rows
    at_open = np.log(batch.open[rows] / batch.previous_close[rows]) / jumps.sizes
    return (at_open < jumps.limits.overnight) & (jumps.trading > jumps.limits.traded_session)


def _ratio(size: float, thresholds: Thresholds) -> Fraction | None:
    """Return the split ratio above one that a log move looks like."""
    factor = float(np.exp(abs(size)))
    nearest = min(LIKELY_RATIOS, key=lambda ratio: abs(factor / float(ratio) - 1))
    return nearest if abs(factor / float(nearest) - 1) < thresholds.split_tolerance else None


def _written(ratio: Fraction, size: float) -> str:
    new, old = (ratio.denominator, ratio.numerator) if size > 0 else (ratio.numerator, ratio.denominator)
    return f"about {new}:{old}"


def _moved(jumps: Jumps, number: int) -> str:
    return (
        f"close moved {np.expm1(jumps.sizes[number]):+.1%} beyond the market ({jumps.scores[number]:+.0f} deviations)"
    )


def _guess(batch: Batch, jumps: Jumps, number: int) -> str:
    """Return what may explain a jump that lasts."""
    row, size = int(jumps.rows[number]), float(jumps.sizes[number])
    known = float(np.log(batch.factors[row] / batch.factors[batch.previous[row]]))
    if abs(known) > abs(size) / 2:
        return "; a corporate action of that day is known, but the price does not show it: already adjusted?"
    ratio = _ratio(size, jumps.limits)
    likely = f"a split of {_written(ratio, size)}" if ratio else "a spin-off or special dividend"
    return f"; no corporate action is known, perhaps {likely} is missing"
