"""Panels for the tests of the business: real bars where it matters, generated ones elsewhere."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import bokeh_sampledata.stocks as sample
import numpy as np
import pandas as pd
import pytest
from hypothesis import settings

from trading.adjustment import adjust
from trading.bars import Panel, to_panel
from trading.calendar import bar_timestamp, sessions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from trading.bars import Floats

settings.register_profile("unhurried", deadline=None)  # a busy machine is no defect of the code
settings.load_profile("unhurried")

SYMBOLS = ("AAPL", "FB", "GOOG", "IBM", "MSFT")


@pytest.fixture(scope="session")
def raw_bars() -> pd.DataFrame:
    """Unadjusted daily bars of five stocks, 2000-03-01 to 2013-03-01."""
    frames = []
    for symbol in SYMBOLS:
        frame = pd.DataFrame(getattr(sample, symbol)).drop(columns="adj_close")
        stamps = pd.to_datetime(frame.pop("date"), format="%Y-%m-%d").dt.tz_localize("America/New_York")
        frames.append(frame.assign(symbol=symbol, ts=stamps.dt.tz_convert("UTC")))
    return pd.concat(frames, ignore_index=True)


@pytest.fixture(scope="session")
def splits() -> pd.DataFrame:
    """The three splits in those years, as the companies announced them."""
    return pd.DataFrame(
        {
            "symbol": ["AAPL", "AAPL", "MSFT"],
            "ex_date": [date(2000, 6, 21), date(2005, 2, 28), date(2003, 2, 18)],
            "ratio": [2.0, 2.0, 2.0],
        }
    )


@pytest.fixture(scope="session")
def real(raw_bars: pd.DataFrame, splits: pd.DataFrame) -> Panel:
    """All bars, adjusted as of their end."""
    return to_panel(adjust(raw_bars, splits, date(2013, 3, 1)))


@pytest.fixture(scope="session")
def make_panel() -> Callable[..., Panel]:
    """Make a daily panel of S0, S1, ... from (T, N) closes; opens are the closes before."""

    def make(
        close: Sequence[Sequence[float]] | Floats, *, first: date = date(2011, 1, 3), spread: float = 0.01
    ) -> Panel:
        values = np.asarray(close, dtype=np.float64)
        days = sessions(first, date(first.year + 20, 1, 1))[: len(values)]
        opens = np.vstack((values[:1], values[:-1])) if len(values) else values
        opens = np.where(np.isnan(values), np.nan, np.where(np.isnan(opens), values, opens))
        return Panel(
            timestamps=np.array([bar_timestamp(day).replace(tzinfo=None) for day in days], dtype="datetime64[ns]"),
            symbols=tuple(f"S{column}" for column in range(values.shape[1])),
            open=opens,
            high=np.fmax(opens, values) * (1 + spread),
            low=np.fmin(opens, values) * (1 - spread),
            close=values,
            volume=np.where(np.isnan(values), np.nan, 1_000_000.0),
        )

    return make
