"""Bars without a defect, for the rules to find what a test puts into them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from trading.calendar import bar_timestamp, close_at, completed_bars, open_at, sessions
from trading.quality import check

if TYPE_CHECKING:
    from collections.abc import Callable

    from trading.bars import Timeframe


def _bars(starts: pd.DatetimeIndex, symbol: str, seed: int, deviation: float) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    close = 100 * np.exp(
        np.clip(generator.normal(0, deviation, len(starts)), -2.5 * deviation, 2.5 * deviation).cumsum()
    )
    start = np.concatenate((close[:1], close[:-1]))
    return pd.DataFrame(
        {
            "symbol": symbol,
            "ts": starts,
            "open": start,
            "high": np.maximum(start, close) * (1 + deviation / 2),
            "low": np.minimum(start, close) / (1 + deviation / 2),
            "close": close,
            "volume": np.round(1e6 * np.exp(generator.normal(0, 0.3, len(starts)))),
        }
    )


@pytest.fixture(scope="session")
def days() -> list[date]:
    """The 250 sessions of 2012, Hurricane Sandy's two days missing."""
    return sessions(date(2012, 1, 1), date(2012, 12, 31))


@pytest.fixture(scope="session")
def daily(days: list[date]) -> Callable[..., pd.DataFrame]:
    """Make a year of daily bars of symbols with a volatility of 1 % a day."""

    def make(*symbols: str) -> pd.DataFrame:
        starts = pd.DatetimeIndex([bar_timestamp(day) for day in days])
        frames = [_bars(starts, symbol, seed, 0.01) for seed, symbol in enumerate(symbols or ("X",))]
        return pd.concat(frames, ignore_index=True)

    return make


@pytest.fixture(scope="session")
def intraday() -> Callable[..., pd.DataFrame]:
    """Make the bars of regular hours of the sessions from one day to another."""

    def make(first: date, last: date, timeframe: Timeframe = "5Min", symbol: str = "X") -> pd.DataFrame:
        starts = completed_bars(timeframe, open_at(first).replace(minute=0), close_at(last))
        return _bars(starts, symbol, 3, 0.001)

    return make


@pytest.fixture(scope="session")
def said() -> Callable[..., list[tuple[str, str]]]:
    """Return what a rule says: New York times and verdicts; and that no other rule says anything."""

    def run(bars: pd.DataFrame, rule: str, **asked: object) -> list[tuple[str, str]]:
        issues = check(bars, **asked)  # type: ignore[arg-type] # whatever check takes
        assert {issue.rule for issue in issues} <= {rule}
        stamps = [pd.Timestamp(issue.ts).tz_convert("America/New_York") for issue in issues]
        form = "%Y-%m-%d" if asked.get("timeframe", "1Day") == "1Day" else "%Y-%m-%d %H:%M"
        return [(stamp.strftime(form), issue.verdict) for stamp, issue in zip(stamps, issues, strict=True)]

    return run
