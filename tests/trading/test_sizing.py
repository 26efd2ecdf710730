from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from trading.errors import InvalidValueError
from trading.sizing import METHODS, Sizing, SizingInputs, size, size_inputs, statistics

if TYPE_CHECKING:
    from collections.abc import Callable

    from trading.bars import Panel

NAN = math.nan


def inputs(
    weights: list[float],
    *,
    prices: list[float] | None = None,
    current: list[float] | None = None,
    capital: float = 10_000.0,
    volatility: float = 0.3,
    atr: float = 2.0,
    mean_return: float = 0.09,
) -> SizingInputs:
    count = len(weights)
    return SizingInputs(
        symbols=tuple(f"S{column}" for column in range(count)),
        weights=np.array(weights, dtype=np.float64),
        prices=np.array(prices or [100.0] * count, dtype=np.float64),
        current=np.array(current or [0.0] * count, dtype=np.float64),
        capital=capital,
        volatility=np.full(count, volatility),
        atr=np.full(count, atr),
        mean_return=np.full(count, mean_return),
    )


@pytest.mark.parametrize(
    ("sizing", "shares"),
    [
        (Sizing(), 30),  # 10,000 * 0.3 / 100
        (Sizing(method="fixed_fraction", fraction=0.25), 25),
        (Sizing(method="volatility_target", target_volatility=0.15), 15),  # 0.3 * 0.15 / 0.3
        (Sizing(method="atr_risk", risk_per_trade=0.01, atr_multiple=2), 25),  # 100 USD at risk / 4 USD
        (Sizing(method="half_kelly"), 15),  # 0.09 / 0.09 / 2 of 0.3
        (Sizing(max_weight=0.2), 20),
    ],
)
def test_each_method_by_hand(sizing: Sizing, shares: int) -> None:
    (sized,) = size(sizing, inputs([0.3]))
    assert sized.target_quantity == pytest.approx(shares, abs=1)
    assert sized.target_quantity == int(sized.target_quantity)
    assert sized.workings["method"] == sizing.method
    assert sized.workings["outcome"] == "target"


def test_short_weights_make_negative_targets() -> None:
    (sized,) = size(Sizing(), inputs([-0.3], prices=[7.0]))
    assert sized.target_quantity == -428


def test_half_kelly_takes_nothing_against_the_mean() -> None:
    (sized,) = size(Sizing(method="half_kelly"), inputs([0.5], mean_return=-0.1))
    assert sized.target_quantity == 0


def test_a_flat_weight_closes_whatever_the_band() -> None:
    (sized,) = size(Sizing(rebalance_band=1), inputs([0.0], current=[1]))
    assert (sized.target_quantity, sized.change) == (0, -1)
    assert sized.workings["outcome"] == "closed: the strategy is flat"


@pytest.mark.parametrize(("held", "target"), [(28, 28), (33, 33), (34, 30), (27, 30), (-30, 30), (0, 30)])
def test_a_position_inside_the_band_is_kept(held: int, target: int) -> None:
    (sized,) = size(Sizing(rebalance_band=0.1), inputs([0.3], current=[held]))
    assert sized.target_quantity == target


def test_missing_figures_keep_the_position_and_say_why() -> None:
    kept = size(Sizing(), inputs([NAN, 0.2, 0.0], prices=[100.0, NAN, NAN], current=[5, 6, 7]))
    assert [item.change for item in kept] == [0, 0, 0]
    assert [item.workings["outcome"] for item in kept] == [
        "kept: the strategy decided nothing",
        "kept: no price",
        "kept: no price",
    ]
    (short,) = size(Sizing(method="atr_risk"), inputs([0.3], atr=NAN, current=[4]))
    assert (short.change, short.workings["outcome"]) == (0, "kept: too few bars for atr_risk")
    assert short.workings["atr"] is None


def test_fractions_of_shares_go_to_nine_decimals() -> None:
    (sized,) = size(Sizing(whole_shares=False), inputs([1 / 3], prices=[7.0]))
    assert sized.target_quantity == pytest.approx(10_000 / 21, abs=1e-9)
    assert round(sized.target_quantity, 9) == sized.target_quantity


