"""How a strategy sends its entries: kind, life and limit of the orders, as part of its definition."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from trading.order_terms import order_terms, rounded_to_grid

if TYPE_CHECKING:
    from trading.order_terms import OrderTerms
    from trading.orders import Side


class EntryOrder(BaseModel):
    """How a strategy's entries are sent; exits are always market orders for the day."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Literal["market", "limit"] = Field("market", description="kind of order an entry is sent as")
    time_in_force: Literal["day", "gtc", "opg", "cls"] = Field("day", description="how long an entry may wait")
    limit_offset_bps: float = Field(
        0.0, ge=-1000, le=1000, description="limit price beyond the decision's price, in basis points; below it if < 0"
    )

    def terms(self, *, symbol: str, side: Side, quantity: Decimal, price: Decimal) -> OrderTerms:
        """Return the order for an entry decided at `price` (USD).

        A limit buy may pay `limit_offset_bps` above the price, a limit sale take as much below.
        """
        limit = None
        if self.type == "limit":
            sign = 1 if side == "buy" else -1
            limit = rounded_to_grid(price * (1 + sign * Decimal(str(self.limit_offset_bps)) / 10_000), side)
        whole = quantity == math.floor(quantity)
        life = self.time_in_force if whole else "day"  # fractions are day orders, whatever was asked for
        return order_terms(
            symbol=symbol, side=side, quantity=quantity, type=self.type, time_in_force=life, limit_price=limit
        )
