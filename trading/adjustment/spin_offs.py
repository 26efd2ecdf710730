"""What a spin-off was worth, from the first prices that parent and new company have on one day."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from trading.calendar import bar_timestamp
from trading.errors import InvalidValueError

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd

SOON = timedelta(days=10)
"""How long after the ex-date the new company may have its first close; later ones say nothing of the split value."""


def share_of_value(parent: float, spun_off: float, shares: float) -> float:
    """Return the share of the parent's value that left with a spin-off.

    With closes P of the parent and V of the new company on the first day that both have one, and n new shares for
    each of the parent's, it is n V / (P + n V): earlier prices are multiplied by P / (P + n V). That makes the
    adjusted return of the day (P + n V) / P(t-1) - 1, which is what CRSP's holding period return counts with the
    new shares as a distribution of n V (CRSP US Stock Databases, Data Definitions, "Returns").

    Parameters
    ----------
    parent, spun_off
        Raw closes of the same session, USD.
    shares
        Shares of the new company for each of the parent's.

    Raises
    ------
    InvalidValueError
        One of them is not above zero.
    """
    for what, value in (("parent's close", parent), ("new company's close", spun_off), ("shares", shares)):
        if not value > 0:
            raise InvalidValueError(f"spin-off: {what}", value, "a number above zero")
    worth = shares * spun_off
    return worth / (parent + worth)


def first_common_closes(bars: pd.DataFrame, parent: str, spun_off: str, ex_date: date) -> tuple[float, float] | None:
    """Return the closes of the first session from `ex_date` on that both have one of, or None within ten days.

    Parameters
    ----------
    bars
        Raw daily bars of both: symbol, ts (UTC), close.
    """
    within = bars[(bars["ts"] >= bar_timestamp(ex_date)) & (bars["ts"] < bar_timestamp(ex_date + SOON))]
    usable = within[within["close"] > 0]
    both = usable[usable["symbol"] == parent].merge(usable[usable["symbol"] == spun_off], on="ts").sort_values("ts")
    return None if both.empty else (float(both["close_x"].iloc[0]), float(both["close_y"].iloc[0]))
