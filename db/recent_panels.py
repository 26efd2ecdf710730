"""The bars a decision sees: the last so many up to a bar, adjusted as of then; the same at decision time and later."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from db import panels

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from trading.bars import Panel

DAYS_A_BAR = 1.6
"""Calendar days that hold a daily bar, holidays included; what is loaded beyond the need is cut off by nobody."""
SLACK = timedelta(days=40)


def load_recent(connection: Connection, symbols: Sequence[str], *, timeframe: str, bars: int, until: datetime) -> Panel:
    """Return at least `bars` bars up to `until` (UTC, included) where there are as many, adjusted as of then."""
    start = until - timedelta(days=bars * DAYS_A_BAR) - SLACK
    return panels.load(connection, symbols, timeframe=timeframe, start=start, end=until)
