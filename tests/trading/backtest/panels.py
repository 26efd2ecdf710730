"""Small daily panels, bar by bar."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from trading.bars import Panel
from trading.calendar import bar_timestamp, sessions

if TYPE_CHECKING:
    from collections.abc import Sequence

Bar = tuple[float, float, float, float]
DAYS = sessions(date(2011, 1, 3), date(2011, 3, 1))  # 3 January 2011 is a Monday


def panel_of(*columns: Sequence[Bar], volume: float = 1_000_000.0) -> Panel:
    """Return a daily panel of symbols S0, S1, ...; each bar is open, high, low, close."""
    bars = np.array(columns, dtype=np.float64).transpose(2, 1, 0)
    stamps = [bar_timestamp(day).replace(tzinfo=None) for day in DAYS[: bars.shape[1]]]
    start, high, low, close = (np.ascontiguousarray(values) for values in bars)
    volumes = np.where(np.isnan(close), np.nan, volume)
    symbols = tuple(f"S{column}" for column in range(len(columns)))
    return Panel(np.array(stamps, dtype="datetime64[ns]"), symbols, start, high, low, close, volumes)


def flat(price: float, count: int) -> list[Bar]:
    return [(price, price, price, price)] * count
