"""Cash dividends as a holder of split-adjusted shares receives them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trading.adjustment.actions import Actions

if TYPE_CHECKING:
    from datetime import date


def dividends_as_of(actions: Actions, as_of: date) -> Actions:
    """Return the cash dividends up to `as_of` (New York, included) in dollars for a share of that date.

    Bars adjusted for splits count in shares of `as_of`; a dividend of a share that has been split since is worth
    its rate over the splits' ratios. A split on a dividend's own ex-date comes first, so the rate is one of new shares.
    """
    known = actions.where(actions.ex_dates <= np.datetime64(as_of, "D"))
    paid, splits = known.where(known.kinds == "dividend"), known.where(known.kinds == "split")
    later = (splits.symbols == paid.symbols[:, None]) & (splits.ex_dates > paid.ex_dates[:, None])
    ratios = np.where(later, splits.values, 1.0).prod(axis=1)
    return Actions(paid.symbols, paid.kinds, paid.ex_dates, paid.values / ratios)
