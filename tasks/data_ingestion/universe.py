"""Which symbols the system looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect import task

from db.repositories import assets
from tasks.policies import REPEATABLE
from tasks.resources import broker, database

if TYPE_CHECKING:
    from collections.abc import Sequence

FIRST_UNIVERSE = ("AAPL", "FB", "GOOG", "IBM", "MSFT")
"""Tracked when nothing is: the symbols the simulator's market has; people change it on the settings page."""


@task(**REPEATABLE)
def resolve_universe(symbols: Sequence[str] | None) -> list[str]:
    """Return the symbols to work on: those given, or the tracked universe.

    The broker's list of assets is read when the table is empty or lacks a symbol that was asked for.

    Raises
    ------
    UnknownNameError
        The broker does not know a symbol.
    """
    with database().connect() as connection:
        known = set(assets.known(connection))
        chosen = sorted(set(symbols)) if symbols else assets.tracked(connection)
    if not chosen or not known.issuperset(chosen):
        refresh_assets()
    with database().connect() as connection:
        chosen = chosen or assets.tracked(connection)
        assets.require(connection, chosen)
    return chosen


def refresh_assets() -> None:
    """Write the broker's list of assets; when nothing is tracked yet, the first universe is from now on."""
    listed = [
        {
            "symbol": asset["symbol"],
            "name": asset["name"] or asset["symbol"],
            "exchange": asset["exchange"],
            "status": asset["status"],
            "tradable": asset["tradable"],
            "shortable": asset["shortable"],
            "fractionable": asset["fractionable"],
        }
        for asset in broker().assets()
    ]
    tradable = {asset["symbol"] for asset in listed if asset["tradable"]}
    with database().begin() as connection:
        assets.record(connection, listed)
        if not assets.tracked(connection):
            assets.track(connection, [symbol for symbol in FIRST_UNIVERSE if symbol in tradable])
