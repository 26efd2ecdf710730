"""Regulation T in the form Alpaca's account shows it, multiplier 2, or 1 for an account that does not borrow.

Initial margin is half of all positions and of what open orders may still open (12 CFR 220.12(a));
buying power is twice the equity above it; maintenance is 30 % of positions.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

MULTIPLIER = Decimal(2)
MAINTENANCE = Decimal("0.3")
MARKET_COLLAR = Decimal("1.04")
"""A market order is checked this far above the last price, because nobody knows where it fills."""


@dataclass(frozen=True, slots=True)
class Valuation:
    """The account marked at the latest prices, in dollars; `short_value` is negative."""

    cash: Decimal
    long_value: Decimal
    short_value: Decimal
    reserved: Decimal
    multiplier: Decimal = MULTIPLIER

    @property
    def equity(self) -> Decimal:
        """Cash plus long minus short."""
        return self.cash + self.long_value + self.short_value

    @property
    def gross(self) -> Decimal:
        """Gross exposure: long plus short, both positive."""
        return self.long_value - self.short_value

    @property
    def initial_margin(self) -> Decimal:
        """What Regulation T asks for positions and for open orders that open more."""
        return (self.gross + self.reserved) / self.multiplier

    @property
    def maintenance_margin(self) -> Decimal:
        """What has to remain for the positions held."""
        return self.gross * MAINTENANCE

    @property
    def excess(self) -> Decimal:
        """Equity above the initial margin; never negative."""
        return max(self.equity - self.initial_margin, Decimal(0))

    @property
    def buying_power(self) -> Decimal:
        """How much more may be bought or sold short: 2 x equity - gross exposure - open orders."""
        return self.excess * self.multiplier


def opening_cost(*, qty: Decimal, last: Decimal, limit: Decimal | None, short: bool) -> Decimal:
    """Return the buying power an opening order holds.

    A limit buy can cost its limit at most; a short sale is worth at least the last price; a market order is
    taken at `MARKET_COLLAR` times the last price.
    """
    if limit is None:
        return qty * last * MARKET_COLLAR
    return qty * (max(limit, last) if short else limit)
