"""Reading minute bars from a file."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.minutes import Minutes
from trading.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    import pandas as pd

log = logging.getLogger(__name__)

ALIASES = {"ticker": "symbol", "timestamp": "ts", "time": "ts", "date": "ts", "datetime": "ts", "t": "ts"}
PRICES = ["open", "high", "low", "close"]
COLUMNS = ["symbol", "ts", *PRICES, "volume"]


def load_minutes(path: Path, symbols: AbstractSet[str]) -> dict[str, Minutes]:
    """Return the minute bars of a CSV or Parquet file, per symbol.

    The columns are symbol (or ticker), ts (or timestamp; the start of the bar, with its zone), open, high, low,
    close and volume. Rows that are incomplete, not on a whole minute, or of a symbol that has no daily bars are
    left out and counted in the log.

    Raises
    ------
    DataError
        The file is missing, unreadable, lacks a column, has times without a zone, or repeats a row.
    """
    frame = _read(path)
    frame = frame.set_axis([ALIASES.get(name, name) for name in map(_plain, frame.columns)], axis=1)
    missing = [name for name in COLUMNS if name not in frame]
    if missing:
        raise DataError(f"{path} lacks the columns {', '.join(missing)}; it has {', '.join(map(str, frame.columns))}")
    frame = _clean(frame, path, symbols)
    repeated = frame.duplicated(["symbol", "ts"])
    if repeated.any():
        row = frame[repeated].iloc[0]
        raise DataError(f"{path} has two rows for {row['symbol']} at {row['ts'].isoformat()}; keep one")
    return {str(symbol): _minutes(rows) for symbol, rows in frame.groupby("symbol")}


def _plain(name: object) -> str:
    return str(name).strip().lower()


def _read(path: Path) -> pd.DataFrame:
    import pandas as pd

    if not path.is_file():
        raise DataError(f"{path} does not exist; give --minutes a CSV or Parquet file of minute bars")
    try:
        if path.suffix in {".parquet", ".pq"}:
            return pd.read_parquet(path)
        # NA and NAN are somebody's ticker symbols; only an empty field is missing
        return pd.read_csv(path, keep_default_na=False, na_values=[""])
    except (ValueError, OSError, UnicodeError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{path} cannot be read as a CSV or Parquet file: {reason}") from None


def _clean(frame: pd.DataFrame, path: Path, symbols: AbstractSet[str]) -> pd.DataFrame:
    import pandas as pd

    figures = {name: pd.to_numeric(frame[name], errors="coerce").astype(float) for name in (*PRICES, "volume")}
    names = frame["symbol"].astype("string").str.strip().str.upper()
    frame = frame.assign(**figures, symbol=names, ts=_times(frame["ts"], path))
    whole = frame["ts"].notna() & (frame["ts"].dt.floor("min") == frame["ts"])
    usable = ((frame[PRICES] > 0) & (frame[PRICES] < np.inf)).all(axis=1) & whole & (frame["volume"] >= 0)
    usable &= frame["symbol"].isin(symbols).astype(bool)
    if not usable.all():
        log.warning("%s: %d rows left out: incomplete, or without daily bars", path, int((~usable).sum()))
    if not usable.any():
        raise DataError(f"{path} has no usable minute bar; expected whole minutes, positive prices, known symbols")
    kept: pd.DataFrame = frame.loc[usable, COLUMNS]
    return kept.sort_values(["symbol", "ts"], kind="stable")


def _times(column: pd.Series[Any], path: Path) -> pd.Series[Any]:
    import pandas as pd

    if isinstance(column.dtype, pd.DatetimeTZDtype):
        converted: pd.Series[Any] = column.dt.tz_convert("UTC")
        return converted
    texts = column.astype("string").str.strip()
    if not texts.dropna().str.contains(r"(?:Z|[+-]\d{2}:?\d{2})$", regex=True).all():
        raise DataError(f"{path}: ts has no zone; write times such as 2024-01-02T14:30:00Z")
    times: pd.Series[Any] = pd.to_datetime(texts, errors="coerce", utc=True, format="ISO8601")
    return times


def _minutes(rows: pd.DataFrame) -> Minutes:
    starts = rows["ts"].dt.tz_localize(None).to_numpy(dtype="datetime64[s]").astype(np.int64)
    opens, highs, lows, closes = (rows[name].to_numpy(np.float64, copy=True) for name in PRICES)
    return Minutes(starts, opens, highs, lows, closes, rows["volume"].to_numpy(np.float64).astype(np.int64))
