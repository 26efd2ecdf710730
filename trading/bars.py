"""Bars: timeframes, and the panel that strategies read."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from trading.errors import DataError, InvalidValueError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import pandas as pd

Timeframe = Literal["1Min", "5Min", "15Min", "30Min", "1Hour", "1Day"]
TIMEFRAMES: tuple[Timeframe, ...] = get_args(Timeframe)
"""Every timeframe, finest first, as Alpaca writes them."""

Field = Literal["open", "high", "low", "close", "volume"]
FIELDS: tuple[Field, ...] = get_args(Field)
"""The figures of a bar, in the order they are stored and hashed."""

Floats = NDArray[np.float64]

_DURATIONS: dict[str, timedelta] = {
    "1Min": timedelta(minutes=1),
    "5Min": timedelta(minutes=5),
    "15Min": timedelta(minutes=15),
    "30Min": timedelta(minutes=30),
    "1Hour": timedelta(hours=1),
    "1Day": timedelta(days=1),
}


def duration(timeframe: str) -> timedelta:
    """Return how long one bar of `timeframe` lasts; UnknownNameError for a name not in `TIMEFRAMES`."""
    try:
        return _DURATIONS[timeframe]
    except KeyError:
        raise UnknownNameError("timeframe", timeframe, TIMEFRAMES) from None


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """Bars of several symbols on one time axis: what indicators, strategies and backtests read.

    Attributes
    ----------
    timestamps
        (T,) datetime64[ns], start of each bar in UTC, strictly increasing.
    symbols
        The N symbols, in column order.
    open, high, low, close, volume
        (T, N) float64, NaN where a symbol has no bar; prices in USD, volume in shares.
    """

    timestamps: NDArray[np.datetime64]
    symbols: tuple[str, ...]
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats

    def __post_init__(self) -> None:
        shape = (len(self.timestamps), len(self.symbols))
        for field in FIELDS:
            if self.field(field).shape != shape:
                raise InvalidValueError(f"shape of {field}", self.field(field).shape, f"{shape}")

    def __len__(self) -> int:
        return len(self.timestamps)

    def field(self, name: Field) -> Floats:
        """Return one of `FIELDS` as its (T, N) array."""
        values: Floats = getattr(self, name)
        return values

    def rows(self, chosen: slice) -> Panel:
        """Return the bars of a slice of rows, without copying."""
        return Panel(self.timestamps[chosen], self.symbols, *(self.field(name)[chosen] for name in FIELDS))

    def up_to(self, ts: datetime) -> Panel:
        """Return the bars that start at or before `ts`, a timezone-aware instant."""
        end = int(np.searchsorted(self.timestamps, instant(ts), side="right"))
        return self.rows(slice(0, end))

    def without(self, symbols: Collection[str]) -> Panel:
        """Return the panel with the bars of `symbols` taken out; their columns stay, all NaN."""
        out = np.isin(np.array(self.symbols, dtype=object), list(symbols))
        return Panel(self.timestamps, self.symbols, *(np.where(out, np.nan, self.field(name)) for name in FIELDS))

    def of(self, symbol: str) -> Panel:
        """Return the bars of one symbol, from its first to its last; UnknownNameError when there is no such column."""
        if symbol not in self.symbols:
            raise UnknownNameError("symbol", symbol, self.symbols)
        column = self.symbols.index(symbol)
        held = np.flatnonzero(~np.isnan(self.close[:, column]))
        kept = slice(int(held[0]), int(held[-1]) + 1) if len(held) else slice(0, 0)
        fields = (self.field(name)[kept, column : column + 1] for name in FIELDS)
        return Panel(self.timestamps[kept], (symbol,), *fields)

    def frame(self, field: Field) -> pd.DataFrame:
        """Return one field as a frame with a UTC DatetimeIndex and a column per symbol."""
        import pandas as pd

        index = pd.DatetimeIndex(self.timestamps, tz="UTC", name="ts")
        return pd.DataFrame(self.field(field), index=index, columns=list(self.symbols))

    def fingerprint(self) -> str:
        """Return the SHA-256 (hex) of exactly the symbols, timestamps and values, every NaN alike."""
        digest = hashlib.sha256(repr((self.symbols, len(self))).encode())
        digest.update(self.timestamps.astype("<M8[ns]").tobytes())
        for name in FIELDS:
            values = self.field(name)
            digest.update(np.where(np.isnan(values), np.nan, values).astype("<f8").tobytes())
        return digest.hexdigest()

    @property
    def first_timestamp(self) -> datetime:
        """Start of the first bar, in UTC; DataError when the panel is empty."""
        if not len(self):
            raise DataError(f"no bars of {', '.join(self.symbols) or 'any symbol'}; fetch market data first")
        return moment(self.timestamps[0])

    @property
    def last_timestamp(self) -> datetime:
        """Start of the last bar, in UTC; DataError when the panel is empty."""
        if not len(self):
            raise DataError(f"no bars of {', '.join(self.symbols) or 'any symbol'}; fetch market data first")
        return moment(self.timestamps[-1])


def instant(ts: datetime) -> np.datetime64:
    """Return a timezone-aware datetime as UTC datetime64[ns]; InvalidValueError when it is naive."""
    if ts.tzinfo is None:
        raise InvalidValueError("timestamp", ts.isoformat(), "a time zone, such as +00:00")
    return np.datetime64(ts.astimezone(UTC).replace(tzinfo=None), "ns")


def moment(stamp: np.datetime64) -> datetime:
    """Return a UTC datetime64 as a timezone-aware datetime, to the microsecond."""
    naive: datetime = stamp.astype("datetime64[us]").item()
    return naive.replace(tzinfo=UTC)


def to_panel(bars: pd.DataFrame, symbols: Sequence[str] | None = None) -> Panel:
    """Align long bars on one time axis.

    Parameters
    ----------
    bars
        Columns symbol, ts (timezone-aware), open, high, low, close, volume, in any order of rows.
    symbols
        The columns wanted, in order; one without bars becomes all NaN. Default: those present, sorted.

    Raises
    ------
    DataError
        A column is missing, `ts` has no time zone, or a symbol has two bars at one time.
    """
    _require(bars, ("symbol", "ts", *FIELDS))
    wanted = tuple(sorted(set(bars["symbol"])) if symbols is None else symbols)
    columns = {symbol: column for column, symbol in enumerate(wanted)}
    bars = bars[bars["symbol"].isin(list(columns))]
    stamps = _stamps(bars)
    timestamps, row = np.unique(stamps, return_inverse=True)
    column = bars["symbol"].map(columns).to_numpy(dtype=np.int64)
    cells = row * len(wanted) + column
    if len(np.unique(cells)) != len(cells):
        raise DataError("two bars of one symbol at one time; run validate_data_quality to find them")
    filled = []
    for name in FIELDS:
        values = np.full((len(timestamps), len(wanted)), np.nan)
        values[row, column] = bars[name].to_numpy(dtype=np.float64)
        filled.append(values)
    return Panel(timestamps, wanted, *filled)


def _require(bars: pd.DataFrame, columns: Sequence[str]) -> None:
    missing = [name for name in columns if name not in bars.columns]
    if missing:
        raise DataError(f"bars lack the column(s) {', '.join(missing)}; present: {', '.join(map(str, bars.columns))}")
    if len(bars) and getattr(bars["ts"].dtype, "tz", None) is None:
        raise DataError("bars have timestamps without a time zone; store them in UTC")


def _stamps(bars: pd.DataFrame) -> NDArray[np.datetime64]:
    if bars.empty:
        return np.array([], dtype="datetime64[ns]")
    utc = bars["ts"].dt.tz_convert("UTC").dt.tz_localize(None)
    stamps: NDArray[np.datetime64] = utc.to_numpy(dtype="datetime64[ns]")
    return stamps
