"""Bars from the database as the panel that strategies, sizing and backtests read."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from db import panels
from trading.calendar import bar_timestamp, completed_bars

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from sqlalchemy import Connection

    from trading.bars import Panel

DAYS_A_BAR = 1.6
"""Calendar days that hold a daily bar, holidays included; what is loaded beyond the need is cut off by nobody."""
SLACK = timedelta(days=40)


def decision_bar(timeframe: str, as_of: datetime) -> datetime:
    """Return the start (UTC) of the last bar that is complete at `as_of`."""
    recent = completed_bars(timeframe, as_of - timedelta(days=10), as_of)
    last: datetime = recent[-1].to_pydatetime()
    return last


def load_panel(connection: Connection, symbols: Sequence[str], *, timeframe: str, bars: int, until: datetime) -> Panel:
    """Return at least `bars` bars up to `until` (UTC, included) where there are as many, adjusted as of then."""
    start = until - timedelta(days=bars * DAYS_A_BAR) - SLACK
    return panels.load(connection, symbols, timeframe=timeframe, start=start, end=until)


def load_sessions(connection: Connection, symbols: Sequence[str], *, start: date, end: date) -> Panel:
    """Return the daily bars of the sessions `start` .. `end`, both included."""
    first, last = bar_timestamp(start), bar_timestamp(end)
    return panels.load(connection, symbols, timeframe="1Day", start=first, end=last)
