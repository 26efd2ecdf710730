from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import quantstats as qs
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from trading.errors import InvalidValueError
from trading.performance import Metrics, deflated_sharpe, drawdowns, metrics, probabilistic_sharpe

if TYPE_CHECKING:
    from trading.bars import Panel

OPINION: Any = qs.stats  # untyped


def curve(values: list[float]) -> pd.Series[float]:
    days = [date(2012, 1, 2) + timedelta(days=row) for row in range(len(values))]
    return pd.Series(values, index=pd.Index(days, dtype=object), dtype="float64")


def level(real: Panel, symbol: str) -> pd.Series[float]:
    series = real.frame("close")[symbol].dropna()
    return series.set_axis(pd.DatetimeIndex(series.index).tz_localize(None).normalize())


def test_metrics_agree_with_quantstats(real: Panel) -> None:
    equity, benchmark = level(real, "AAPL"), level(real, "IBM")
    returns = equity.pct_change().dropna()
    found = metrics(equity, benchmark)
    greeks = OPINION.greeks(returns, benchmark.pct_change().dropna())
    theirs = {
        "total_return": OPINION.comp(returns),
        "cagr": OPINION.cagr(returns),
        "volatility": OPINION.volatility(returns),
        "sharpe": OPINION.sharpe(returns),
        "sortino": OPINION.sortino(returns),
        "max_drawdown": -OPINION.max_drawdown(returns),
        "calmar": OPINION.calmar(returns),
        "best_day": OPINION.best(returns),
        "worst_day": OPINION.worst(returns),
        "positive_days": (returns > 0).mean(),
        "beta": greeks["beta"],
        "alpha": greeks["alpha"],
    }
    for name, expected in theirs.items():
        assert getattr(found, name) == pytest.approx(float(expected), rel=1e-9), name


def test_excess_over_a_risk_free_rate_agrees_with_quantstats(real: Panel) -> None:
    equity = level(real, "MSFT")
    returns, found = equity.pct_change().dropna(), metrics(equity, risk_free=0.03)
    assert found.sharpe == pytest.approx(OPINION.sharpe(returns, rf=0.03), rel=1e-9)
    assert found.sortino == pytest.approx(OPINION.sortino(returns, rf=0.03), rel=1e-9)


def test_moments_and_tails_agree_with_scipy(real: Panel) -> None:
    equity = level(real, "IBM")
    returns, found = equity.pct_change().dropna().to_numpy(), metrics(equity)
    assert found.skew == pytest.approx(stats.skew(returns))
    assert found.kurtosis == pytest.approx(stats.kurtosis(returns, fisher=False))
    assert found.var_95 == pytest.approx(-np.percentile(returns, 5))
    assert found.cvar_95 == pytest.approx(-returns[returns <= np.percentile(returns, 5)].mean())


def test_every_drawdown_agrees_with_quantstats(real: Panel) -> None:
    equity = level(real, "IBM")
    theirs = OPINION.drawdown_details(OPINION.to_drawdown_series(equity.pct_change().fillna(0)))
    found = drawdowns(equity)
    place = {stamp: row for row, stamp in enumerate(equity.index)}.__getitem__
    assert len(found) == len(theirs)
    assert found["depth"].tolist() == pytest.approx((-theirs["max drawdown"] / 100).tolist())
    # they count from the first session below the peak to the last one
    assert [place(stamp) + 1 for stamp in found["peak"]] == [place(stamp) for stamp in pd.to_datetime(theirs["start"])]
    ends = zip(found["recovered"], pd.to_datetime(theirs["end"]), strict=True)
    assert all(place(ours) - 1 == place(end) for ours, end in ends if not pd.isna(ours))
    assert metrics(equity).max_drawdown_days == found["days"].max()


def test_drawdowns_by_hand() -> None:
    found = drawdowns(curve([100, 110, 99, 105, 110, 120, 90, 100]))
    assert found["depth"].tolist() == [pytest.approx(0.1), pytest.approx(0.25)]
    assert found["days"].tolist() == [3, 2]
    assert found["peak"].dt.day.tolist() == [3, 7]
    assert found["valley"].dt.day.tolist() == [4, 8]
    assert found["recovered"].iloc[0] == pd.Timestamp(2012, 1, 6)
    assert found["recovered"].isna().tolist() == [False, True]


