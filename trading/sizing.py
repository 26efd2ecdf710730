"""Position sizing: from the weights a strategy decides to whole shares, with every figure in between."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from trading.errors import InvalidValueError
from trading.indicators import compute

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trading.backtest.kernel.sizing import SizingTerms
    from trading.bars import Floats, Panel

Method = Literal["fixed_fraction", "equal_weight", "volatility_target", "atr_risk", "half_kelly"]
METHODS: tuple[Method, ...] = get_args(Method)

VOLATILITY_BARS, ATR_BARS, MEAN_BARS = 20, 14, 126
"""Windows, in bars, of the figures that the methods read."""

_SHARE_DECIMALS = 1e9  # Alpaca takes fractions of a share to nine decimals


class Sizing(BaseModel):
    """How much of the strategy's capital a position gets.

    Methods, with w the weight the strategy decided and C its capital:

    - equal_weight: C * w.
    - fixed_fraction: C * `fraction` in the direction of w (Vince 1990, fixed fractional trading).
    - volatility_target: C * w * `target_volatility` / volatility (Moskowitz, Ooi & Pedersen 2012, eq. 5).
    - atr_risk: C * `risk_per_trade` / (`atr_multiple` * ATR) shares (Faith 2003, the Turtle unit).
    - half_kelly: C * w * min(1, mean / variance / 2) (Thorp 2006, eq. 7.3, halved), nothing against the mean.

    Afterwards no position exceeds `max_weight` of C, and all together never exceed C: no leverage.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: Method = Field("equal_weight", description="rule that turns weights into quantities")
    fraction: float = Field(0.1, gt=0, le=1, description="fixed_fraction: share of capital per position")
    target_volatility: float = Field(
        0.15, gt=0, le=2, description="volatility_target: annualised volatility aimed at, 0.15 = 15 %"
    )
    risk_per_trade: float = Field(
        0.01, gt=0, le=0.2, description="atr_risk: share of capital lost when the stop distance is hit"
    )
    atr_multiple: float = Field(2.0, gt=0, le=20, description="atr_risk: stop distance in ATRs")
    max_weight: float = Field(1.0, gt=0, le=1, description="largest share of capital in one position")
    rebalance_band: float = Field(
        0.1, ge=0, le=1, description="a held position is left alone while it is this close to its target"
    )
    whole_shares: bool = Field(True, description="round towards zero to whole shares")

    @property
    def warm_up(self) -> int:
        """Bars needed before the method has its figures."""
        bars: dict[Method, int] = {
            "volatility_target": VOLATILITY_BARS + 1,
            "atr_risk": ATR_BARS + 1,
            "half_kelly": MEAN_BARS + 1,
        }
        return bars.get(self.method, 1)


_OUTCOMES = (
    "kept: the strategy decided nothing",
    "kept: no price",
    "closed: the strategy is flat",
    "flat",
    "kept: too few bars for {method}",
    "kept: within {band:.0%} of the target",
    "target",
)
"""What became of a symbol, in the order of the kernel's outcomes."""


@dataclass(frozen=True, slots=True, eq=False)
class SizingInputs:
    """What sizing reads, one figure per symbol.

    Attributes
    ----------
    symbols
        The N symbols.
    weights
        (N,) share of capital the strategy wants, signed; NaN where it decided nothing.
    prices
        (N,) last close in USD; NaN where there is none.
    current
        (N,) quantity held, signed.
    capital
        What the strategy manages, USD.
    volatility, atr, mean_return
        (N,) annualised volatility, average true range in USD, annualised mean return; NaN where unknown.
    """

    symbols: tuple[str, ...]
    weights: Floats
    prices: Floats
    current: Floats
    capital: float
    volatility: Floats
    atr: Floats
    mean_return: Floats


@dataclass(frozen=True, slots=True)
class Sized:
    """A target for one symbol, with the figures that led to it."""

    symbol: str
    target_quantity: float
    current_quantity: float
    workings: dict[str, float | str | None] = field(default_factory=dict)

    @property
    def change(self) -> float:
        """Quantity to trade, signed: target minus current."""
        return self.target_quantity - self.current_quantity


@dataclass(frozen=True, slots=True, eq=False)
class Statistics:
    """The (T, N) figures behind `SizingInputs`; each depends on its window alone."""

    volatility: Floats
    atr: Floats
    mean_return: Floats


def statistics(panel: Panel) -> Statistics:
    """Return volatility (20 bars), simple ATR (14 bars) and mean return (126 bars) of every bar."""
    return Statistics(
        volatility=compute(f"volatility_{VOLATILITY_BARS}", panel),
        atr=compute(f"atr_simple_{ATR_BARS}", panel),
        mean_return=compute(f"mean_return_{MEAN_BARS}", panel),
    )


