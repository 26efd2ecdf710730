from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from trading.calendar import bar_timestamp, completed_bars
from trading.coverage import Chunk, chunks, requests

if TYPE_CHECKING:
    import pandas as pd

START, UNTIL = datetime(2012, 10, 1, 12, tzinfo=UTC), datetime(2012, 12, 31, 12, tzinfo=UTC)
DAILY = completed_bars("1Day", START, UNTIL)
CHUNK = Chunk(("AAPL", "IBM"), DAILY[0].to_pydatetime(), DAILY[-1].to_pydatetime())

positions_of_bars = st.integers(0, len(DAILY) - 1)
positions = st.sets(positions_of_bars)


def asked(wanted: dict[tuple[datetime, datetime], list[str]], symbol: str) -> set[pd.Timestamp]:
    found: set[pd.Timestamp] = set()
    for (first, last), symbols in wanted.items():
        if symbol in symbols:
            bars = {bar for bar in DAILY if first <= bar <= last}
            assert not found & bars, "asked for twice"
            found |= bars
    return found


@given(stored=positions, covered=st.lists(st.tuples(positions_of_bars, st.integers(0, 20)), max_size=4))
def test_exactly_the_bars_that_are_neither_stored_nor_covered_are_asked_for(
    stored: set[int], covered: list[tuple[int, int]]
) -> None:
    spans = [
        (DAILY[first].to_pydatetime(), DAILY[min(first + length, len(DAILY) - 1)].to_pydatetime())
        for first, length in covered
    ]
    known = {DAILY[place] for place in stored}
    known |= {bar for bar in DAILY if any(first <= bar <= last for first, last in spans)}

    wanted = requests(
        CHUNK,
        timeframe="1Day",
        expected=DAILY,
        stored={"AAPL": DAILY[sorted(stored)]},
        covered={"AAPL": spans},
    )

    assert asked(wanted, "AAPL") == set(DAILY) - known
    assert asked(wanted, "IBM") == set(DAILY)


def test_the_holes_of_one_intraday_session_are_one_request_and_a_night_parts_two() -> None:
    minutes = completed_bars("1Min", datetime(2012, 12, 3, 14, tzinfo=UTC), datetime(2012, 12, 4, 22, tzinfo=UTC))
    holes = [5, 6, 200, 389, 390 + 7]
    chunk = Chunk(("AAPL",), minutes[0].to_pydatetime(), minutes[-1].to_pydatetime())

    wanted = requests(chunk, timeframe="1Min", expected=minutes, stored={"AAPL": minutes.delete(holes)}, covered={})

    spans = [(minutes[5], minutes[389]), (minutes[397], minutes[397])]
    assert list(wanted) == [(first.to_pydatetime(), last.to_pydatetime()) for first, last in spans]


@given(st.integers(1, 40), st.integers(1, 7), st.lists(st.integers(0, 60), min_size=1, max_size=12))
def test_chunks_are_bounded_ordered_and_hold_everything(bars: int, symbols: int, begins: list[int]) -> None:
    wanted = {f"S{place:02}": START + timedelta(days=days) for place, days in enumerate(begins)}

    planned = chunks(wanted, timeframe="1Day", until=UNTIL, symbols_a_chunk=symbols, bars_a_chunk=bars)

    held: dict[str, set[pd.Timestamp]] = {symbol: set() for symbol in wanted}
    for batch in planned:
        assert [chunk.start for chunk in batch] == sorted(chunk.start for chunk in batch)
        for chunk in batch:
            inside = [bar for bar in DAILY if chunk.start <= bar <= chunk.end]
            assert len(chunk.symbols) <= symbols
            assert len(inside) * len(chunk.symbols) <= max(bars, len(chunk.symbols))
            for symbol in chunk.symbols:
                assert not held[symbol].intersection(inside)
                held[symbol].update(inside)
    for symbol, begin in wanted.items():
        assert held[symbol] >= {bar for bar in DAILY if bar >= begin}


def test_nothing_is_planned_when_no_bar_is_due() -> None:
    saturday = datetime(2012, 12, 8, 12, tzinfo=UTC)
    begins = {"IBM": bar_timestamp(date(2012, 12, 7)) + timedelta(microseconds=1)}
    assert chunks(begins, timeframe="1Day", until=saturday, symbols_a_chunk=10, bars_a_chunk=100) == []
