"""What a strategy is judged on: the stored bars of a range of sessions, with its warm-up before them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from db.repositories import assets
from tasks.panels import load_dividends, load_sessions
from tasks.resources import broker, database
from trading.calendar import FIRST_DAY, session_before, sessions
from trading.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from sqlalchemy import Connection

    from trading.adjustment import Actions
    from trading.bars import Panel
    from trading.strategies import Strategy

YEARS = 5
"""How far back a question without a start goes."""


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """A strategy and the bars it is judged on.

    Attributes
    ----------
    strategy
        Looks at the symbols that were asked for.
    panel
        Daily bars of the warm-up and of `first` .. `last`.
    dividends
        In dollars for a share of the panel.
    first, last
        Sessions, both included.
    """

    strategy: Strategy
    panel: Panel
    dividends: Actions
    first: date
    last: date


def history_of(
    stored: Strategy,
    *,
    symbols: Sequence[str] | None,
    start: date | None,
    end: date | None,
    warm_up: int | None = None,
) -> History:
    """Return a strategy with its bars over its universe, or over `symbols`.

    Without `end` to the last completed session, without `start` over five years; `warm_up` bars come
    before, by default as many as the strategy declares.

    Raises
    ------
    DataError
        There is no bar in the range, or none of a symbol that was asked for.
    """
    first, last = span(start, end)
    strategy = looking_at(stored, symbols)
    with database().connect() as connection:
        before = strategy.warm_up if warm_up is None else warm_up
        panel = load_warmed_up(connection, strategy, first, last, warm_up=before)
        dividends = load_dividends(connection, panel.symbols, end=last)
    if not len(panel):
        raise DataError(f"no bars of {first} to {last} to judge {stored.name} on; run fetch-market-data first")
    _require_bars(panel, symbols or (), first, last)
    return History(strategy, panel, dividends, first, last)


def span(start: date | None, end: date | None) -> tuple[date, date]:
    """Return the sessions of a question: to the last completed one without `end`, over five years without `start`."""
    last = end or broker().clock().last_completed
    return start or last.replace(year=last.year - YEARS, day=min(last.day, 28)), last


def looking_at(strategy: Strategy, symbols: Sequence[str] | None) -> Strategy:
    """Return the strategy with `symbols` as its universe, or as it is where none are named."""
    return strategy.model_copy(update={"universe": tuple(symbols)}) if symbols else strategy


def load_warmed_up(connection: Connection, strategy: Strategy, start: date, end: date, *, warm_up: int) -> Panel:
    """Return the daily bars of a strategy's universe from `warm_up` sessions (and a few) before `start` to `end`."""
    universe = list(strategy.universe) or assets.tracked(connection)
    earlier = sessions(
        max(start.replace(year=start.year - 1 - warm_up // 250, day=1), FIRST_DAY), session_before(start)
    )
    first = earlier[-min(len(earlier), warm_up + 25)]
    return load_sessions(connection, universe, start=first, end=end)


def _require_bars(panel: Panel, symbols: Sequence[str], start: date, end: date) -> None:
    there = np.any(panel.close > 0, axis=0)
    missing = [symbol for symbol in symbols if not there[panel.symbols.index(symbol)]]
    if missing:
        raise DataError(f"no bars of {', '.join(missing)} from {start} to {end}; fetch or import them first")
