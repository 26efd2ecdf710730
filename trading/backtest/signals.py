"""Signals as decisions: entries and exits become the weights that a backtest follows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trading.errors import InvalidValueError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trading.bars import Floats


def weights_of(
    entries: NDArray[np.bool_],
    exits: NDArray[np.bool_],
    short_entries: NDArray[np.bool_] | None = None,
    *,
    weight: float = 1.0,
) -> Floats:
    """Return the decisions that signals make at each close.

    Parameters
    ----------
    entries, exits, short_entries
        (T, N) or (T,), where to be long, flat, short from the next bar on. An entry wins over an exit in the same
        row; an entry on both sides at once decides nothing.
    weight
        Share of the equity in each position, 1.0 = all.

    Returns
    -------
    (T, N): `weight`, 0 or -`weight` where there is a signal, NaN elsewhere. Row t reads row t only.

    Raises
    ------
    InvalidValueError
        The arrays have different shapes.
    """
    shorts = np.zeros_like(entries) if short_entries is None else short_entries
    if not entries.shape == exits.shape == shorts.shape:
        shapes = (entries.shape, exits.shape, shorts.shape)
        raise InvalidValueError("shapes of entries, exits and short entries", shapes, "one shape")
    decided = np.where(exits, 0.0, np.nan)
    decided = np.where(entries & ~shorts, weight, np.where(shorts & ~entries, -weight, decided))
    decided = np.where(entries & shorts, np.nan, decided)
    return decided.reshape(len(decided), -1)
