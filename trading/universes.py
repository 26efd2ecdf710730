"""Universes: which symbols were traded most, as was known on a date."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trading.errors import InvalidValueError

if TYPE_CHECKING:
    import pandas as pd


def by_dollar_volume(bars: pd.DataFrame, *, top: int, sessions: int) -> pd.Series[float]:
    """Return the `top` symbols by mean close times volume a session, the largest first; ties by name.

    Parameters
    ----------
    bars
        Raw daily bars of exactly the sessions that count: symbol, ts, close (USD), volume (shares). Raw, because
        close times volume is the same before and after a split only when neither is adjusted.
    top
        How many.
    sessions
        Length of the window; a session without a bar counts as zero, so that a newcomer's few days weigh less.

    Raises
    ------
    InvalidValueError
        `top` or `sessions` is not above zero.
    """
    for name, value in (("top", top), ("sessions", sessions)):
        if value <= 0:
            raise InvalidValueError(name, value, "a number above zero")
    dollars = (bars["close"] * bars["volume"]).groupby(bars["symbol"]).sum() / sessions
    return dollars.sort_index().sort_values(ascending=False, kind="stable").head(top)
