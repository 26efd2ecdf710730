"""Times of bars: dates, times with an offset, times of a stated zone, epochs; all to UTC, none by guessing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

from tasks.data_ingestion.files import written_times
from trading.calendar import FIRST_DAY, LAST_DAY, NEW_YORK
from trading.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from numpy.typing import NDArray

    Problem = tuple[NDArray[np.bool_], Callable[[int], str]]
    Stamps = NDArray[np.datetime64]

COMPACT = (19000101, 21001231)
EPOCHS = ((10**11, 10**9), (10**14, 10**6), (10**17, 10**3))
"""Below the first figure an epoch counts in units of so many nanoseconds: seconds, milli-, microseconds."""
EVENING = np.timedelta64(18, "h")


class Clock:
    """Reads the time column of one file.

    Daily bars are stamped with midnight in New York of their session: a date is a session; a time with an offset
    is one in `zone` (New York unless stated). Intraday times have an offset or are read in `zone`.
    """

    def __init__(self, path: str, *, timeframe: str, zone: str | None, day_first: bool | None) -> None:
        self._path = path
        self._daily = timeframe == "1Day"
        self._timeframe = timeframe
        self._zone = zone
        self._order = written_times.DayOrder(path, day_first)

    def read(self, dates: Any, clocks: Any = None) -> tuple[Stamps, list[Problem]]:
        """Return (R,) instants as datetime64[ns] in UTC, NaT where there is none, and what is wrong where.

        Raises
        ------
        DataError
            No time has a zone and none is stated, or nothing says whether the day or the month comes first.
        """
        if clocks is not None:
            dates = written_times.joined(dates, clocks)
        stamps, aware = self._parsed(dates)
        unreadable = np.isnat(stamps)
        problems: list[Problem] = [(unreadable, lambda row: f"{_cell(dates, row)} is not a date or time")]
        instants, further = (self._sessions if self._daily else self._instants)(stamps, aware, dates)
        low, high = np.datetime64(FIRST_DAY, "ns"), np.datetime64(LAST_DAY, "ns")
        outside = (instants < low) | (instants > high)
        problems += [*further, (outside, lambda row: f"{_cell(dates, row)} is outside {FIRST_DAY} to {LAST_DAY}")]
        return instants, problems

    def _parsed(self, array: Any) -> tuple[Stamps, NDArray[np.bool_]]:
        """Return the times as they are written (datetime64[ns]) and which of them are UTC instants."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if pa.types.is_dictionary(array.type):
            array = pc.cast(array, array.type.value_type)
        kind = array.type
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            ints = written_times.integers(array)
            return self._order.parsed(array) if ints is None else _epochs(ints)
        if pa.types.is_integer(kind) or pa.types.is_floating(kind):
            return _epochs(np.nan_to_num(np.asarray(pc.cast(array, pa.float64())), nan=-1).astype(np.int64))
        if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
            stamps = written_times.nanoseconds(pc.cast(array, pa.timestamp("us", getattr(kind, "tz", None))))
            return stamps, np.full(len(stamps), getattr(kind, "tz", None) is not None)
        return np.full(len(array), np.datetime64("NaT", "ns")), np.zeros(len(array), dtype=bool)

    def _sessions(self, stamps: Stamps, aware: NDArray[np.bool_], dates: Any) -> tuple[Stamps, list[Problem]]:
        local = stamps.copy()
        if aware.any():
            local[aware] = _local(stamps[aware], ZoneInfo(self._zone) if self._zone else NEW_YORK)
        days = local.astype("datetime64[D]")
        evening = aware & (local - days >= EVENING) & (self._zone is None)
        sessions = _utc(days.astype("datetime64[ns]"), NEW_YORK)
        advice = "give --timezone UTC if its date in UTC is the session"
        return sessions, [
            (evening, lambda row: f"{_cell(dates, row)} is the evening of {days[row]} in New York; {advice}")
        ]

    def _instants(self, stamps: Stamps, aware: NDArray[np.bool_], dates: Any) -> tuple[Stamps, list[Problem]]:
        naive = ~aware & ~np.isnat(stamps)
        if self._zone is None:
            if naive.any() and not aware.any():
                example = _cell(dates, int(np.flatnonzero(naive)[0]))
                raise DataError(
                    f"{self._path}: {self._timeframe} times such as {example} have no zone; "
                    "give --timezone America/New_York, or --timezone UTC"
                )
            instants = np.where(naive, np.datetime64("NaT", "ns"), stamps)
            return instants, [
                (naive, lambda row: f"{_cell(dates, row)} has no zone, others in the file have; give --timezone")
            ]
        instants = stamps.copy()
        instants[naive] = _utc(stamps[naive], ZoneInfo(self._zone))
        lost = naive & np.isnat(instants)
        zone = self._zone
        return instants, [
            (lost, lambda row: f"{_cell(dates, row)} is not one instant in {zone}: the clocks changed; give its offset")
        ]


def _epochs(values: NDArray[np.int64]) -> tuple[Stamps, NDArray[np.bool_]]:
    """Read 20120813 as a date, others as seconds, milli-, micro- or nanoseconds since 1970 in UTC."""
    compact = (values >= COMPACT[0]) & (values <= COMPACT[1])
    scale = np.ones(len(values), dtype=np.int64)
    for limit, factor in reversed(EPOCHS):
        scale[np.abs(values) < limit] = factor
    stamps = (np.where(compact, 0, values) * scale).astype("datetime64[ns]")
    stamps[values < 0] = np.datetime64("NaT", "ns")
    if compact.any():
        stamps[compact] = written_times.compact_dates(values[compact])
    return stamps, ~compact


def _local(stamps: Stamps, zone: ZoneInfo) -> Stamps:
    return _plain(_index(stamps).tz_localize("UTC").tz_convert(zone).tz_localize(None))


def _utc(stamps: Stamps, zone: ZoneInfo) -> Stamps:
    local = _index(stamps).tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
    return _plain(local.tz_convert("UTC").tz_localize(None))


def _index(stamps: Stamps) -> pd.DatetimeIndex:
    import pandas as pd

    return pd.DatetimeIndex(stamps)


def _plain(index: pd.DatetimeIndex) -> Stamps:
    return index.to_numpy().astype("datetime64[ns]")


def _cell(array: Any, row: int) -> str:
    value = array[row].as_py()
    return repr(value) if isinstance(value, str) else str(value)
