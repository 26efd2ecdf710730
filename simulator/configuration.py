"""The account's own settings, which clients may change: what it refuses and how far it borrows."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict


class Configuration(BaseModel):
    """Alpaca's account configurations; those about options, e-mail and partnerships are kept and change nothing.

    A multiplier of 1 is a cash account: it borrows neither money nor shares. 4 is taken as 2: the simulator knows
    no intraday margin.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    disable_overnight_trading: bool = False
    fractional_trading: bool = True
    max_margin_multiplier: Literal["1", "2", "4"] = "2"
    max_options_trading_level: Literal[0, 1, 2, 3] = 0
    no_shorting: bool = False
    ptp_no_exception_entry: bool = False
    suspend_trade: bool = False
    trade_confirm_email: Literal["all", "none"] = "all"

    @property
    def multiplier(self) -> Decimal:
        """How many times its excess equity the account may buy: 1 or 2."""
        return Decimal(1) if self.max_margin_multiplier == "1" else Decimal(2)

    @property
    def shorting(self) -> bool:
        """Whether shares may be borrowed."""
        return not self.no_shorting and self.multiplier > 1
