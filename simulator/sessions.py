"""The exchange's sessions, and where an instant stands among them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

from trading.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NEW_YORK = ZoneInfo("America/New_York")
"""Time zone of the exchange."""

EXTENDED = (time(4), time(20))
"""Pre-market to after-hours, New York."""

MARGIN = timedelta(days=400)
"""Calendar days known before the first and after the last bar, so that clock and calendar have neighbours."""


@dataclass(frozen=True, slots=True)
class Event:
    """An open or a close of one session; `at` is UTC."""

    kind: Literal["open", "close"]
    day: date
    at: datetime


def midnight(day: date) -> datetime:
    """Return midnight New York of a day in UTC: the timestamp of a daily bar."""
    return datetime.combine(day, time(), NEW_YORK).astimezone(UTC)


def exchange_day(now: datetime) -> date:
    """Return the calendar day in New York at an instant."""
    return now.astimezone(NEW_YORK).date()


class Sessions:
    """Opens and closes of consecutive sessions, in UTC, ascending."""

    def __init__(self, days: Sequence[date], opens: Sequence[datetime], closes: Sequence[datetime]) -> None:
        self.days, self.opens, self.closes = tuple(days), tuple(opens), tuple(closes)
        self._index = {day: number for number, day in enumerate(self.days)}

    @classmethod
    def xnys(cls, first: date, last: date) -> Sessions:
        """Return the New York Stock Exchange's sessions around a span of days, early closes included."""
        import exchange_calendars

        calendar = exchange_calendars.get_calendar("XNYS", start=first - MARGIN, end=last + MARGIN)
        schedule = calendar.schedule
        return cls(
            [stamp.date() for stamp in schedule.index],
            [stamp.to_pydatetime() for stamp in schedule["open"]],
            [stamp.to_pydatetime() for stamp in schedule["close"]],
        )

    def __contains__(self, day: date) -> bool:
        return day in self._index

    def open_of(self, day: date) -> datetime:
        """Return when a session opens."""
        return self.opens[self._index[day]]

    def close_of(self, day: date) -> datetime:
        """Return when a session closes."""
        return self.closes[self._index[day]]

    def is_open(self, now: datetime) -> bool:
        """Return whether `now` is inside a session; its close is outside."""
        return self.current(now) is not None

    def current(self, now: datetime) -> date | None:
        """Return the session that is open, or None."""
        number = bisect_right(self.opens, now) - 1
        return self.days[number] if number >= 0 and now < self.closes[number] else None

    def in_extended_hours(self, now: datetime) -> bool:
        """Return whether `now` is between 4:00 and 20:00 New York on a session's day."""
        local = now.astimezone(NEW_YORK)
        return local.date() in self and EXTENDED[0] <= local.time() < EXTENDED[1]

    def last_closed(self, now: datetime) -> date:
        """Return the latest session whose close has passed.

        Raises
        ------
        DataError
            There is none: `now` lies before the calendar.
        """
        number = bisect_right(self.closes, now) - 1
        if number < 0:
            raise DataError(f"no session closed before {now:%Y-%m-%d}; the calendar starts {self.days[0]}")
        return self.days[number]

    def next_open(self, now: datetime) -> datetime:
        """Return the first open after `now`."""
        return self.opens[bisect_right(self.opens, now)]

    def next_close(self, now: datetime) -> datetime:
        """Return the first close after `now`."""
        return self.closes[bisect_right(self.closes, now)]

    def trading_day(self, now: datetime) -> date:
        """Return the session an order accepted at `now` belongs to: the open one, else the next."""
        return self.days[bisect_right(self.closes, now)]

    def at_or_before(self, day: date) -> date:
        """Return the last session on or before a day."""
        return self.days[max(bisect_right(self.days, day) - 1, 0)]

    def later(self, day: date, count: int) -> date:
        """Return the session `count` sessions after one."""
        return self.days[min(self._index[day] + count, len(self.days) - 1)]

    def earlier(self, day: date) -> date:
        """Return the session before one."""
        return self.days[max(self._index[day] - 1, 0)]

    def between(self, first: date | None, last: date | None) -> tuple[date, ...]:
        """Return the sessions from `first` to `last`, both included; None is the calendar's own end."""
        start = bisect_left(self.days, first) if first else 0
        stop = bisect_right(self.days, last) if last else len(self.days)
        return self.days[start:stop]

    def events(self, after: datetime, until: datetime) -> Iterator[Event]:
        """Yield every open and close in (after, until], in order."""
        number = bisect_right(self.closes, after)
        while number < len(self.days) and self.opens[number] <= until:
            day = self.days[number]
            if self.opens[number] > after:
                yield Event("open", day, self.opens[number])
            if self.closes[number] <= until:
                yield Event("close", day, self.closes[number])
            number += 1
