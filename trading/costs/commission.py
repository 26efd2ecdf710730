"""Commission: what a broker charges for a fill, in dollars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from trading.costs.slippage import Amounts


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PerOrder(_Model):
    """The same for every fill, whatever its size."""

    kind: Literal["fixed"] = "fixed"
    amount: float = Field(0.0, ge=0, le=1000, description="dollars a fill")


class ProRata(_Model):
    """A share of the notional."""

    kind: Literal["basis_points"] = "basis_points"
    bps: float = Field(0.0, ge=0, le=1000, description="hundredths of a percent of the notional")


class PerShare(_Model):
    """So much a share, with a minimum a fill."""

    kind: Literal["per_share"] = "per_share"
    amount: float = Field(0.0, ge=0, le=10, description="dollars a share")
    minimum: float = Field(0.0, ge=0, le=1000, description="dollars a fill at least")


Commission = Annotated[PerOrder | ProRata | PerShare, Field(discriminator="kind")]
"""Any model; in JSON its `kind` tells which."""


def commission(model: PerOrder | ProRata | PerShare, *, price: Amounts, quantity: Amounts) -> Amounts:
    """Return the commission of fills in dollars, in the shape of the arguments; nothing filled costs nothing.

    Parameters
    ----------
    model
        Which formula, and its rates.
    price
        Dollars per share.
    quantity
        Shares filled, zero or more.
    """
    if isinstance(model, PerOrder):
        charge: Amounts = price * 0.0 + model.amount
    elif isinstance(model, ProRata):
        charge = price * quantity * (model.bps / 10_000)
    else:
        charge = np.maximum(quantity * model.amount, model.minimum)
    charged = np.where(np.asarray(quantity) > 0, charge, 0.0)
    return charged if charged.ndim else float(charged)
