"""Reading a market from a file of daily bars, or from the real ones that come with bokeh_sampledata."""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING

import numpy as np

from simulator.market import History, Market
from simulator.minute_files import load_minutes
from simulator.request_values import SYMBOL
from simulator.sessions import Sessions
from trading.adjustment import derive
from trading.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

log = logging.getLogger(__name__)

ALIASES = {
    "ticker": "symbol",
    "name": "symbol",
    "timestamp": "date",
    "time": "date",
    "ts": "date",
    "t": "date",
    "adjclose": "adj_close",
    "adjusted_close": "adj_close",
}
PRICES = ["open", "high", "low", "close"]
BUILT_IN = "bokeh_sampledata"


def load_market(path: Path | None, minutes: Path | None = None) -> Market:
    """Return the market of a CSV or Parquet file, or of bokeh_sampledata when there is none.

    The file has one row per symbol and session: symbol (or ticker; without it the file's name is the
    symbol), date, open, high, low, close, volume and optionally adj_close, from which splits and dividends
    are derived. Column names and symbols are read without regard to case. Rows without a symbol or a complete
    positive price, and rows of days on which the exchange was closed, are left out and counted in the log.
    `minutes` is a file of minute bars, see `load_minutes`.

    Raises
    ------
    DataError
        The file is missing, unreadable, lacks a column, or repeats a row.
    """
    frame, source = (_built_in(), BUILT_IN) if path is None else (_read(path), str(path))
    frame = _named(frame, source, path.stem.upper() if path else BUILT_IN)
    frame = _clean(frame, source)
    first, last = frame["date"].iloc[0].date(), frame["date"].iloc[-1].date()
    sessions = Sessions.xnys(first, last)
    in_session = frame["date"].dt.date.isin(set(sessions.days))
    if not in_session.all():
        log.warning("%s: %d rows on days without a session left out", source, int((~in_session).sum()))
        frame = frame[in_session]
    if frame.empty:
        raise DataError(f"{source} has no usable daily bar; expected rows with positive prices on XNYS sessions")
    histories = {str(symbol): _history(str(symbol), rows) for symbol, rows in frame.groupby("symbol")}
    known = load_minutes(minutes, set(histories)) if minutes else {}
    return Market(histories, sessions, _fingerprint(histories), known)


def _built_in() -> pd.DataFrame:
    import pandas as pd
    from bokeh_sampledata import stocks

    data = stocks.data
    return pd.DataFrame(data)


def _read(path: Path) -> pd.DataFrame:
    import pandas as pd

    if not path.is_file():
        raise DataError(f"{path} does not exist; give --data a CSV or Parquet file of daily bars")
    try:
        return pd.read_parquet(path) if path.suffix in {".parquet", ".pq"} else _read_csv(path)
    except (ValueError, OSError, UnicodeError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{path} cannot be read as a CSV or Parquet file: {reason}") from None


def _read_csv(path: Path) -> pd.DataFrame:
    import pandas as pd

    # NA and NAN are somebody's ticker symbols; only an empty field is missing
    return pd.read_csv(path, keep_default_na=False, na_values=[""])


def _named(frame: pd.DataFrame, source: str, symbol: str) -> pd.DataFrame:
    import pandas as pd

    names = [str(name).strip().lower().replace(" ", "_") for name in frame.columns]
    frame = frame.set_axis([ALIASES.get(name, name) for name in names], axis=1)
    if "symbol" not in frame:
        frame = frame.assign(symbol=symbol)
    missing = [name for name in ("date", *PRICES, "volume") if name not in frame]
    if missing:
        raise DataError(f"{source} lacks the columns {', '.join(missing)}; it has {', '.join(frame.columns)}")
    days = pd.to_datetime(frame["date"], errors="coerce", utc=True)
    return frame.assign(
        date=days.dt.tz_localize(None).dt.normalize(), symbol=frame["symbol"].astype("string").str.strip().str.upper()
    )


def _clean(frame: pd.DataFrame, source: str) -> pd.DataFrame:
    import pandas as pd

    columns = [name for name in (*PRICES, "volume", "adj_close") if name in frame]
    frame = frame.assign(**{name: pd.to_numeric(frame[name], errors="coerce").astype(float) for name in columns})
    frame = frame.assign(volume=frame["volume"].fillna(0.0))
    wanted = [name for name in columns if name != "volume"]
    usable = ((frame[wanted] > 0) & (frame[wanted] < np.inf)).all(axis=1) & frame["date"].notna()
    usable &= frame["symbol"].str.fullmatch(SYMBOL.pattern).fillna(value=False).astype(bool)
    if not usable.all():
        log.warning("%s: %d incomplete rows left out", source, int((~usable).sum()))
    frame = frame[usable].sort_values(["date", "symbol"], kind="stable")
    repeated = frame.duplicated(["symbol", "date"])
    if repeated.any():
        row = frame[repeated].iloc[0]
        raise DataError(f"{source} has two rows for {row['symbol']} on {row['date']:%Y-%m-%d}; keep one")
    if frame.empty:
        raise DataError(f"{source} has no usable daily bar; expected rows with positive prices on XNYS sessions")
    return frame


def _history(symbol: str, rows: pd.DataFrame) -> History:
    days = [stamp.date() for stamp in rows["date"]]
    close = rows["close"].to_numpy(np.float64)
    actions = derive(symbol, days, close, rows["adj_close"].to_numpy(np.float64)) if "adj_close" in rows else []
    opens, highs, lows = (rows[name].to_numpy(np.float64) for name in PRICES[:-1])
    volume = rows["volume"].to_numpy(np.float64).astype(np.int64)
    return History(symbol, days, opens, highs, lows, close, volume, tuple(actions))


def _fingerprint(histories: dict[str, History]) -> str:
    """Return a hash of everything the market knows: a state file belongs to one market."""
    digest = hashlib.sha256()
    for symbol, history in sorted(histories.items()):
        digest.update(f"{symbol} {history.days[0]} {len(history.days)} {history.actions}".encode())
        for column in (history.open, history.high, history.low, history.close, history.volume):
            digest.update(np.ascontiguousarray(column).tobytes())
    return digest.hexdigest()
