from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy import stats

from trading.errors import InvalidValueError
from trading.limits import Limits
from trading.risk import (
    Exposure,
    PortfolioRisk,
    beta,
    breaches,
    daily_loss,
    drawdown,
    expected_shortfall,
    exposure,
    measure,
    next_trading_state,
    value_at_risk,
)

if TYPE_CHECKING:
    from trading.bars import Floats, Panel
    from trading.limits import TradingState


def snapshot(**changes: Any) -> PortfolioRisk:
    quiet = {"equity": 1e5, "exposure": Exposure(0.5, 0, 0.5, 0.5, {"IBM": 0.5}), "beta": 1.0, "var_95": 0.02}
    return PortfolioRisk(**{**quiet, "cvar_95": 0.03, "drawdown": 0.0, "daily_loss": 0.0, **changes})


def returns(real: Panel) -> Floats:
    close = real.close[-500:]
    return close[1:] / close[:-1] - 1


def test_exposure_by_hand() -> None:
    found = exposure({"A": 100, "B": -50, "C": 0}, {"A": 30.0, "B": 20.0}, 10_000)
    assert [found.long, found.short, found.gross, found.net] == pytest.approx([0.3, 0.1, 0.4, 0.2])
    assert found.largest == ("A", 0.3)
    assert found.concentration == pytest.approx(0.75**2 + 0.25**2)


def test_no_positions_are_no_exposure() -> None:
    found = exposure({}, {}, 1.0)
    assert (found.gross, found.largest, found.concentration) == (0, None, 0)


@pytest.mark.parametrize("prices", [{}, {"A": math.nan}, {"A": 0.0}])
def test_a_position_without_a_price_is_refused(prices: dict[str, float]) -> None:
    with pytest.raises(InvalidValueError, match="a price of A"):
        exposure({"A": 1}, prices, 1.0)


def test_beta_agrees_with_scipy(real: Panel) -> None:
    ibm, msft = returns(real)[:, 3], returns(real)[:, 4]
    assert beta(ibm, msft) == pytest.approx(stats.linregress(msft, ibm).slope, rel=1e-12)
    assert beta(ibm[:19], msft[:19]) is None
    assert beta(ibm, np.zeros(len(ibm))) is None


def test_historical_var_and_cvar_by_hand() -> None:
    known = np.arange(-10, 91) / 100  # 101 returns: the 5 % quantile is the sixth
    assert value_at_risk(known) == pytest.approx(0.05)
    assert expected_shortfall(known) == pytest.approx(np.mean([0.10, 0.09, 0.08, 0.07, 0.06, 0.05]))
    assert value_at_risk(np.abs(known)) == 0
    assert value_at_risk(known[:19]) is None


def test_drawdown_and_daily_loss(real: Panel) -> None:
    close = real.close[:, 0]
    ours = [drawdown(close[: row + 1]) for row in (10, 500, 3269)]
    levels = real.frame("close")["AAPL"]
    theirs = [levels.iloc[row] / levels.cummax().iloc[row] - 1 for row in (10, 500, 3269)]
    ours = [-fall for fall in ours]
    assert ours == pytest.approx(theirs, rel=1e-9)
    assert drawdown([]) == 0
    assert daily_loss(95.0, 100.0) == pytest.approx(0.05)
    assert daily_loss(105.0, 100.0) == 0
    assert daily_loss(95.0, None) == 0


def test_the_snapshot_simulates_the_positions_held_today(real: Panel) -> None:
    ibm, msft = returns(real)[:, 3], returns(real)[:, 4]
    found = measure(
        positions={"IBM": 100, "MSFT": 1_000},
        prices={"IBM": 200.0, "MSFT": 30.0},
        equity_curve=[120_000.0, 110_000.0, 100_000.0],
        returns={"IBM": ibm, "MSFT": msft},
        benchmark=msft,
    )
    held = 0.2 * ibm + 0.3 * msft
    assert found.exposure.gross == pytest.approx(0.5)
    assert found.var_95 == pytest.approx(-np.quantile(held, 0.05))
    assert found.beta == pytest.approx(stats.linregress(msft, held).slope)
    assert found.drawdown == pytest.approx(1 / 6)
    assert found.daily_loss == pytest.approx(1 / 11)


def test_a_position_without_history_leaves_var_unknown() -> None:
    found = measure(positions={"NEW": 1}, prices={"NEW": 1.0}, equity_curve=[10.0], returns={})
    assert (found.var_95, found.cvar_95, found.beta) == (None, None, None)


@pytest.mark.parametrize(
    ("current", "changes", "after"),
    [
        ("ACTIVE", {}, "ACTIVE"),
        ("ACTIVE", {"daily_loss": 0.05}, "HALTED"),
        ("ACTIVE", {"drawdown": 0.25}, "HALTED"),
        ("ACTIVE", {"drawdown": 0.15}, "REDUCING"),
        ("ACTIVE", {"drawdown": 0.149}, "ACTIVE"),
        ("ACTIVE", {"exposure": Exposure(1.04, 0, 1.04, 1.04)}, "ACTIVE"),
        ("ACTIVE", {"exposure": Exposure(1.06, 0, 1.06, 1.06)}, "REDUCING"),
        ("REDUCING", {}, "ACTIVE"),
        ("HALTED", {}, "HALTED"),
    ],
)
def test_the_trading_state_follows_from_the_snapshot(
    current: TradingState, changes: dict[str, Any], after: TradingState
) -> None:
    state, reasons = next_trading_state(current, snapshot(**changes), Limits())
    assert state == after
    assert bool(reasons) == (after != "ACTIVE")


def test_breaches_say_what_was_reached() -> None:
    found = breaches(snapshot(daily_loss=0.06, drawdown=0.2), Limits())
    assert [item.limit for item in found] == ["max_daily_loss", "reduce_drawdown"]
    assert found[0].sentence == "loss since the last close 6.0% reached max_daily_loss 5.0%"
