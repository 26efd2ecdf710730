"""Minute bars of one symbol: those of a file, seen through the clock, and the one that replaces another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.sessions import NEW_YORK

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MINUTE = 60
DAY = 86_400
PLACES = 4
FIGURES = ("open", "high", "low", "close", "volume")


@dataclass(frozen=True, slots=True)
class Minutes:
    """Minute bars, ascending, one entry each; `starts` are seconds since 1970, prices unadjusted dollars."""

    starts: NDArray[np.int64]
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: NDArray[np.int64]

    def seen(self, now: datetime) -> int:
        """Return how many bars are complete: a bar is, from its end on."""
        return int(self.starts.searchsorted(int(now.timestamp()) - MINUTE, side="right"))

    def place(self, at: datetime) -> int | None:
        """Return the row of the bar that starts at a time, or None when there is none."""
        seconds = int(at.timestamp())
        number = int(self.starts.searchsorted(seconds))
        return number if number < len(self.starts) and self.starts[number] == seconds else None

    def replace(self, number: int, figures: dict[str, float]) -> None:
        """Give a bar other figures; in memory only, the file keeps the old ones."""
        for name in FIGURES:
            getattr(self, name)[number] = figures[name]

    def message(self, number: int) -> dict[str, Any]:
        """Return a bar as the stream sends it, without type and symbol; `t` is a datetime."""
        return _bar(self, slice(number, number + 1), int(self.starts[number]))

    def day_message(self, number: int) -> dict[str, Any]:
        """Return the bar of the day up to a minute, stamped with the midnight in New York that it began."""
        at = datetime.fromtimestamp(int(self.starts[number]), NEW_YORK)
        midnight = int(datetime(at.year, at.month, at.day, tzinfo=NEW_YORK).timestamp())
        return _bar(self, slice(int(self.starts.searchsorted(midnight)), number + 1), midnight)


def _bar(minutes: Minutes, rows: slice, start: int) -> dict[str, Any]:
    """Return several minutes as one bar: no trade count, and (high + low + close) / 3 for the average price."""
    high, low, close = float(minutes.high[rows].max()), float(minutes.low[rows].min()), float(minutes.close[rows][-1])
    prices = {"o": float(minutes.open[rows][0]), "h": high, "l": low, "c": close, "vw": (high + low + close) / 3}
    shown = {name: round(price, PLACES) for name, price in prices.items()}
    return shown | {"v": int(minutes.volume[rows].sum()), "n": 0, "t": datetime.fromtimestamp(start, UTC)}


def labels(starts: NDArray[np.int64], minutes: int) -> NDArray[np.int64]:
    """Return the start of the interval that each minute falls into, counted from midnight in New York."""
    days, place = np.unique(starts // DAY, return_inverse=True)
    noons = [datetime.fromtimestamp(int(day) * DAY + DAY // 2, NEW_YORK).utcoffset() for day in days]
    offsets = np.array([int(offset.total_seconds()) if offset else 0 for offset in noons], dtype=np.int64)
    local = starts + offsets[place]
    return starts - local % DAY % (minutes * MINUTE)


def exchange_days(starts: NDArray[np.int64]) -> list[date]:
    """Return the day in New York of each start."""
    known = {int(label): datetime.fromtimestamp(int(label), NEW_YORK).date() for label in np.unique(starts)}
    return [known[int(start)] for start in starts]
