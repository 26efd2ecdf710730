"""What the market adds to a bare fill: slippage, commission, a share of the volume, the cost of borrowed stock."""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from simulator.books import ZERO
from simulator.matching.prices import as_good_as_limit
from trading.costs import BasisPoints, Commission, PerOrder, Slippage, commission, slippage

if TYPE_CHECKING:
    from simulator.books import Order

PRICE_STEP = Decimal("0.0001")
CENT = Decimal("0.01")


class Frictions(BaseModel):
    """The market's rules; the default is a market that takes any size at the bare price.

    `participation` is the share of a session's volume that all orders of a symbol may take together; the rest of an
    order stays open. `borrow` is the yearly rate on shorted value, a 360th of it charged at each close as a FEE.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    matching: Literal["daily", "quote"] = "daily"
    slippage: Slippage = BasisPoints()
    commission: Commission = PerOrder()
    participation: Annotated[float, Field(gt=0, le=1)] | None = None
    borrow: Annotated[float, Field(ge=0, le=5)] = 0.0

    def price(self, order: Order, price: Decimal, *, quantity: Decimal, volume: int) -> Decimal:
        """Return the price a fill is really made at, dollars; slippage never breaks a limit."""
        worse = slippage(self.slippage, price=float(price), quantity=float(quantity), volume=float(volume))
        if not worse:
            return price
        moved = (price + Decimal(str(worse)) * order.sign).quantize(PRICE_STEP, rounding=ROUND_HALF_EVEN)
        moved = max(moved, PRICE_STEP)
        limited = order.works_as == "limit" and order.limit_price is not None and not as_good_as_limit(order, moved)
        return order.limit_price if limited and order.limit_price is not None else moved

    def fee(self, *, quantity: Decimal, price: Decimal) -> Decimal:
        """Return a fill's commission, dollars and cents."""
        charge = commission(self.commission, price=float(price), quantity=float(quantity))
        return Decimal(str(charge)).quantize(CENT, rounding=ROUND_HALF_EVEN)

    def room(self, *, volume: int, taken: Decimal) -> Decimal | None:
        """Return how many more shares of a session may be filled, whole ones; None without limit."""
        if self.participation is None:
            return None
        allowed = (Decimal(volume) * Decimal(str(self.participation))).to_integral_value(rounding=ROUND_DOWN)
        return max(allowed - taken, ZERO)
