from __future__ import annotations

import time
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from trading.bars import FIELDS, Panel, moment
from trading.calendar import session_dates
from trading.rules import Momentum, SmaCrossover
from trading.sizing import Sizing, size, size_inputs
from trading.strategies import ACTIVE, SHIPPED, Strategy, decided, explanations, needed, target_weights

if TYPE_CHECKING:
    from collections.abc import Callable

CROSSOVER, ROTATION = SHIPPED["sma_crossover"], SHIPPED["momentum_rotation"]


def test_the_shipped_strategies_share_the_account() -> None:
    assert {"sma_crossover", "momentum_rotation"} == ACTIVE
    assert sum(SHIPPED[name].capital_fraction for name in ACTIVE) == 1


def test_the_first_two_keep_the_versions_that_are_in_peoples_books() -> None:
    assert (CROSSOVER.version, ROTATION.version) == ("0051bee92df9", "bcc614e9642e")


def test_the_version_is_the_content_without_the_description() -> None:
    same = CROSSOVER.model_copy(update={"description": "other words"})
    other = Strategy(
        name="sma_crossover", rule=SmaCrossover(fast=20, slow=50), sizing=Sizing(fraction=0.2), capital_fraction=0.5
    )
    assert same.version == CROSSOVER.version
    assert other.version != CROSSOVER.version
    assert len(CROSSOVER.version) == 12
    assert Strategy.model_validate_json(CROSSOVER.model_dump_json()).version == CROSSOVER.version


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"rule": {"kind": "sma_crossover", "fast": 50, "slow": 20}}, "must be below slow"),
        ({"rule": {"kind": "momentum", "lookback": 20, "skip": 20}}, "must be below lookback"),
        ({"rule": {"kind": "astrology"}}, "sma_crossover"),
        ({"universe": ["AAPL", "AAPL"]}, "more than once"),
        ({"universe": ["aapl"]}, "pattern"),
        ({"rule": {"kind": "momentum"}, "timeframe": "1Hour"}, "1Day"),
        ({"capital_fraction": 0}, "greater than 0"),
        ({"leverage": 3}, "Extra inputs"),
    ],
)
def test_impossible_strategies_are_refused(content: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Strategy.model_validate({"name": "mine", "rule": {"kind": "sma_crossover"}, **content})


def test_crossover_weights_agree_with_pandas(real: Panel) -> None:
    close = real.frame("close")
    fast, slow = close.rolling(20).mean(), close.rolling(50).mean()
    listed = close.notna().cumsum() >= 50
    expected = ((fast > slow) & listed).astype(float).div(listed.sum(axis=1).clip(lower=1), axis=0)
    np.testing.assert_array_equal(target_weights(CROSSOVER, real), expected.to_numpy())


def test_momentum_weights_agree_with_pandas(real: Panel) -> None:
    close = real.frame("close")
    gains = close.shift(21) / close.shift(126) - 1
    days = pd.Series(session_dates(real.timestamps), index=close.index)
    ends = days.groupby(days.dt.to_period("M")).transform("max") == days
    ends.iloc[-1] = False  # 2013-03-01 is the first session of March, not its last
    best = gains.rank(axis=1, ascending=False) <= 2
    weights = (best & (gains > 0)).astype(float) / 2
    expected = weights.where(ends, np.nan).ffill().fillna(0.0)
    np.testing.assert_array_equal(target_weights(ROTATION, real), expected.to_numpy())


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_a_decision_does_not_know_the_future_and_needs_its_warm_up_alone(name: str, real: Panel) -> None:
    strategy = SHIPPED[name]
    weights, known = target_weights(strategy, real), decided(strategy, real)
    assert weights[known].any()
    for row in (0, 499, 600, 1333, 2100, 3077, 3269):
        upto = real.up_to(moment(real.timestamps[row]))
        np.testing.assert_array_equal(target_weights(strategy, upto), weights[: row + 1])
        np.testing.assert_array_equal(decided(strategy, upto), known[: row + 1])
        short = needed(strategy, upto)
        assert len(short) <= max(strategy.warm_up + 6, 30) or row < 3100
        np.testing.assert_array_equal(target_weights(strategy, short)[-1], weights[row])
        np.testing.assert_array_equal(decided(strategy, short)[-1], known[row])


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_what_happens_after_a_decision_does_not_change_it(name: str, real: Panel) -> None:
    row = 2000
    scrambled = Panel(
        real.timestamps,
        real.symbols,
        *(
            np.vstack((real.field(one)[:row], real.field(one)[:row:-1], real.field(one)[row : row + 1]))
            for one in FIELDS
        ),
    )
    np.testing.assert_array_equal(
        target_weights(SHIPPED[name], scrambled)[:row], target_weights(SHIPPED[name], real)[:row]
    )


prices = st.floats(0.5, 1000) | st.just(float("nan"))


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.tuples(prices, prices, prices), max_size=60), cut=st.integers(0, 60))
def test_weights_of_any_bars_are_sound_and_causal(
    rows: list[tuple[float, ...]], cut: int, make_panel: Callable[..., Panel]
) -> None:
    panel = make_panel(np.array(rows).reshape(-1, 3))
    for rule in (SmaCrossover(fast=2, slow=5), Momentum(lookback=10, skip=2, hold=2)):
        strategy = Strategy(name="any", rule=rule)
        weights = target_weights(strategy, panel)
        assert weights.shape == panel.close.shape
        assert ((weights >= 0) & (weights <= 1)).all()
        assert (weights.sum(axis=1) <= 1 + 1e-12).all()
        np.testing.assert_array_equal(target_weights(strategy, panel.rows(slice(0, cut))), weights[:cut])


