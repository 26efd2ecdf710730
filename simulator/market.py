"""The market: daily bars per symbol, minute bars where there are some, revealed by the clock and never before."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from simulator.sessions import exchange_day
from trading.adjustment import DerivedAction, Split

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    import numpy as np
    from numpy.typing import NDArray

    from simulator.minutes import Minutes
    from simulator.sessions import Sessions

    Floats = NDArray[np.float64]

PRICE_PLACES = 6


def exact(price: float) -> Decimal:
    """Return a price of the data as the decimal it was written as."""
    return Decimal(repr(round(float(price), PRICE_PLACES)))


@dataclass(frozen=True, slots=True)
class Bar:
    """One session of one symbol, prices in dollars as printed on the day."""

    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int


@dataclass(frozen=True, slots=True)
class Mark:
    """The latest known price and the instant it was made."""

    price: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class History:
    """All bars of one symbol, unadjusted, ascending; the arrays have one entry per session with data."""

    symbol: str
    days: list[date]
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: NDArray[np.int64]
    actions: tuple[DerivedAction, ...] = ()

    def bar(self, number: int) -> Bar:
        """Return one bar in decimals."""
        columns = (self.open, self.high, self.low, self.close)
        opened, high, low, close = (exact(column[number]) for column in columns)
        return Bar(opened, high, low, close, int(self.volume[number]))

    def place(self, day: date) -> int | None:
        """Return the row of a session, or None when it has no bar."""
        number = bisect_left(self.days, day)
        return number if number < len(self.days) and self.days[number] == day else None


class Market:
    """Histories seen through a clock: every question but `session_bar` takes `now` and knows no later."""

    def __init__(
        self,
        histories: Mapping[str, History],
        sessions: Sessions,
        fingerprint: str,
        minutes: Mapping[str, Minutes] | None = None,
    ) -> None:
        self.histories = dict(sorted(histories.items()))
        self.minutes = dict(minutes or {})
        self.sessions = sessions
        self.fingerprint = fingerprint
        self.first = min(history.days[0] for history in self.histories.values())
        self.last = max(history.days[-1] for history in self.histories.values())
        self._marked_at: datetime | None = None
        self._marks: dict[str, Mark | None] = {}

    @property
    def end(self) -> datetime:
        """The open of the first session without data; the clock stops short of it."""
        return self.sessions.next_open(self.sessions.close_of(self.last))

    def listed(self, now: datetime) -> list[str]:
        """Return the symbols whose first session has come, alphabetically."""
        today = exchange_day(now)
        return [symbol for symbol, history in self.histories.items() if history.days[0] <= today]

    def is_listed(self, symbol: str, now: datetime) -> bool:
        """Return whether a symbol's first session has come."""
        history = self.histories.get(symbol)
        return history is not None and history.days[0] <= exchange_day(now)

    def visible(self, symbol: str, now: datetime) -> int:
        """Return how many bars of a symbol are complete."""
        history = self.histories.get(symbol)
        return bisect_right(history.days, self.sessions.last_closed(now)) if history else 0

    def session_bar(self, symbol: str, day: date) -> Bar | None:
        """Return the bar of a session, whatever the clock says: for the matching at its open and close."""
        history = self.histories[symbol]
        number = history.place(day)
        return None if number is None else history.bar(number)

    def mark(self, symbol: str, now: datetime) -> Mark | None:
        """Return the latest price: the open during a session, else the last complete bar's close."""
        if now != self._marked_at:
            self._marked_at, self._marks = now, {}
        if symbol not in self._marks:
            self._marks[symbol] = self._mark(symbol, now)
        return self._marks[symbol]

    def _mark(self, symbol: str, now: datetime) -> Mark | None:
        history = self.histories.get(symbol)
        if history is None:
            return None
        today = self.sessions.current(now)
        number = history.place(today) if today else None
        if today is not None and number is not None:
            return Mark(exact(history.open[number]), self.sessions.open_of(today))
        seen = self.visible(symbol, now)
        if seen == 0:
            return None
        return Mark(exact(history.close[seen - 1]), self.sessions.close_of(history.days[seen - 1]))

    def previous_close(self, symbol: str, now: datetime) -> Decimal | None:
        """Return the close before the session of the mark, in the mark's own shares after a split."""
        mark = self.mark(symbol, now)
        if mark is None:
            return None
        history, day = self.histories[symbol], exchange_day(mark.at)
        number = bisect_left(history.days, day) - 1
        if number < 0:
            return mark.price
        close = exact(history.close[number])
        for action in history.actions:
            if isinstance(action, Split) and action.ex_date == day:
                close /= action.ratio
        return close

    def actions(self, symbol: str, now: datetime) -> list[DerivedAction]:
        """Return the corporate actions whose ex-date has come."""
        history, today = self.histories.get(symbol), exchange_day(now)
        return [action for action in history.actions if action.ex_date <= today] if history else []

    def actions_on(self, symbol: str, day: date) -> list[DerivedAction]:
        """Return the corporate actions that take effect at the open of a session, splits first."""
        due = [action for action in self.histories[symbol].actions if action.ex_date == day]
        return sorted(due, key=lambda action: not isinstance(action, Split))

    def opening_instant(self, start: date) -> datetime:
        """Return where a clock that starts with a session stands: its close, so that its bar is complete."""
        return self.sessions.close_of(self.sessions.at_or_before(start))

    def covers(self, start: date) -> bool:
        """Return whether a start leaves at least one bar before and one session after it."""
        return self.first <= start < self.last
