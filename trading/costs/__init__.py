"""What trading costs besides the price: models of slippage and of commission, shared by whatever fills orders."""

from trading.costs.assumed import Costs
from trading.costs.commission import Commission, PerOrder, PerShare, ProRata, commission
from trading.costs.slippage import (
    BasisPoints,
    FixedSpread,
    Slippage,
    SquareRootImpact,
    VolumeShare,
    slippage,
)

__all__ = [
    "BasisPoints",
    "Commission",
    "Costs",
    "FixedSpread",
    "PerOrder",
    "PerShare",
    "ProRata",
    "Slippage",
    "SquareRootImpact",
    "VolumeShare",
    "commission",
    "slippage",
]
