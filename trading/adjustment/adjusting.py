"""Bars as they read on a date: what is known by then is taken out of earlier prices, what comes later is not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal, overload

import numpy as np

from trading.adjustment.actions import Actions, read_actions
from trading.adjustment.factors import Bars, cumulative_factors
from trading.bars import FIELDS, Panel
from trading.calendar import session_dates
from trading.errors import DataError

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd

    from trading.adjustment.factors import Convention, Factors

AdjustmentKind = Literal["split", "total"]


@overload
def adjust(
    bars: Panel,
    actions: Actions | pd.DataFrame,
    as_of: date,
    *,
    kind: AdjustmentKind = ...,
    convention: Convention = ...,
) -> Panel: ...


@overload
def adjust(
    bars: pd.DataFrame,
    actions: Actions | pd.DataFrame,
    as_of: date,
    *,
    kind: AdjustmentKind = ...,
    convention: Convention = ...,
) -> pd.DataFrame: ...


def adjust(
    bars: Panel | pd.DataFrame,
    actions: Actions | pd.DataFrame,
    as_of: date,
    *,
    kind: AdjustmentKind = "split",
    convention: Convention = "previous_close",
) -> Panel | pd.DataFrame:
    """Return raw bars in the terms of `as_of`, as whoever looked at them then saw them.

    Parameters
    ----------
    bars
        A panel, or a frame with symbol, ts (timezone-aware), open, high, low, close, volume in any order of
        rows; further columns are kept.
    actions
        Corporate actions of any symbols and dates; those with an ex-date after `as_of` are ignored.
    as_of
        The date (New York) whose knowledge counts, inclusive.
    kind
        split: splits and reverse splits. total: cash dividends and spin-offs as well.
    convention
        At which close a dividend is taken, see `trading.adjustment.factors`.

    Raises
    ------
    DataError
        A column is missing, or the timestamps have no time zone.
    InvalidValueError
        The value of an action is out of its bounds.
    """
    known = actions if isinstance(actions, Actions) else read_actions(actions)
    chosen = known.ex_dates <= np.datetime64(as_of, "D")
    if kind == "split":
        chosen &= known.kinds == "split"
    known = known.where(chosen)
    if isinstance(bars, Panel):
        return _panel(bars, known, convention)
    return _frame(bars, known, convention)


def unadjust(bars: pd.DataFrame, actions: Actions | pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Return bars with the splits up to `as_of` (included) divided out as they were traded; reverses `adjust`.

    Right as far as `actions` has every split that was divided out.
    """
    known = actions if isinstance(actions, Actions) else read_actions(actions)
    undone = Actions(known.symbols, known.kinds, known.ex_dates, 1 / known.values)  # noqa: PD011 - an array of ours
    return adjust(bars, undone, as_of)


def _panel(panel: Panel, actions: Actions, convention: Convention) -> Panel:
    if not len(actions) or not len(panel):
        return panel
    names, first, columns = np.unique(np.array(panel.symbols, dtype=object), return_index=True, return_inverse=True)
    codes = np.repeat(np.arange(len(names)), len(panel))
    days = np.tile(session_dates(panel.timestamps), len(names))
    long = Bars(names, codes, days, panel.close[:, first].T.ravel())
    factors = cumulative_factors(actions, long, convention=convention)
    price, volume = (each.reshape(len(names), len(panel)).T[:, columns] for each in (factors.price, factors.volume))
    return replace(
        panel,
        open=panel.open * price,
        high=panel.high * price,
        low=panel.low * price,
        close=panel.close * price,
        volume=panel.volume / volume,
    )


def _frame(bars: pd.DataFrame, actions: Actions, convention: Convention) -> pd.DataFrame:
    missing = [name for name in ("symbol", "ts", *FIELDS) if name not in bars.columns]
    if missing:
        raise DataError(f"bars lack the column(s) {', '.join(missing)}; present: {', '.join(map(str, bars.columns))}")
    if len(bars) and getattr(bars["ts"].dtype, "tz", None) is None:
        raise DataError("bars have timestamps without a time zone; store them in UTC")
    if bars.empty or not len(actions):
        return bars.copy()
    adjusted = bars.copy()
    factors = _frame_factors(bars, actions, convention)
    for name in FIELDS:
        values = bars[name].to_numpy(dtype=np.float64, na_value=np.nan)
        adjusted[name] = values / factors.volume if name == "volume" else values * factors.price
    return adjusted


def _frame_factors(bars: pd.DataFrame, actions: Actions, convention: Convention) -> Factors:
    """Return the factors of a frame's rows in its own order."""
    import pandas as pd

    codes, names = pd.factorize(bars["symbol"].to_numpy(dtype=object), sort=True)
    stamps = pd.DatetimeIndex(bars["ts"]).tz_convert("UTC").tz_localize(None).as_unit("ns").to_numpy()
    order = np.lexsort((stamps, codes))
    close = bars["close"].to_numpy(dtype=np.float64, na_value=np.nan)
    long = Bars(names, codes[order], session_dates(stamps[order]), close[order])
    ordered = cumulative_factors(actions, long, convention=convention)
    back = np.argsort(order)
    return replace(ordered, price=ordered.price[back], volume=ordered.volume[back])
