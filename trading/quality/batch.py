"""The arrays that all rules share, made once for a frame of bars."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from trading.adjustment.factors import Bars, cumulative_factors
from trading.bars import FIELDS, duration
from trading.calendar import number_sessions, wall_clock
from trading.errors import DataError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from trading.adjustment.actions import Actions
    from trading.bars import Floats, Timeframe

MAD_TO_DEVIATION = 1.4826
"""Median absolute deviation to standard deviation for a normal distribution (Rousseeuw & Croux 1993)."""

HISTORY_NEEDED = 5
"""Bars before that it takes to say what trading is usual."""

_AT_ONCE = 65_536
_SECONDS_BITS = 17

REGULAR_HOURS = timedelta(hours=6, minutes=30)
"""Of a full session, 09:30 to 16:00."""

CROWD = 5
"""Symbols it takes at one time to speak of the market's move."""


@dataclass(frozen=True, eq=False)
class Batch:
    """R bars of N symbols as arrays, ordered by symbol and time, duplicates in the order delivered.

    Attributes
    ----------
    names
        (N,) symbols, ascending; `codes` (R,) points into it.
    stamps
        (R,) datetime64[ns], UTC.
    delivered
        (R,) position of each row in the frame as it came.
    actions
        Known corporate actions, whose moves are no jumps.
    reference, daily
        The same bars from another feed, and the daily bars of intraday ones, where there are any to compare with.
    """

    timeframe: Timeframe
    names: NDArray[np.object_]
    codes: NDArray[np.int64]
    stamps: NDArray[np.datetime64]
    delivered: NDArray[np.int64]
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    actions: Actions | None = None
    reference: Batch | None = None
    daily: Batch | None = None

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def bars_a_session(self) -> float:
        """Bars in the regular hours of a full session."""
        return 1.0 if self.timeframe == "1Day" else REGULAR_HOURS / duration(self.timeframe)

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """(N + 1,) first row of each symbol, and the number of rows."""
        return np.searchsorted(self.codes, np.arange(len(self.names) + 1))

    @cached_property
    def follows(self) -> NDArray[np.bool_]:
        """(R,), whether the row above is of the same symbol."""
        same = np.zeros(len(self), dtype=bool)
        same[1:] = self.codes[1:] == self.codes[:-1]
        return same

    @cached_property
    def local(self) -> NDArray[np.datetime64]:
        """(R,) datetime64[ns], what New York's clocks show."""
        return wall_clock(self.stamps)

    @cached_property
    def days(self) -> NDArray[np.datetime64]:
        """(R,) New York dates, datetime64[D]."""
        return self.local.astype("datetime64[D]")

    @cached_property
    def session_numbers(self) -> NDArray[np.int64]:
        """(R,) number of the session of each bar's day, -1 where the exchange is closed."""
        changed = np.concatenate(([True], self.days[1:] != self.days[:-1])) if len(self) else np.array([], bool)
        numbers: NDArray[np.int64] = number_sessions(self.days[changed])[np.cumsum(changed) - 1]
        return numbers

    @cached_property
    def since_midnight(self) -> NDArray[np.timedelta64]:
        """(R,) time of the day in New York."""
        passed: NDArray[np.timedelta64] = self.local - self.days.astype("datetime64[ns]")
        return passed

    @cached_property
    def previous(self) -> NDArray[np.int64]:
        """(R,) the last row before of the same symbol with a close above zero; -1 where there is none."""
        usable = np.where(self.close > 0, np.arange(len(self)), -1)
        last = np.concatenate(([-1], np.maximum.accumulate(usable)[:-1])) if len(self) else usable
        return np.where(last >= self.starts[self.codes], last, -1)

    @cached_property
    def factors(self) -> Floats:
        """(R,) what known corporate actions multiply each bar's prices with."""
        if self.actions is None or not len(self.actions):
            return np.ones(len(self))
        return cumulative_factors(self.actions, Bars(self.names, self.codes, self.days, self.close)).price

    @cached_property
    def previous_close(self) -> Floats:
        """(R,) close of `previous` in the terms of the row's own day; NaN where there is none."""
        if not len(self):
            return self.close
        before = self.close[self.previous] * (self.factors[self.previous] / self.factors)
        return np.where(self.previous >= 0, before, np.nan)

    @cached_property
    def moves(self) -> Floats:
        """(R,) log moves of the close since `previous`, known corporate actions taken out."""
        return np.log(np.where(self.close > 0, self.close, np.nan) / self.previous_close)

    @cached_property
    def move_deviations(self) -> Floats:
        """(N,) robust standard deviation of each symbol's moves."""
        return MAD_TO_DEVIATION * self.medians(np.abs(self.moves))

    @cached_property
    def dollars(self) -> Floats:
        """(R,) dollar volume."""
        return self.close * self.volume

    def medians(self, values: Floats) -> Floats:
        """Return the (N,) medians of (R,) values by symbol, NaN left out."""
        import pandas as pd

        found = pd.Series(values).groupby(self.codes).median()
        return np.asarray(found.reindex(range(len(self.names))), dtype=np.float64)

    def usual(self, values: Floats, rows: NDArray[np.int64], history: int, least: int) -> Floats:
        """Return, for (K,) rows, the medians of the up to `history` values before each of the same symbol.

        NaN values are left out; the median is NaN where fewer than `least` remain.
        """
        return _medians_before(values, self.starts[self.codes[rows]], rows, history, least)

    def usual_alike(self, values: Floats, rows: NDArray[np.int64], history: int, least: int) -> Floats:
        """Return the same of bars alike: of intraday ones those at the same time of the day.

        The first minute of a session trades many times what the minutes around it do.
        """
        if self.timeframe == "1Day" or not len(rows):
            return self.usual(values, rows, history, least)
        times = (self.since_midnight // np.timedelta64(1, "s")).astype(np.int64)
        alike = (self.codes << _SECONDS_BITS) + times
        chosen = np.flatnonzero(np.isin(alike, np.unique(alike[rows])))
        order = chosen[np.argsort(alike[chosen], kind="stable")]
        place = np.empty(len(self), dtype=np.int64)
        place[order] = np.arange(len(order))
        starts = np.searchsorted(alike[order], alike[rows])
        return _medians_before(values[order], starts, place[rows], history, least)

    def trading(self, rows: NDArray[np.int64], history: int) -> Floats:
        """Return the dollar volumes of (K,) rows in usual ones of bars alike; NaN where too little is known."""
        return self.dollars[rows] / self.usual_alike(self.dollars, rows, history, HISTORY_NEEDED)

    def crowd(self, values: Floats, rows: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """Return the median of all symbols' values at the times of some rows, and its robust deviation.

        Both are 0 at times with fewer than `CROWD` symbols.
        """
        import pandas as pd

        times = np.unique(self.stamps[rows])
        place = np.searchsorted(times, self.stamps)
        held = np.flatnonzero(times[np.minimum(place, len(times) - 1)] == self.stamps) if len(times) else rows
        frame = pd.DataFrame({"time": place[held], "value": values[held]}).dropna()
        center = frame.groupby("time")["value"].median().reindex(range(len(times)))
        frame["away"] = (frame["value"] - center.reindex(frame["time"]).to_numpy()).abs()
        grouped = frame.groupby("time")["away"]
        enough = grouped.size().reindex(range(len(times)), fill_value=0).to_numpy() >= CROWD
        spread = MAD_TO_DEVIATION * grouped.median().reindex(range(len(times))).to_numpy()
        chosen = place[rows]
        return np.where(enough, center.to_numpy(), 0.0)[chosen], np.where(enough, spread, 0.0)[chosen]


def _medians_before(
    values: Floats, starts: NDArray[np.int64], rows: NDArray[np.int64], history: int, least: int
) -> Floats:
    """Return the medians of the up to `history` values from `starts` to before each of (K,) rows."""
    found = np.full(len(rows), np.nan)
    for first in range(0, len(rows), _AT_ONCE):
        chosen = slice(first, first + _AT_ONCE)
        places = rows[chosen, None] - np.arange(1, history + 1)
        inside = places >= starts[chosen, None]
        found[chosen] = _row_medians(np.where(inside, values[np.maximum(places, 0)], np.nan), least)
    return found


def _row_medians(values: Floats, least: int) -> Floats:
    """Return the median of each row without its NaN, NaN for rows with fewer than `least` values."""
    values.sort(axis=1)
    counts = np.count_nonzero(~np.isnan(values), axis=1)
    number = np.arange(len(values))
    lower, upper = np.maximum(counts - 1, 0) // 2, np.minimum(counts // 2, values.shape[1] - 1)
    middle: Floats = (values[number, lower] + values[number, upper]) / 2
    middle[counts < least] = np.nan
    return middle


def make_batch(bars: pd.DataFrame, timeframe: Timeframe) -> Batch:
    """Return the batch of a frame of raw bars: symbol, ts (timezone-aware), open, high, low, close, volume.

    Raises
    ------
    DataError
        A column is missing, or a timestamp is missing or has no time zone.
    """
    import pandas as pd

    _require(bars)
    codes, names = pd.factorize(bars["symbol"].to_numpy(dtype=object), sort=True)
    stamps = _utc(bars["ts"])
    columns: dict[str, Any] = {name: bars[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in FIELDS}
    codes = codes.astype(np.int64)
    batch = Batch(timeframe, names, codes, stamps, delivered=np.arange(len(codes)), **columns)
    ahead = codes[1:] > codes[:-1]
    ahead |= (codes[1:] == codes[:-1]) & (stamps[1:] >= stamps[:-1])
    return batch if ahead.all() else _ordered(batch)


def _ordered(batch: Batch) -> Batch:
    order = np.lexsort((batch.stamps, batch.codes))
    fields: dict[str, Any] = {name: getattr(batch, name)[order] for name in FIELDS}
    return replace(batch, codes=batch.codes[order], stamps=batch.stamps[order], delivered=order, **fields)


def _require(bars: pd.DataFrame) -> None:
    missing = [name for name in ("symbol", "ts", *FIELDS) if name not in bars.columns]
    if missing:
        raise DataError(f"bars lack the column(s) {', '.join(missing)}; present: {', '.join(map(str, bars.columns))}")
    if len(bars) and getattr(bars["ts"].dtype, "tz", None) is None:
        raise DataError("bars have timestamps without a time zone; store them in UTC")
    if bars["ts"].isna().any() or bars["symbol"].isna().any():
        raise DataError("bars without a timestamp or symbol; leave these rows out before checking")


def _utc(stamps: pd.Series) -> NDArray[np.datetime64]:
    import pandas as pd

    if stamps.empty:
        return np.array([], dtype="datetime64[ns]")
    return pd.DatetimeIndex(stamps).tz_convert("UTC").tz_localize(None).as_unit("ns").to_numpy()
