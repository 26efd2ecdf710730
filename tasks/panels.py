"""Bars from the database as the panel that strategies, sizing and backtests read."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from db import panels
from db.recent_panels import load_recent
from db.repositories import ingestion
from db.repositories.spells import spells
from trading.adjustment import dividends_as_of, read_actions
from trading.calendar import bar_timestamp, completed_bars

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from sqlalchemy import Connection

    from trading.adjustment import Actions
    from trading.bars import Panel

load_panel = load_recent
"""How the steps of a decision load their bars."""


def decision_bar(timeframe: str, as_of: datetime) -> datetime:
    """Return the start (UTC) of the last bar that is complete at `as_of`."""
    recent = completed_bars(timeframe, as_of - timedelta(days=10), as_of)
    last: datetime = recent[-1].to_pydatetime()
    return last


def load_sessions(connection: Connection, symbols: Sequence[str], *, start: date, end: date) -> Panel:
    """Return the daily bars of the sessions `start` .. `end`, both included."""
    first, last = bar_timestamp(start), bar_timestamp(end)
    return panels.load(connection, symbols, timeframe="1Day", start=first, end=last)


def load_dividends(connection: Connection, symbols: Sequence[str], *, end: date) -> Actions:
    """Return the cash dividends up to `end` as they fall on the shares that `load_sessions` counts in."""
    known = read_actions(ingestion.actions(connection, spells(connection, symbols, end), until=end))
    return dividends_as_of(known, end)
