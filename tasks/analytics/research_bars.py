"""The bars of a research run, read once a process and known by their fingerprint: no chunk carries them."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from datetime import date
from threading import Lock
from typing import TYPE_CHECKING, Any

from db.repositories import strategies
from tasks.resources import database
from tasks.strategy_engine.history import history_of, looking_at
from trading.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tasks.strategy_engine.history import History
    from trading.strategies import Strategy

MOST = 2
"""Histories a process keeps."""

_known: OrderedDict[str, History] = OrderedDict()
_reading = Lock()


def remember(history: History) -> str:
    """Keep a history that this process has read; return its bars' fingerprint."""
    fingerprint = history.panel.fingerprint()
    _known[fingerprint] = history
    while len(_known) > MOST:
        _known.popitem(last=False)
    return fingerprint


def material(specification: Mapping[str, Any]) -> History:
    """Return the strategy and the bars of a research run's specification.

    Raises
    ------
    DataError
        The stored bars are no longer those that the run began with.
    """
    with database().connect() as connection:
        stored = strategies.of_version(connection, specification["strategy"], specification["version"])
    with _reading:
        found = _known.get(specification["bars"]) or _read(specification, stored)
    return replace(found, strategy=looking_at(stored, specification["universe"]))


def _read(specification: Mapping[str, Any], stored: Strategy) -> History:
    first, last = (date.fromisoformat(specification[name]) for name in ("start", "end"))
    found = history_of(
        stored, symbols=specification["symbols"], start=first, end=last, warm_up=specification["warm_up"]
    )
    if remember(found) != specification["bars"]:
        raise DataError(f"the stored bars of {first} to {last} have changed since this research began; run it again")
    return found
