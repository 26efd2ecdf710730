"""The exchange's calendar (XNYS): sessions, opens and closes, and the bars that should exist.

Dates are sessions (New York), instants are timezone-aware UTC. Nothing here asks what time it is: `now`
is always an argument, and it comes from the broker's clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from trading.bars import duration, instant, moment
from trading.errors import InvalidValueError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

NEW_YORK = ZoneInfo("America/New_York")
"""The exchange's time zone: sessions and screens are in it, storage is in UTC."""

SESSIONS_PER_YEAR = 252
"""Sessions that a year is taken to have where daily figures are made yearly."""

FIRST_DAY, LAST_DAY = date(1990, 1, 1), date(2040, 12, 31)
"""The days the calendar knows; holidays announced after the library's release are not among them."""


@dataclass(frozen=True, slots=True)
class _Grid:
    days: NDArray[np.datetime64]  # (S,) datetime64[D]
    opens: NDArray[np.datetime64]  # (S,) datetime64[ns], UTC
    closes: NDArray[np.datetime64]


@lru_cache(maxsize=1)
def _grid() -> _Grid:
    from exchange_calendars.exchange_calendar_xnys import XNYSExchangeCalendar

    exchange = XNYSExchangeCalendar(start=FIRST_DAY.isoformat(), end=LAST_DAY.isoformat())
    return _Grid(
        days=exchange.sessions.to_numpy().astype("datetime64[D]"),
        opens=exchange.opens.dt.tz_localize(None).to_numpy().astype("datetime64[ns]"),
        closes=exchange.closes.dt.tz_localize(None).to_numpy().astype("datetime64[ns]"),
    )


def sessions(start: date, end: date) -> list[date]:
    """Return the sessions from `start` to `end`, both included."""
    grid = _grid()
    low, high = _day(start), _day(end)
    chosen = grid.days[np.searchsorted(grid.days, low) : np.searchsorted(grid.days, high, side="right")]
    found: list[date] = chosen.tolist()
    return found


def is_session(day: date) -> bool:
    """Return whether the exchange opens on `day`."""
    grid = _grid()
    return _is_at(grid, int(np.searchsorted(grid.days, _day(day))), day)


def are_sessions(days: NDArray[np.datetime64]) -> NDArray[np.bool_]:
    """Return, for (T,) dates as datetime64[D], whether the exchange opens on each."""
    return np.isin(days, _grid().days)


