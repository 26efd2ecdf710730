"""A migrated database of a test's own, and bars to put into it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from db.repositories import ingestion
from db.repositories.bars import write
from trading.calendar import bar_timestamp, sessions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from sqlalchemy import Connection, Engine


def daily(symbols: Sequence[str], first: date, last: date, *, seed: int = 1) -> pd.DataFrame:
    """Return a random walk of daily bars of whole cents for each symbol."""
    days = sessions(first, last)
    frames = []
    for number, symbol in enumerate(symbols):
        chance = np.random.default_rng(seed * 1000 + number)
        close = np.round(50 + chance.normal(0, 1, len(days)).cumsum() % 40, 2)
        prices = {"open": close, "high": np.round(close + 1, 2), "low": np.round(close - 1, 2), "close": close}
        volume = chance.integers(1, 1_000_000, len(days)).astype(np.float64)
        frames.append(
            pd.DataFrame({"symbol": symbol, "ts": list(map(bar_timestamp, days)), **prices, "volume": volume})
        )
    bars = pd.concat(frames, ignore_index=True)
    return bars.assign(ts=pd.to_datetime(bars["ts"], utc=True).astype("datetime64[ns, UTC]"))


def begin(connection: Connection) -> int:
    """Open an ingestion run."""
    return ingestion.begin(connection, source="broker", timeframe="1Day", symbols=[], flow_run_id=None)


def put(engine: Engine, bars: pd.DataFrame, *, timeframe: str = "1Day", source: str = "broker") -> int:
    """Write bars in a transaction of their own; return how many were new or different."""
    with engine.begin() as connection:
        return write(connection, bars, timeframe=timeframe, source=source, run=begin(connection))


@pytest.fixture(scope="session")
def daily_bars() -> Callable[..., pd.DataFrame]:
    return daily


@pytest.fixture
def store(engine: Engine) -> Callable[..., int]:
    """Return what writes bars to the test's database."""

    def stored(bars: pd.DataFrame, **how: Any) -> int:
        return put(engine, bars, **how)

    return stored