@pytest.mark.parametrize("capital", [-1.0, NAN, math.inf])
def test_capital_must_be_an_amount(capital: float) -> None:
    with pytest.raises(InvalidValueError, match="capital"):
        size(Sizing(), inputs([0.3], capital=capital))


def test_arrays_must_fit_the_symbols() -> None:
    odd = replace(inputs([0.3, 0.3]), symbols=("S0",))
    with pytest.raises(InvalidValueError, match="shape of weights"):
        size(Sizing(), odd)


@pytest.mark.parametrize(
    "wrong", [{"fraction": 0}, {"max_weight": 1.1}, {"rebalance_band": -1}, {"method": "martingale"}]
)
def test_settings_out_of_bounds_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Sizing.model_validate(wrong)


weight = st.floats(-1, 1) | st.just(NAN)
figure = st.floats(1e-4, 1e4) | st.just(NAN)


@given(
    method=st.sampled_from(METHODS),
    rows=st.lists(st.tuples(weight, figure, figure, figure, st.floats(-5, 5)), min_size=1, max_size=8),
    capital=st.floats(0, 1e7),
    whole=st.booleans(),
    max_weight=st.floats(0.01, 1),
)
def test_targets_never_exceed_capital_and_are_whole(
    method: Any, rows: list[tuple[float, ...]], capital: float, whole: bool, max_weight: float
) -> None:
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    weights, prices, volatility, atr, mean = columns
    sizing = Sizing(method=method, whole_shares=whole, max_weight=max_weight)
    symbols = tuple(str(column) for column in range(len(rows)))
    sized = size(sizing, SizingInputs(symbols, weights, prices, np.zeros(len(rows)), capital, volatility, atr, mean))
    notionals = [abs(item.target_quantity) * (0 if math.isnan(p) else p) for item, p in zip(sized, prices, strict=True)]
    assert sum(notionals) <= capital * (1 + 1e-9)
    assert max(notionals) <= capital * max_weight * (1 + 1e-9)
    for item, wanted in zip(sized, weights, strict=True):
        assert not whole or item.target_quantity == int(item.target_quantity)
        assert item.target_quantity == 0 or np.sign(item.target_quantity) == np.sign(wanted)


@given(held=st.integers(-500, 500), band=st.floats(0, 0.5), share=st.floats(-1, 1))
def test_sizing_twice_changes_nothing(held: int, band: float, share: float) -> None:
    sizing = Sizing(rebalance_band=band)
    (once,) = size(sizing, inputs([share], current=[held]))
    (twice,) = size(sizing, inputs([share], current=[once.target_quantity]))
    assert twice.change == 0


def test_inputs_come_from_the_last_row_and_agree_with_pandas(real: Panel) -> None:
    found = size_inputs(real, weights={"IBM": 0.5}, current={"AAPL": 3}, capital=1.0)
    close = real.frame("close")
    returns = close.apply(np.log).diff()
    np.testing.assert_allclose(found.volatility, returns.iloc[-20:].std() * 252**0.5)
    np.testing.assert_allclose(found.mean_return, close.pct_change().iloc[-126:].mean() * 252)
    ranges = np.maximum(real.frame("high"), close.shift()) - np.minimum(real.frame("low"), close.shift())
    np.testing.assert_allclose(found.atr, pd.DataFrame(ranges).iloc[-14:].mean())
    np.testing.assert_array_equal(found.weights, [NAN, NAN, NAN, 0.5, NAN])
    np.testing.assert_array_equal(found.current, [3, 0, 0, 0, 0])


def test_live_inputs_are_those_of_the_backtest_to_the_bit(real: Panel) -> None:
    figures = statistics(real)
    for row in (130, 1000, 3269):
        found = size_inputs(real.rows(slice(row - 127, row + 1)), weights={}, current={}, capital=1.0)
        for name in ("volatility", "atr", "mean_return"):
            np.testing.assert_array_equal(getattr(found, name), getattr(figures, name)[row])


def test_an_empty_panel_sizes_nothing(make_panel: Callable[..., Panel]) -> None:
    empty = size_inputs(make_panel(np.zeros((0, 2))), weights={"S0": 1.0}, current={"S1": 2}, capital=1.0)
    assert [item.change for item in size(Sizing(), empty)] == [0, 0]