def size_inputs(
    panel: Panel,
    *,
    weights: Mapping[str, float],
    current: Mapping[str, float],
    capital: float,
) -> SizingInputs:
    """Return the inputs of `size` from the last row of a panel.

    Parameters
    ----------
    panel
        Bars up to the decision, at least `Sizing.warm_up` of them.
    weights
        Symbol to decided weight; a symbol of the panel without one is left as it is.
    current
        Symbol to signed quantity held; absent means none.
    capital
        USD that the strategy manages.
    """
    tail = panel.rows(slice(max(0, len(panel) - 2 * MEAN_BARS), None))
    if not len(tail):
        nothing = np.full(len(panel.symbols), np.nan)
        figures, prices = Statistics(nothing, nothing, nothing), nothing
    else:
        full = statistics(tail)
        figures = Statistics(full.volatility[-1], full.atr[-1], full.mean_return[-1])
        prices = tail.close[-1]
    return SizingInputs(
        symbols=panel.symbols,
        weights=np.array([weights.get(symbol, math.nan) for symbol in panel.symbols], dtype=np.float64),
        prices=prices,
        current=np.array([current.get(symbol, 0.0) for symbol in panel.symbols], dtype=np.float64),
        capital=capital,
        volatility=figures.volatility,
        atr=figures.atr,
        mean_return=figures.mean_return,
    )


def size(sizing: Sizing, inputs: SizingInputs) -> list[Sized]:
    """Return a target quantity per symbol, in the order of `inputs.symbols`.

    A flat weight closes, whatever the band. A position on the right side and within `rebalance_band` of its
    target is kept. Where the price, the decision or a figure the method needs is missing, the position is
    kept and the workings say why.

    Raises
    ------
    InvalidValueError
        Capital is negative or not a number, or an array has another length than `symbols`.
    """
    _check(inputs)
    from trading.backtest.kernel.sizing import size_row

    count = len(inputs.symbols)
    shares, targets, outcomes = np.empty(count), np.empty(count), np.empty(count, dtype=np.int8)
    scale = size_row(
        sizing_terms(sizing),
        *(inputs.weights, inputs.prices, inputs.current, float(inputs.capital)),
        *(inputs.volatility, inputs.atr, inputs.mean_return),
        *(shares, targets, outcomes),
    )
    return [
        _sized(sizing, inputs, position, share=share, scale=scale, target=target, outcome=outcome)
        for position, (share, target, outcome) in enumerate(
            zip(shares.tolist(), targets.tolist(), outcomes.tolist(), strict=True)
        )
    ]


def sizing_terms(sizing: Sizing) -> SizingTerms:
    """Return the settings as the compiled kernel reads them."""
    from trading.backtest.kernel import sizing as kernel

    return kernel.SizingTerms(
        method=kernel.METHODS.index(sizing.method),
        fraction=sizing.fraction,
        target_volatility=sizing.target_volatility,
        risk_per_trade=sizing.risk_per_trade,
        atr_multiple=sizing.atr_multiple,
        max_weight=sizing.max_weight,
        rebalance_band=sizing.rebalance_band,
        unit=1.0 if sizing.whole_shares else _SHARE_DECIMALS,
    )


def _sized(
    sizing: Sizing, inputs: SizingInputs, position: int, *, share: float, scale: float, target: float, outcome: int
) -> Sized:
    weight, price = float(inputs.weights[position]), float(inputs.prices[position])
    held = float(inputs.current[position])
    why = _OUTCOMES[outcome].format(method=sizing.method, band=sizing.rebalance_band)
    quantity = held if why.startswith("kept") else 0.0 if weight == 0 else target
    workings: dict[str, float | str | None] = {
        "method": sizing.method,
        "outcome": why,
        "capital": inputs.capital,
        "weight": _known(weight),
        "price": _known(price),
        "share_of_capital": _known(share),
        "scale": scale,
        "raw_target": _known(target),
        "volatility": _known(float(inputs.volatility[position])),
        "atr": _known(float(inputs.atr[position])),
        "mean_return": _known(float(inputs.mean_return[position])),
    }
    return Sized(inputs.symbols[position], quantity, held, workings)


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _check(inputs: SizingInputs) -> None:
    if not (math.isfinite(inputs.capital) and inputs.capital >= 0):
        raise InvalidValueError("capital", inputs.capital, "an amount in USD, zero or more")
    arrays: Sequence[str] = ("weights", "prices", "current", "volatility", "atr", "mean_return")
    for name in arrays:
        shape = getattr(inputs, name).shape
        if shape != (len(inputs.symbols),):
            raise InvalidValueError(f"shape of {name}", shape, f"({len(inputs.symbols)},)")
