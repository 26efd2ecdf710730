from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.results.rows import _decoded, _encoded
from trading.errors import InvalidValueError

moments = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds must be naive


@given(moments, st.integers(1, 2**63 - 1))
def test_a_cursor_comes_back_as_the_place_it_was_made_of(at: datetime, key: int) -> None:
    assert _decoded(_encoded(at, key)) == (at, key)


def test_a_cursor_of_another_zone_is_the_same_moment() -> None:
    there = datetime(2012, 12, 7, 9, 30, tzinfo=timezone(timedelta(hours=-5)))
    assert _decoded(_encoded(there, 1))[0] == datetime(2012, 12, 7, 14, 30, tzinfo=UTC)


@pytest.mark.parametrize("cursor", ["", "x", "WzEsMl0", "WyIyMDEyIl0", "é", "bnVsbA", "WyJub3ciLDFd"])
def test_what_is_no_cursor_is_refused_in_one_line(cursor: str) -> None:
    with pytest.raises(InvalidValueError, match="expected the `next` of an earlier page"):
        _decoded(cursor)


@given(st.text(max_size=40))
def test_no_text_makes_a_cursor_crash(cursor: str) -> None:
    try:
        at, _ = _decoded(cursor)
    except InvalidValueError:
        return
    assert at.tzinfo is UTC
