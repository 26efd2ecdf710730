"""The ids of corporate actions: the same on every run."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, UUID, uuid5

from trading.adjustment import Split

if TYPE_CHECKING:
    from trading.adjustment import CashDividend

NAMESPACE = uuid5(NAMESPACE_URL, "trading-system/simulator")
"""Root of every id the simulator derives from names."""


def action_id(action: Split | CashDividend) -> UUID:
    """Return the id of an action, made from its kind, symbol and ex-date."""
    kind = "split" if isinstance(action, Split) else "dividend"
    return uuid5(NAMESPACE, f"{kind} {action.symbol} {action.ex_date}")
