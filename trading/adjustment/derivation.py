"""Splits and cash dividends, read out of a pair of unadjusted and adjusted closes.

The ratio adjusted/unadjusted close is constant between events and steps on an ex-date. A step near a simple
ratio is a split. Any other step up is a cash dividend; of its two conventions (`trading.adjustment.factors`)
the file's own is the one under which the amounts come out in whole cents.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from trading.adjustment.actions import CashDividend, Split

if TYPE_CHECKING:
    from datetime import date

    from trading.adjustment.factors import Convention
    from trading.bars import Floats

DerivedAction = Split | CashDividend
"""What a pair of closes can tell; a spin-off is read as a special dividend of its value."""

SPLIT_RATIOS = sorted(
    {Fraction(n) for n in range(2, 51)} | {Fraction(a, b) for a, b in ((3, 2), (4, 3), (5, 2), (5, 3), (5, 4))}
)
SPLIT_TOLERANCE = 0.02
SPECIAL_SHARE = 0.05
CENT = 0.01


@dataclass(frozen=True, slots=True)
class _Step:
    """One step of the ratio: its size without any split, both dividend amounts, and their uncertainty."""

    number: int
    split: Fraction
    previous_close: float
    ex_date_close: float
    error: float


def derive(symbol: str, days: list[date], close: Floats, adjusted: Floats) -> list[DerivedAction]:
    """Return the corporate actions that explain the difference between two close series, in date order.

    Parameters
    ----------
    symbol
        Name put on the actions.
    days
        Session of each row, ascending.
    close, adjusted
        Unadjusted and adjusted closes in dollars, one per row, positive.
    """
    steps = _steps(close, adjusted)
    convention = _convention(steps)
    actions: list[DerivedAction] = []
    for step in steps:
        ex_date = days[step.number]
        if step.split != 1:
            actions.append(Split(symbol, ex_date, step.split.numerator, step.split.denominator))
        amount = _snapped(getattr(step, convention), step.error)
        if amount > step.error:
            special = bool(amount > SPECIAL_SHARE * close[step.number])
            actions.append(CashDividend(symbol, ex_date, Decimal(repr(amount)), special))
    return actions


def convention_of(close: Floats, adjusted: Floats) -> Convention:
    """Return at which close the dividends of a pair of unadjusted and adjusted closes were taken."""
    return _convention(_steps(close, adjusted))


def _steps(close: Floats, adjusted: Floats) -> list[_Step]:
    ratio = adjusted / close
    noise = _unit(adjusted) / 2 / adjusted
    allowed = 2 * (noise[1:] + noise[:-1]) + 1e-9
    change = ratio[1:] / ratio[:-1]
    numbers = np.flatnonzero(np.abs(change - 1) > allowed) + 1
    spans = list(pairwise([0, *numbers.tolist(), len(close)]))
    # the mean over all days between two events is far more precise than one rounded day
    levels = [float(ratio[a:b].mean()) for a, b in spans]
    errors = [float(noise[a:b].mean() / np.sqrt(b - a)) for a, b in spans]
    steps = []
    for place, number in enumerate(numbers.tolist()):
        size = levels[place + 1] / levels[place]
        split = _split_ratio(size)
        rest = size / float(split)
        before, after = float(close[number - 1]) / float(split), float(close[number])
        error = (errors[place] + errors[place + 1]) * max(before, after) + 1e-6
        steps.append(_Step(number, split, before * (1 - 1 / rest), (rest - 1) * after, error))
    return steps


def _unit(values: Floats) -> float:
    """Return the last decimal place in which the values differ: 0.01 for cents."""
    for places in range(2, 9):
        if np.allclose(values, np.round(values, places), rtol=0, atol=10.0**-12):
            return 10.0**-places
    return 10.0**-9


def _split_ratio(size: float) -> Fraction:
    wanted = size if size > 1 else 1 / size
    nearest = min(SPLIT_RATIOS, key=lambda ratio: abs(wanted / float(ratio) - 1))
    if abs(wanted / float(nearest) - 1) > SPLIT_TOLERANCE:
        return Fraction(1)
    return nearest if size > 1 else 1 / nearest


def _convention(steps: list[_Step]) -> Convention:
    """Return the convention whose amounts lie nearest to whole cents; CRSP's when that decides nothing."""
    payers = [step for step in steps if min(step.previous_close, step.ex_date_close) > step.error]

    def distance(name: Convention) -> float:
        amounts: list[float] = [getattr(step, name) for step in payers]
        return sum(abs(amount - round(amount, 2)) for amount in amounts)

    clear = bool(payers) and max(step.error for step in payers) < CENT / 2
    return "ex_date_close" if clear and distance("ex_date_close") < distance("previous_close") else "previous_close"


def _snapped(amount: float, error: float) -> float:
    """Return the roundest amount that the uncertainty allows, in dollars with at most four decimals."""
    for places in (2, 3, 4):
        if abs(amount - round(amount, places)) <= error:
            return round(amount, places)
    return round(amount, 4)