def test_metrics_by_hand() -> None:
    found = metrics(curve([100, 110, 99]))
    assert found.total_return == pytest.approx(-0.01)
    assert found.cagr == pytest.approx(0.99**126 - 1)
    assert found.volatility == pytest.approx(np.sqrt(0.02) * np.sqrt(252))
    assert found.sharpe == pytest.approx(0, abs=1e-12)
    assert [found.best_day, found.worst_day] == pytest.approx([0.1, -0.1])
    assert [found.positive_days, found.max_drawdown, found.max_drawdown_days] == pytest.approx([0.5, 0.1, 1])


@pytest.mark.parametrize("values", [[], [100.0]])
def test_too_few_points_give_none_not_nan(values: list[float]) -> None:
    assert metrics(curve(values)) == Metrics(sessions=len(values))


def test_a_flat_curve_has_no_ratios() -> None:
    found = metrics(curve([100.0] * 30))
    assert (found.total_return, found.volatility, found.max_drawdown, found.max_drawdown_days) == (0, 0, 0, 0)
    assert (found.sharpe, found.sortino, found.calmar, found.skew) == (None, None, None, None)


def test_a_curve_that_is_used_up_has_its_fall_and_the_reason_why_nothing_else_is_defined() -> None:
    found = metrics(curve([100.0, 120.0, -30.0, 60.0]))

    reason = "equity was -30.00 USD on 2012-01-04: there are no returns from zero or below"
    assert found.total_return == pytest.approx(-0.4)
    assert found == Metrics(4, found.total_return, max_drawdown=1.25, max_drawdown_days=2, undefined=reason)
    assert found.as_dict()["undefined"] == reason
    assert "undefined" not in metrics(curve([100.0, 101.0])).as_dict()
    assert metrics(curve([0.0, 10.0])).total_return is None


def test_a_curve_with_holes_is_refused() -> None:
    for bad in ([100.0, float("nan"), 99.0], [100.0, float("nan"), -1.0], [float("inf")]):
        with pytest.raises(InvalidValueError, match="equity curve"):
            metrics(curve(bad))


def test_a_benchmark_without_common_sessions_gives_no_beta() -> None:
    other = curve([1.0, 2.0, 3.0])
    found = metrics(curve([1.0, 2.0, 3.0]), other.set_axis([date(1999, 1, day) for day in (4, 5, 6)]))
    assert (found.beta, found.alpha) == (None, None)


@given(st.lists(st.floats(1, 1e6), max_size=40))
def test_metrics_are_json_ready_for_any_curve(values: list[float]) -> None:
    for name, value in metrics(curve(values), curve(values)).as_dict().items():
        assert value is None or np.isfinite(value), name


def test_the_deflated_sharpe_ratio_of_the_papers_example() -> None:
    # Bailey & Lopez de Prado 2014, p. 10: 100 trials, variance 1/2 a year, 1250 days, ratio 2.5 a year
    figures: Any = {"n_obs": 1250, "skew": -3.0, "kurt": 10.0, "variance_of_trials": 0.5 / 250}
    assert deflated_sharpe(2.5 / 250**0.5, n_trials=100, **figures) == pytest.approx(0.9004, abs=1e-4)
    assert deflated_sharpe(2.5 / 250**0.5, n_trials=46, **figures) == pytest.approx(0.9505, abs=1e-4)


def test_more_trials_deflate_more() -> None:
    figures: Any = {"n_obs": 500, "skew": 0.0, "kurt": 3.0, "variance_of_trials": 0.001}
    probabilities = [deflated_sharpe(0.1, n_trials=trials, **figures) for trials in (1, 2, 10, 1000)]
    assert all(more > less for more, less in pairwise(probabilities))
    assert probabilities[0] == probabilistic_sharpe(0.1, n_obs=500, skew=0, kurt=3)


def test_the_probabilistic_sharpe_ratio_of_normal_returns() -> None:
    expected = stats.norm.cdf(0.1 * np.sqrt(99) / np.sqrt(1 + 0.1**2 / 2))
    assert probabilistic_sharpe(0.1, n_obs=100, skew=0, kurt=3) == pytest.approx(expected)


def test_impossible_moments_and_trials_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="n_obs"):
        probabilistic_sharpe(0.1, n_obs=1, skew=0, kurt=3)
    with pytest.raises(InvalidValueError, match="skew and kurt"):
        probabilistic_sharpe(1.0, n_obs=10, skew=5, kurt=3)
    with pytest.raises(InvalidValueError, match="trials"):
        deflated_sharpe(0.1, n_trials=0, n_obs=10, skew=0, kurt=3, variance_of_trials=1)