def test_a_symbol_that_misses_a_bar_keeps_its_share(make_panel: Callable[..., Panel]) -> None:
    close = np.column_stack((np.arange(1.0, 13.0), np.arange(1.0, 13.0)))
    close[8, 1] = np.nan
    strategy = Strategy(name="mine", rule=SmaCrossover(fast=2, slow=5))
    panel = make_panel(close)
    assert target_weights(strategy, panel)[8].tolist() == [0.5, 0.5]
    assert decided(strategy, panel)[8].tolist() == [True, False]


def test_a_delisted_symbol_frees_its_share(make_panel: Callable[..., Panel]) -> None:
    close = np.column_stack((np.arange(1.0, 21.0), np.arange(1.0, 21.0)))
    close[10:, 1] = np.nan
    weights = target_weights(Strategy(name="mine", rule=SmaCrossover(fast=2, slow=5)), make_panel(close))
    assert weights[13].tolist() == [0.5, 0.5]
    assert weights[14].tolist() == [1.0, 0.0]


def test_momentum_keeps_cash_when_little_rises(make_panel: Callable[..., Panel]) -> None:
    close = np.column_stack((np.linspace(10, 20, 60), np.linspace(20, 10, 60)))
    strategy = Strategy(name="mine", rule=Momentum(lookback=10, skip=2, hold=2))
    assert target_weights(strategy, make_panel(close))[-1].tolist() == [0.5, 0.0]


def test_reasons_carry_the_figures(real: Panel) -> None:
    reason, values = explanations(CROSSOVER, real)[2]
    close = real.close[-50:, 2]
    assert values["fast"] == pytest.approx(close[-20:].mean())
    assert reason == (
        f"20-bar average {close[-20:].mean():.2f} is above the 50-bar average {close.mean():.2f} "
        f"({close[-20:].mean() / close.mean() - 1:+.2%}): long 20.0% of capital"
    )
    ranked = explanations(ROTATION, real)
    assert "rank 1 of 5" in ranked[1][0]
    assert "before 2013-02-28" in ranked[1][0]
    assert ranked[0][0].endswith("did not rise, flat")


def test_an_earlier_row_is_explained_as_it_was_then(real: Panel) -> None:
    row = 1000
    assert explanations(ROTATION, real, row) == explanations(ROTATION, real.rows(slice(0, row + 1)))
    reasons = [reason for reason, _ in explanations(CROSSOVER, real, row)]
    assert reasons[1] == "fewer than 50 bars"  # FB was listed in 2012
    assert explanations(CROSSOVER, real.rows(slice(0, 0))) == []


def test_five_symbols_and_500_bars_are_decided_and_sized_well_under_50_ms(real: Panel) -> None:
    panel = real.rows(slice(-500, None))
    times = []
    for _ in range(5):
        started = time.perf_counter()
        weights = target_weights(CROSSOVER, panel)[-1]
        wanted = dict(zip(panel.symbols, weights.tolist(), strict=True))
        sized = size(CROSSOVER.sizing, size_inputs(panel, weights=wanted, current={}, capital=50_000))
        times.append(time.perf_counter() - started)
        assert len(sized) == 5
    assert min(times) < 0.05


def test_the_first_month_end_decides(make_panel: Callable[..., Panel]) -> None:
    panel = make_panel(np.column_stack((np.linspace(10, 20, 30),)), first=date(2012, 12, 3))
    weights = target_weights(Strategy(name="mine", rule=Momentum(lookback=5, skip=1, hold=1)), panel)
    days = session_dates(panel.timestamps)
    assert days[np.flatnonzero(weights[:, 0])[0]] == np.datetime64("2012-12-31")
