"""The rows that a pass stops at are all those with a weight, and no others."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from trading.backtest.kernel.simulation import deciding_rows


@given(st.lists(st.booleans(), max_size=40), st.integers(1, 4), st.data())
def test_every_row_with_a_weight_decides_and_no_other(decided: list[bool], columns: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(decided)))
    weights = np.full((len(decided), columns), np.nan)
    for row in np.flatnonzero(decided):
        weights[row, data.draw(st.integers(0, columns - 1))] = data.draw(st.sampled_from([0.0, 0.5, -1.0]))

    found = deciding_rows(weights, first)

    assert found.tolist() == [row for row in range(first, len(decided)) if decided[row]] + [len(decided)]
