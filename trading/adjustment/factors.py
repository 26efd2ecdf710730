"""What corporate actions multiply earlier prices with, over all symbols at once.

A split divides by its ratio, a spin-off multiplies by 1 - share, and of the two published conventions a cash
dividend D multiplies by

- ``1 - D / close before the ex-date`` (CRSP, *Data Definitions*: "factor to adjust price"), or
- ``1 / (1 + D / close of the ex-date)``: D reinvested at that close, so that the adjusted return over the
  ex-date is exactly (P1 + D) / P0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trading.adjustment.actions import Actions
    from trading.bars import Floats

Convention = Literal["previous_close", "ex_date_close"]
"""At which close a dividend is taken."""

_DAY_BITS = 32


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """R bars ordered by symbol and time: symbol codes into `names`, New York dates (datetime64[D]) and raw closes."""

    names: NDArray[np.object_]
    codes: NDArray[np.int64]
    days: NDArray[np.datetime64]
    close: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Factors:
    """(R,) what to multiply prices with, and what to divide volumes by (splits alone change the share count)."""

    price: Floats
    volume: Floats


def cumulative_factors(actions: Actions, bars: Bars, *, convention: Convention = "previous_close") -> Factors:
    """Return the factors that bring each bar to the terms of the day after the last action."""
    place, chosen = _last_bars_before(actions, bars)
    actions = actions.where(chosen)
    factors = _own_factors(actions, bars, place, convention)
    splits = actions.kinds == "split"
    volume = _products(bars, place[splits], factors[splits])
    price = volume if splits.all() else _products(bars, place, factors)
    return Factors(price, volume)


def _last_bars_before(actions: Actions, bars: Bars) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return, for the actions that have any, the row of the last bar before the ex-date, and which they are."""
    if not len(bars.names) or not len(actions):
        return np.array([], dtype=np.int64), np.zeros(len(actions), dtype=bool)
    codes = np.minimum(np.searchsorted(bars.names, actions.symbols), len(bars.names) - 1)
    known = bars.names[codes] == actions.symbols
    rows = np.searchsorted(_keys(bars.codes, bars.days), _keys(codes, actions.ex_dates)) - 1
    chosen = known & (rows >= 0) & (bars.codes[rows] == codes)
    return rows[chosen], chosen


def _own_factors(actions: Actions, bars: Bars, place: NDArray[np.int64], convention: Convention) -> Floats:
    factors = np.ones(len(actions))
    splits, spin_offs, dividends = (actions.kinds == kind for kind in ("split", "spin_off", "dividend"))
    factors[splits] = 1 / actions.values[splits]
    factors[spin_offs] = 1 - actions.values[spin_offs]
    if dividends.any():
        paid = actions.where(dividends)
        before = _close_before(bars, place[dividends]) * _split_that_day(actions, paid)
        share = paid.values / before
        if convention == "ex_date_close":
            after = _close_after(bars, place[dividends], paid.ex_dates)
            factors[dividends] = np.where(np.isnan(after), 1 - share, 1 / (1 + paid.values / after))
        else:
            factors[dividends] = 1 - share
    # a dividend of at least the price, or without any price before it, is no reason to lose the bars
    return np.where(np.isfinite(factors) & (factors > 0), factors, 1.0)


def _split_that_day(actions: Actions, paid: Actions) -> Floats:
    """Return what a split on the ex-date of each dividend divides the close before by: D is in the new shares."""
    splits = actions.where(actions.kinds == "split")
    ratios = {(s, d): v for s, d, v in zip(splits.symbols, splits.ex_dates.tolist(), splits.values, strict=True)}
    days = paid.ex_dates.tolist()
    return np.array([1 / ratios.get(key, 1.0) for key in zip(paid.symbols, days, strict=True)], dtype=np.float64)


def _close_before(bars: Bars, place: NDArray[np.int64]) -> Floats:
    usable = np.maximum.accumulate(np.where(bars.close > 0, np.arange(len(bars.close)), -1))[place]
    same = (usable >= 0) & (bars.codes[usable] == bars.codes[place])
    return np.where(same, bars.close[usable], np.nan)


def _close_after(bars: Bars, place: NDArray[np.int64], ex_dates: NDArray[np.datetime64]) -> Floats:
    """Return the last close of each ex-date; NaN where that day has none."""
    day_after = _keys(bars.codes[place], ex_dates + np.timedelta64(1, "D"))
    last = np.searchsorted(_keys(bars.codes, bars.days), day_after) - 1
    return np.where(last > place, bars.close[last], np.nan)


def _products(bars: Bars, place: NDArray[np.int64], factors: Floats) -> Floats:
    """Return (R,) products of the factors at a row and the later ones of its symbol."""
    import pandas as pd

    own = np.ones(len(bars.codes))
    np.multiply.at(own, place, factors)
    if not len(place):
        return own
    products = pd.Series(own[::-1]).groupby(bars.codes[::-1]).cumprod()
    return np.asarray(products, dtype=np.float64)[::-1]


def _keys(codes: NDArray[np.int64], days: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """Return one ascending number for symbol and date."""
    return (codes.astype(np.int64) << _DAY_BITS) + days.astype("datetime64[D]").astype(np.int64)
