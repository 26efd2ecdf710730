"""What trading is taken to cost in a backtest, besides the price."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Costs(BaseModel):
    """What trading costs besides the price: the models of `trading.costs` side by side, each at rest at zero.

    A fill is worse than the price by the sum of the slippages, and is charged the commission of the order, and of its
    notional and shares the sum or the minimum.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    commission_bps: float = Field(0.0, ge=0, le=1000, description="commission, hundredths of a percent of notional")
    commission_per_share: float = Field(0.0, ge=0, le=10, description="commission per share, USD")
    commission_minimum: float = Field(0.0, ge=0, le=1000, description="of these two at least so much a fill, USD")
    commission_per_order: float = Field(0.0, ge=0, le=1000, description="commission of every fill, USD")
    slippage_bps: float = Field(0.0, ge=0, le=1000, description="fill worse than the open by, hundredths of a percent")
    half_spread: float = Field(0.0, ge=0, le=100, description="fill worse by, USD per share")
    volume_impact: float = Field(
        0.0, ge=0, le=10, description="fraction of the price, times the squared share of the bar's volume"
    )
    square_root_impact: float = Field(
        0.0, ge=0, le=10, description="fraction of the price, times the root of the share of the bar's volume"
    )