def number_sessions(days: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """Return, for (T,) dates as datetime64[D], the number of the session on each; -1 where there is none.

    Consecutive sessions have consecutive numbers, so that a difference of two is a missing session.
    """
    known = _grid().days
    numbers = np.searchsorted(known, days)
    held = known[np.minimum(numbers, len(known) - 1)] == days
    return np.where(held, numbers, -1).astype(np.int64)


def session_days(numbers: NDArray[np.int64]) -> NDArray[np.datetime64]:
    """Return the dates, datetime64[D], of sessions given by number."""
    return _grid().days[numbers]


def session_hours(numbers: NDArray[np.int64]) -> tuple[NDArray[np.datetime64], NDArray[np.datetime64]]:
    """Return the opens and the closes (UTC, datetime64[ns], early closes included) of sessions given by number."""
    grid = _grid()
    return grid.opens[numbers], grid.closes[numbers]


def open_at(day: date) -> datetime:
    """Return the opening instant of a session; InvalidValueError when `day` is none."""
    return moment(_grid().opens[_position(day)])


def close_at(day: date) -> datetime:
    """Return the close of a session, early closes included; InvalidValueError when `day` is none."""
    return moment(_grid().closes[_position(day)])


def bar_timestamp(day: date) -> datetime:
    """Return the timestamp of the daily bar of `day`: midnight in New York, as Alpaca stamps it."""
    return datetime.combine(day, time(0), tzinfo=NEW_YORK).astimezone(UTC)


def session_of(ts: datetime) -> date:
    """Return the New York date of an instant: the session that its bar belongs to."""
    return moment(instant(ts)).astimezone(NEW_YORK).date()


def last_completed_session(now: datetime) -> date:
    """Return the last session whose close is at or before `now`."""
    grid = _grid()
    return _at(grid, int(np.searchsorted(grid.closes, instant(now), side="right")) - 1, now)


def next_session(now: datetime) -> date:
    """Return the first session whose open is at or after `now`: where an order sent now fills."""
    grid = _grid()
    return _at(grid, int(np.searchsorted(grid.opens, instant(now))), now)


def session_after(day: date) -> date:
    """Return the first session later than `day`, which need not be one itself."""
    grid = _grid()
    return _at(grid, int(np.searchsorted(grid.days, _day(day), side="right")), day)


def session_before(day: date) -> date:
    """Return the last session earlier than `day`, which need not be one itself."""
    grid = _grid()
    return _at(grid, int(np.searchsorted(grid.days, _day(day))) - 1, day)


def ends_month(days: NDArray[np.datetime64]) -> NDArray[np.bool_]:
    """Return, for (T,) dates as datetime64[D], whether each is the last session of its month."""
    return _ends(days, _grid().days.astype("datetime64[M]").astype(np.int64))


def ends_week(days: NDArray[np.datetime64]) -> NDArray[np.bool_]:
    """Return, for (T,) dates as datetime64[D], whether each is the last session of its week, Monday to Friday."""
    return _ends(days, (_grid().days.astype(np.int64) + 3) // 7)  # 1970-01-01 was a Thursday


def _ends(days: NDArray[np.datetime64], period: NDArray[np.int64]) -> NDArray[np.bool_]:
    grid = _grid()
    last = np.append(period[1:] != period[:-1], False)
    position = np.clip(np.searchsorted(grid.days, days), 0, len(grid.days) - 1)
    ends: NDArray[np.bool_] = (grid.days[position] == days) & last[position]
    return ends


def session_dates(timestamps: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    """Return the New York dates, datetime64[D], of (T,) UTC instants, datetime64[ns]."""
    return wall_clock(timestamps).astype("datetime64[D]")


def wall_clock(timestamps: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    """Return what New York's clocks show, datetime64[ns], at (T,) UTC instants, datetime64[ns].

    Looks the clock changes up instead of converting instant by instant: a million take some 20 ms.
    """
    stamps = timestamps.astype("datetime64[ns]", copy=False)
    changes, offsets = _clock_changes()
    if len(stamps) and (stamps.min() < changes[0] or stamps.max() >= _CLOCK_KNOWN_UNTIL):
        return _converted(stamps)
    shown = stamps.astype(np.int64) + offsets[np.searchsorted(changes, stamps, side="right") - 1].astype(np.int64)
    return shown.astype("datetime64[ns]")


def midnights_of(days: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    """Return the instants (UTC, datetime64[ns]) at which (T,) days, datetime64[D], begin in New York.

    The clocks change at two in the morning: five hours after midnight UTC they show what they showed at New York's.
    """
    starts = days.astype("datetime64[ns]").astype(np.int64)
    early = starts + 5 * 3_600 * 10**9
    shown = wall_clock(early.astype("datetime64[ns]")).astype(np.int64)
    return (starts + early - shown).astype("datetime64[ns]")


_CLOCK_KNOWN_UNTIL = np.datetime64(LAST_DAY.isoformat(), "ns")


@lru_cache(maxsize=1)
def _clock_changes() -> tuple[NDArray[np.datetime64], NDArray[np.timedelta64]]:
    """Return the instants (UTC) at which New York's offset changes, and the offset from each on."""
    days = np.arange(np.datetime64(FIRST_DAY, "D"), np.datetime64(LAST_DAY, "D")).astype("datetime64[ns]")
    offsets = _converted(days) - days
    around = days[np.flatnonzero(offsets[1:] != offsets[:-1])]
    hours = (around[:, None] + np.arange(1, 25) * np.timedelta64(1, "h")).ravel()
    moments = np.concatenate((days[:1], hours)).astype("datetime64[ns]")
    known = _converted(moments) - moments
    changed = np.flatnonzero(known[1:] != known[:-1]) + 1
    kept = np.concatenate(([0], changed))
    return moments[kept], known[kept]


def _converted(timestamps: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    import pandas as pd

    local = pd.DatetimeIndex(timestamps, tz="UTC").tz_convert(NEW_YORK).tz_localize(None)
    return local.to_numpy().astype("datetime64[ns]")


def completed_bars(timeframe: str, start: datetime, end: datetime) -> pd.DatetimeIndex:
    """Return the starts (UTC) of the bars of regular hours, from `start` on, that are complete by `end`.

    Daily bars are complete at the session's close. Intraday bars stand on the clock grid that Alpaca uses
    (an hourly bar starts at 09:00 New York and holds the open), from the one that holds the open to the
    one that holds the last minute.
    """
    import pandas as pd

    grid = _grid()
    first, last = _day(session_of(start)), _day(session_of(end))
    chosen = slice(*np.searchsorted(grid.days, [first, last + np.timedelta64(1, "D")]))
    length = np.timedelta64(duration(timeframe), "ns")
    if timeframe == "1Day":
        midnights = pd.DatetimeIndex(grid.days[chosen]).tz_localize(NEW_YORK).tz_convert("UTC")
        starts: NDArray[np.datetime64] = midnights.tz_localize(None).to_numpy().astype("datetime64[ns]")
        ends = grid.closes[chosen]
    else:
        starts = _intraday(grid.opens[chosen], grid.closes[chosen], length)
        ends = (starts + length).astype("datetime64[ns]")
    kept = starts[(starts >= instant(start)) & (ends <= instant(end))]
    return pd.DatetimeIndex(kept, tz="UTC")


def missing_ranges(expected: pd.DatetimeIndex, stored: pd.DatetimeIndex) -> list[tuple[datetime, datetime]]:
    """Return the runs of `expected` bars that are not `stored`, as (first, last) starts, both included."""
    absent = ~expected.isin(stored)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], absent, [False])).astype(np.int8)))
    stamps = expected.tz_convert("UTC").tz_localize(None).to_numpy().astype("datetime64[ns]")
    return [(moment(stamps[begin]), moment(stamps[end - 1])) for begin, end in edges.reshape(-1, 2).tolist()]


def _intraday(
    opens: NDArray[np.datetime64], closes: NDArray[np.datetime64], length: np.timedelta64
) -> NDArray[np.datetime64]:
    step = int(length.astype(np.int64))
    pieces = [
        np.arange(begin - begin % step, end, step)
        for begin, end in zip(opens.astype(np.int64).tolist(), closes.astype(np.int64).tolist(), strict=True)
    ]
    joined = np.concatenate(pieces) if pieces else np.array([], dtype=np.int64)
    return joined.astype("datetime64[ns]")


def _day(day: date) -> np.datetime64:
    if isinstance(day, datetime) or not FIRST_DAY - timedelta(days=1) <= day <= LAST_DAY + timedelta(days=1):
        raise InvalidValueError("date", str(day), f"a date from {FIRST_DAY} to {LAST_DAY}")
    return np.datetime64(day, "D")


def _is_at(grid: _Grid, position: int, day: date) -> bool:
    return position < len(grid.days) and bool(grid.days[position] == np.datetime64(day, "D"))


def _at(grid: _Grid, position: int, asked: date) -> date:
    if not 0 <= position < len(grid.days):
        raise InvalidValueError("date", str(asked), f"a date from {FIRST_DAY} to {LAST_DAY}")
    found: date = grid.days[position].item()
    return found


def _position(day: date) -> int:
    grid = _grid()
    position = int(np.searchsorted(grid.days, _day(day)))
    if not _is_at(grid, position, day):
        raise InvalidValueError("session", day.isoformat(), "a day on which the exchange opens")
    return position
