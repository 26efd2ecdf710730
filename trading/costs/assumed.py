"""What trading is taken to cost in a backtest, besides the price."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from trading.orders import Side


class Costs(BaseModel):
    """What trading costs besides the price."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    commission_bps: float = Field(0.0, ge=0, le=1000, description="commission, hundredths of a percent of notional")
    slippage_bps: float = Field(0.0, ge=0, le=1000, description="fill worse than the open by, hundredths of a percent")
    commission_per_share: float = Field(0.0, ge=0, le=10, description="commission per share, USD")

    def price(self, side: Side, open_price: float) -> float:
        """Return the fill price at an open, slippage included."""
        return open_price * (1 + (self.slippage_bps if side == "buy" else -self.slippage_bps) / 10_000)

    def commission(self, quantity: float, price: float) -> float:
        """Return the commission of a fill in USD."""
        return quantity * (price * self.commission_bps / 10_000 + self.commission_per_share)
