"""The first rows of sessions are those that a binary search finds, wherever sessions are short, long or missing."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from trading.backtest.kernel.sessions import first_rows

INSTANTS = st.integers(0, 60)


@given(st.lists(INSTANTS, unique=True, max_size=40), st.lists(INSTANTS, max_size=30))
def test_first_rows_are_those_of_a_binary_search(stamps: list[int], bounds: list[int]) -> None:
    rising, asked = np.array(sorted(stamps), dtype=np.int64), np.array(sorted(bounds), dtype=np.int64)

    assert first_rows(rising, asked).tolist() == np.searchsorted(rising, asked).tolist()


@given(st.lists(st.integers(0, 9), min_size=1, max_size=20))
def test_sessions_of_any_length_begin_where_the_ones_before_them_end(lengths: list[int]) -> None:
    stamps = np.concatenate([np.arange(length) + 100 * day for day, length in enumerate(lengths)]).astype(np.int64)

    found = first_rows(stamps, 100 * np.arange(len(lengths), dtype=np.int64))

    assert found.tolist() == [0, *np.cumsum(lengths)[:-1].tolist()]
