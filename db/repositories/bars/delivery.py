"""Bars as they were delivered, made ready to be stored: sorted, one per key, prices exact."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from db.binary import EPOCH, Integers, Texts, instants
from db.models.base import MICRO
from trading.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

PRICES = ("open", "high", "low", "close")
LARGEST = 9.2e12
"""The first price in USD whose millionths no longer fit a bigint."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """Bars of one timeframe, in the order of their key.

    Attributes
    ----------
    symbols, stamps, figures
        The columns symbol and ts, and open, high, low, close (millionths of a dollar) and volume.
    rows
        (N,) where each bar stood in the frame.
    """

    symbols: Texts
    stamps: Integers
    figures: tuple[Integers, ...]
    rows: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def span(self) -> tuple[datetime, datetime]:
        """The first and the last bar's timestamp (UTC)."""
        ends = (int(self.stamps.numbers.min()), int(self.stamps.numbers.max()))
        first, last = (datetime(2000, 1, 1, tzinfo=UTC) + timedelta(microseconds=end) for end in ends)
        return first, last

    @property
    def times(self) -> NDArray[np.datetime64]:
        """(N,) timestamps as datetime64[us], UTC."""
        return (self.stamps.numbers + EPOCH).astype("datetime64[us]")


def delivered(bars: pd.DataFrame) -> Delivery:
    """Return bars (symbol, ts timezone-aware, open, high, low, close, volume) in any order; the last of a key counts.

    Raises
    ------
    DataError
        A bar has no time, or a price or volume that cannot be stored.
    """
    codes, names = pd.factorize(bars["symbol"], sort=True)
    if getattr(bars["ts"].dtype, "tz", None) is None:
        raise DataError("bars have timestamps without a time zone; give them in UTC")
    times = bars["ts"].dt.tz_convert(None).to_numpy(dtype="datetime64[us]")
    if np.isnat(times).any() or (codes < 0).any():
        raise DataError("a bar has no symbol or no time; leave it out")
    stamps = instants(times)
    rows = _in_order(codes, stamps)
    figures = tuple(_millionths(bars, name, rows) for name in PRICES)
    texts = Texts(codes[rows].astype(np.int64), tuple(map(str, names)))
    return Delivery(texts, Integers(stamps[rows]), (*figures, _shares(bars, rows)), rows)


def _in_order(codes: NDArray[np.intp], stamps: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return the rows sorted by symbol and time, of equal ones the last."""
    steps, ahead = np.diff(codes), np.diff(stamps)
    if ((steps > 0) | ((steps == 0) & (ahead > 0))).all():
        return np.arange(len(codes))
    rows = np.lexsort((stamps, codes))
    same = (np.diff(codes[rows]) == 0) & (np.diff(stamps[rows]) == 0)
    last: NDArray[np.intp] = rows[np.append(~same, [True])]
    return last


def _millionths(bars: pd.DataFrame, name: str, rows: NDArray[np.intp]) -> Integers:
    return _whole(bars[name].to_numpy(dtype=np.float64, na_value=np.nan)[rows], MICRO, bars, name, rows)


def _shares(bars: pd.DataFrame, rows: NDArray[np.intp]) -> Integers:
    return _whole(bars["volume"].to_numpy(dtype=np.float64, na_value=np.nan)[rows], 1, bars, "volume", rows)


def _whole(values: NDArray[np.float64], scale: int, bars: pd.DataFrame, name: str, rows: NDArray[np.intp]) -> Integers:
    nulls = np.isnan(values)
    storable = nulls | (np.abs(values) < LARGEST * MICRO / scale)
    if not storable.all():
        bar = bars.iloc[rows[int(np.argmin(storable))]]
        raise DataError(f"{bar['symbol']} {bar['ts']}: {name} {bar[name]} cannot be stored; correct or remove the bar")
    if nulls.any():
        return Integers(np.rint(np.where(nulls, 0, values) * scale).astype(np.int64), nulls)
    return Integers(np.rint(values * scale).astype(np.int64))
