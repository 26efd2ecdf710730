"""The compiled costs of a backtest are the models the simulator charges by, one at a time and together."""

from __future__ import annotations

import numpy as np
import pytest

from tests.trading.backtest.panels import panel_of
from trading.backtest import follow
from trading.costs import (
    BasisPoints,
    Commission,
    Costs,
    FixedSpread,
    PerOrder,
    PerShare,
    ProRata,
    Slippage,
    SquareRootImpact,
    VolumeShare,
    commission,
    slippage,
)

CAPITAL, PRICE, VOLUME = 10_000.0, 50.0, 1_600.0
BARS = [(PRICE, PRICE, PRICE, PRICE)] * 4
DECIDED = [1.0, np.nan, 0.0, np.nan]
"""Bought at the second open, 200 shares of a volume of 1,600, and sold at the last."""


@pytest.mark.parametrize(
    ("costs", "model"),
    [
        (Costs(half_spread=0.03), FixedSpread(half_spread=0.03)),
        (Costs(slippage_bps=7), BasisPoints(bps=7)),
        (Costs(volume_impact=0.1), VolumeShare()),
        (Costs(square_root_impact=0.5 * 0.02), SquareRootImpact(coefficient=0.5, volatility=0.02)),
    ],
)
def test_slippage_is_the_models(costs: Costs, model: Slippage) -> None:
    bought, sold = follow(panel_of(BARS, volume=VOLUME), np.array([DECIDED]).T, capital=CAPITAL, costs=costs).fills[
        "price"
    ]

    for price, quantity, side in ((bought, 200, 1), (sold, 200, -1)):
        worse = slippage(model, price=PRICE, quantity=quantity, volume=VOLUME)
        assert worse > 0
        assert price == pytest.approx(PRICE + side * worse, rel=1e-12)


@pytest.mark.parametrize(
    ("costs", "model"),
    [
        (Costs(commission_per_order=1.5), PerOrder(amount=1.5)),
        (Costs(commission_bps=3), ProRata(bps=3)),
        (Costs(commission_per_share=0.005, commission_minimum=0.5), PerShare(amount=0.005, minimum=0.5)),
        (Costs(commission_per_share=0.005, commission_minimum=2), PerShare(amount=0.005, minimum=2)),
    ],
)
def test_commission_is_the_models(costs: Costs, model: Commission) -> None:
    result = follow(panel_of(BARS, volume=VOLUME), np.array([DECIDED]).T, capital=CAPITAL, costs=costs)

    each = commission(model, price=PRICE, quantity=200.0)
    assert result.costs_paid["commission"] == pytest.approx(2 * each, rel=1e-12)
    assert result.equity.iloc[-1] == pytest.approx(CAPITAL - 2 * each, rel=1e-12)


def test_slippages_add_up_and_are_told() -> None:
    costs = Costs(half_spread=0.01, slippage_bps=2, volume_impact=0.1, square_root_impact=0.001)
    result = follow(panel_of(BARS, volume=VOLUME), np.array([DECIDED]).T, capital=CAPITAL, costs=costs)

    share = 200 / VOLUME
    by_hand = PRICE + 0.01 + PRICE * (0.0002 + 0.1 * share**2 + 0.001 * share**0.5)
    assert result.fills["price"].iloc[0] == pytest.approx(by_hand, rel=1e-12)
    assert (
        "Slippage 2 bps of the price plus 0.01 USD per share plus 0.1 of the price by the squared share of the volume "
        "plus 0.001 of the price by the root of the share of the volume; commission 0 bps of notional plus 0 USD per "
        "share." in result.assumptions
    )
