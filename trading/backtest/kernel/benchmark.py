"""What holding everything from the first session on would have given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trading.compilation import compiled

if TYPE_CHECKING:
    from trading.bars import Floats


@compiled
def bought_and_held(closes: Floats) -> Floats:
    """Return the (S,) mean growth, from the first row on, of the columns that have a close in it."""
    growth = np.zeros(len(closes))
    count = 0
    for column in range(closes.shape[1]):
        first = closes[0, column]
        if not first > 0:
            continue
        count += 1
        last = first
        for row in range(len(closes)):
            if closes[row, column] > 0:
                last = closes[row, column]
            growth[row] += last / first
    return growth / count if count else np.full(len(closes), np.nan)
