"""Bars made wrong the way feeds get them wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulator.faults.models import CorruptBars

Row = tuple[str, dict[str, Any]]
PRICES = ("o", "h", "l", "c")
SPIKE = 10
"""Times the close of a spike is too high."""


def corrupted(rows: list[Row], fault: CorruptBars) -> list[Row]:
    """Return bars with their symbols in which the last one of each symbol meant is wrong."""
    last = {symbol: number for number, (symbol, _) in enumerate(rows) if fault.symbol in {None, symbol}}
    changed: list[Row] = []
    for number, (symbol, bar) in enumerate(rows):
        hit = last.get(symbol) == number
        changed += [(symbol, one) for one in (_wrong(bar, fault.how) if hit else [bar])]
    return changed


def _wrong(bar: dict[str, Any], how: str) -> list[dict[str, Any]]:
    if how == "missing":
        return []
    if how == "repeated":
        return [bar, bar]
    values: dict[str, Any] = {
        "zero": dict.fromkeys(PRICES, 0.0),
        "negative": {"l": -bar["l"]},
        "spike": {"h": bar["h"] * SPIKE, "c": bar["c"] * SPIKE},
        "inverted": {"h": bar["l"], "l": bar["h"]},
        "text": {"c": "n/a"},
    }
    return [{**bar, **values[how]}]
