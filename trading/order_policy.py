"""What to do with orders that wait too long: pure, by the broker's clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from trading.calendar import open_at
from trading.order_terms import rounded_to_grid
from trading.orders import OrderState

if TYPE_CHECKING:
    from datetime import datetime

    from trading.broker import Clock
    from trading.orders import Side

WORKED = frozenset({OrderState.NEW, OrderState.PARTIALLY_FILLED})
"""States in which the market can fill an order and the broker changes it."""
BASIS = Decimal(10_000)


class StalePolicy(BaseModel):
    """When an order has waited too long, and what becomes of what is unfilled before the close."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    after_minutes: float = Field(
        0.0, ge=0, le=390, description="minutes of the open market a limit order may wait; 0: as long as it lives"
    )
    action: Literal["cancel", "reprice"] = Field("cancel", description="what happens to it then")
    reprice_bps: float = Field(10.0, gt=0, le=1000, description="how far a new limit goes towards the market, bps")
    most_reprices: int = Field(3, ge=1, le=20, description="new limits of one order before it is cancelled")
    remainder: Literal["leave", "cancel", "market"] = Field(
        "leave", description="before the close: leave what is unfilled, cancel it, or send it as a market order"
    )
    remainder_minutes: float = Field(5.0, gt=0, le=60, description="how long before the close that is decided")


@dataclass(frozen=True, slots=True)
class Waiting:
    """An order under way: simple, and nobody's exit.

    Attributes
    ----------
    limit_price
        USD; None for an order without one.
    since
        When the broker took it, UTC.
    reprices
        How many limits it had before this one.
    """

    type: str
    side: Side
    status: OrderState
    limit_price: Decimal | None
    since: datetime
    reprices: int


@dataclass(frozen=True, slots=True)
class Measure:
    """What to do with an order and why; `limit_price` (USD) of a new limit."""

    action: Literal["cancel", "reprice", "market"]
    why: str
    limit_price: Decimal | None = None


def due(order: Waiting, policy: StalePolicy, clock: Clock) -> Measure | None:
    """Return what is due for an order now, or None.

    Only time in which the market is open counts as waiting. What is decided before the close goes first. A new
    limit buys `reprice_bps` higher or sells as much lower, to the price grid's nearest tick beyond the old one.
    """
    if not clock.is_open or order.status not in WORKED or order.type == "market":
        return None
    left = clock.next_close - clock.now
    if policy.remainder != "leave" and left <= timedelta(minutes=policy.remainder_minutes):
        return Measure(policy.remainder, f"unfilled {left.total_seconds() / 60:.0f} minutes before the close")
    waited = clock.now - max(order.since, open_at(clock.session))
    if not policy.after_minutes or order.limit_price is None or waited < timedelta(minutes=policy.after_minutes):
        return None
    why = f"unfilled after {waited.total_seconds() / 60:.0f} minutes"
    if policy.action == "cancel" or order.reprices >= policy.most_reprices:
        return Measure("cancel", why)
    return Measure("reprice", why, _nearer(order.limit_price, order.side, policy.reprice_bps))


def _nearer(price: Decimal, side: Side, bps: float) -> Decimal:
    """Return a limit nearer to the market; on the grid, and never the same again."""
    away = 1 if side == "buy" else -1
    moved = price * (1 + away * Decimal(str(bps)) / BASIS)
    rounded = rounded_to_grid(moved, "sell" if side == "buy" else "buy")  # outwards: at least a tick
    return rounded if rounded > 0 else price
