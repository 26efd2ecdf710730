"""Signals: what a strategy decides on the last completed bar, symbol by symbol, with the reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import numpy as np

from trading.bars import duration
from trading.calendar import NEW_YORK, session_of, sessions
from trading.indicators.computing import sharing
from trading.strategies import decided, explanations, needed, target_weights

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from trading.bars import Panel
    from trading.strategies import Strategy

Direction = Literal["long", "short", "flat"]

GRACE = timedelta(minutes=5)
"""How much later than two timeframes after its start a bar may be decided on."""


@dataclass(frozen=True, slots=True)
class Signal:
    """A decision for one symbol.

    Attributes
    ----------
    symbol
        What it is about.
    bar_ts
        Start (UTC) of the bar it was decided on, completed by then.
    target_weight
        Share of the strategy's capital wanted, signed.
    direction
        The sign of the weight in words.
    strength
        0 (barely) to 1.
    reason
        Why, in words with the figures.
    values
        The figures, JSON-ready.
    """

    symbol: str
    bar_ts: datetime
    target_weight: float
    direction: Direction
    strength: float
    reason: str
    values: dict[str, float | int | str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Undecided:
    """A symbol for which nothing was decided, and why; its position is left as it is."""

    symbol: str
    reason: str


def decide(
    strategy: Strategy, panel: Panel, *, excluded: Mapping[str, str] = MappingProxyType({})
) -> tuple[list[Signal], list[Undecided]]:
    """Return the signals of the panel's last bar, and the symbols without one.

    A symbol without a bar in the last row, or without enough bars before it, gets no signal; nor does one of
    `excluded` (symbol to reason), which the others are not ranked against either.

    Raises
    ------
    DataError
        The panel has no bars.
    """
    bar_ts = panel.last_timestamp
    panel = needed(strategy, panel.without(excluded) if excluded else panel)
    with sharing(panel):
        weights, known = target_weights(strategy, panel)[-1], decided(strategy, panel)[-1]
        reasons = explanations(strategy, panel)
    fresh = ~np.isnan(panel.close[-1])
    signals, undecided = [], []
    for column, (symbol, (reason, values)) in enumerate(zip(panel.symbols, reasons, strict=True)):
        if symbol in excluded:
            undecided.append(Undecided(symbol, excluded[symbol]))
        elif not fresh[column]:
            undecided.append(Undecided(symbol, f"no bar at {bar_ts:%Y-%m-%d %H:%M} UTC"))
        elif not known[column]:
            undecided.append(Undecided(symbol, reason))
        else:
            weight = float(weights[column])
            strength = float(values["strength"] or 0.0)
            signals.append(Signal(symbol, bar_ts, weight, _direction(weight), strength, reason, values))
    return signals, undecided


def stale(timeframe: str, bar_ts: datetime, now: datetime) -> str | None:
    """Return why a bar is too old to decide on at `now` (both UTC): older than two timeframes and 5 minutes; or None.

    The age counts from the bar's start; of a daily bar it leaves out the days on which the exchange is closed.
    """
    age, limit = now - bar_ts, 2 * duration(timeframe) + GRACE
    if timeframe == "1Day" and age > limit:
        first, last = session_of(bar_ts), now.astimezone(NEW_YORK).date()
        closed = (last - first).days - (len(sessions(first, last)) - 1)
        age -= timedelta(days=closed)
    if age <= limit:
        return None
    return f"the bar of {bar_ts:%Y-%m-%d %H:%M} UTC is stale at {now:%Y-%m-%d %H:%M} UTC: older than {limit}"


def _direction(weight: float) -> Direction:
    if weight > 0:
        return "long"
    return "short" if weight < 0 else "flat"
