"""Slippage: how much worse than the price of the bar a fill is.

Every model answers in dollars per share, zero or more; a buyer pays it on top, a seller gets less by it.
"""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from trading.bars import Floats

Amounts = float | Floats
"""One fill or an array of them."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FixedSpread(_Model):
    """Half of a spread that is the same for every fill."""

    kind: Literal["fixed"] = "fixed"
    half_spread: float = Field(0.0, ge=0, le=100, description="dollars per share")


class BasisPoints(_Model):
    """A share of the price."""

    kind: Literal["basis_points"] = "basis_points"
    bps: float = Field(0.0, ge=0, le=1000, description="hundredths of a percent of the price")


class VolumeShare(_Model):
    """Impact quadratic in the share of the bar's volume that is traded.

    price * impact * (quantity / volume) ** 2, the model of Zipline's ``VolumeShareSlippage``, with its default
    coefficient of 0.1.
    """

    kind: Literal["volume_share"] = "volume_share"
    impact: float = Field(0.1, ge=0, le=10, description="fraction of the price when all volume is traded")


class SquareRootImpact(_Model):
    """The square-root law of market impact: price * coefficient * volatility * sqrt(quantity / volume).

    Barra (1997), Market Impact Model Handbook; Toth et al. (2011), Anomalous price impact and the critical nature
    of liquidity in financial markets, Physical Review X 1, 021006, equation 1: the coefficient is of order one.
    """

    kind: Literal["square_root"] = "square_root"
    coefficient: float = Field(1.0, ge=0, le=10, description="Y of the law, of order one")
    volatility: float = Field(0.02, gt=0, le=1, description="daily volatility as a fraction, when the caller has none")


Slippage = Annotated[FixedSpread | BasisPoints | VolumeShare | SquareRootImpact, Field(discriminator="kind")]
"""Any model; in JSON its `kind` tells which."""


def slippage(
    model: FixedSpread | BasisPoints | VolumeShare | SquareRootImpact,
    *,
    price: Amounts,
    quantity: Amounts,
    volume: Amounts,
    volatility: Amounts | None = None,
) -> Amounts:
    """Return the slippage of fills in dollars per share, zero or more, in the shape of the arguments.

    Parameters
    ----------
    model
        Which formula, and its coefficients.
    price
        Dollars per share before slippage.
    quantity
        Shares filled, zero or more.
    volume
        Shares traded in the fill's bar; where it is zero the whole volume counts as taken.
    volatility
        Daily volatility as a fraction; only the square-root law reads it, and has a default.
    """
    if isinstance(model, FixedSpread):
        return price * 0.0 + model.half_spread
    if isinstance(model, BasisPoints):
        return price * (model.bps / 10_000)
    share = _share(quantity, volume)
    if isinstance(model, VolumeShare):
        return price * model.impact * share**2
    daily = model.volatility if volatility is None else volatility
    return price * model.coefficient * daily * share**0.5


def _share(quantity: Amounts, volume: Amounts) -> Amounts:
    """Return the share of the volume, one where nothing else was traded."""
    if isinstance(quantity, np.ndarray) or isinstance(volume, np.ndarray):
        base = np.asarray(volume, dtype=np.float64)
        return np.divide(quantity, base, out=np.ones(np.broadcast(quantity, base).shape), where=base > 0)
    return quantity / volume if volume > 0 else 1.0
