"""The bars of a research run, read once a process and known by their fingerprint: no chunk carries them."""

from __future__ import annotations

from collections import OrderedDict
from datetime import date
from threading import Lock
from typing import TYPE_CHECKING, Any

from db.repositories import strategies
from tasks.resources import database
from tasks.strategy_engine.history import load_warmed_up, looking_at
from trading.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trading.bars import Panel
    from trading.strategies import Strategy

MOST = 2
"""Panels a process keeps."""

_panels: OrderedDict[str, Panel] = OrderedDict()
_reading = Lock()


def remember(panel: Panel) -> str:
    """Keep a panel that this process has read; return its fingerprint."""
    fingerprint = panel.fingerprint()
    _panels[fingerprint] = panel
    while len(_panels) > MOST:
        _panels.popitem(last=False)
    return fingerprint


def material(specification: Mapping[str, Any]) -> tuple[Strategy, Panel]:
    """Return the strategy and the bars of a research run's specification.

    Raises
    ------
    DataError
        The stored bars are no longer those that the run began with.
    """
    asked = specification["universe"]
    with database().connect() as connection:
        stored = strategies.of_version(connection, specification["strategy"], specification["version"])
    with _reading:
        panel = _panels.get(specification["bars"])
        if panel is None:
            panel = _read(specification, stored)
    return looking_at(stored, asked), panel


def _read(specification: Mapping[str, Any], stored: Strategy) -> Panel:
    first, last = (date.fromisoformat(specification[name]) for name in ("start", "end"))
    with database().connect() as connection:
        strategy = looking_at(stored, specification["symbols"])
        panel = load_warmed_up(connection, strategy, first, last, warm_up=specification["warm_up"])
    if remember(panel) != specification["bars"]:
        raise DataError(f"the stored bars of {first} to {last} have changed since this research began; run it again")
    return panel
