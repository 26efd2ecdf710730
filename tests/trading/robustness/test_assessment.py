"""The checks on results that are known to lean on something, and on ones that do not."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from trading.bars import Floats, Panel
from trading.calendar import bar_timestamp, sessions
from trading.costs import Costs
from trading.performance import probabilistic_sharpe
from trading.robustness import luck, sensitivity
from trading.robustness.assessment import STEPS, assess
from trading.robustness.foresight import prefix_invariance
from trading.robustness.sensitivity import Trial, neighbours
from trading.robustness.verdicts import Check, graded, overall
from trading.rules import SmaCrossover
from trading.sizing import Sizing
from trading.strategies import SHIPPED, Strategy

CROSSOVER = SHIPPED["sma_crossover"].model_copy(update={"rule": SmaCrossover(fast=5, slow=15)})
WARM_UP = 5 * CROSSOVER.warm_up


def panel_of(close: Floats) -> Panel:
    """Return daily bars that open at the close before."""
    days = sessions(date(2015, 1, 2), date(2019, 12, 31))[: len(close)]
    stamps = np.array([bar_timestamp(day).replace(tzinfo=None) for day in days], dtype="datetime64[ns]")
    opened = np.vstack([close[:1], close[:-1]])
    high, low = np.maximum(opened, close), np.minimum(opened, close)
    names = tuple(f"S{column}" for column in range(close.shape[1]))
    return Panel(stamps, names, opened, high, low, close, np.full(close.shape, 1e6))


@pytest.fixture(scope="module")
def waves() -> Panel:
    """Return three symbols that rise and fall for months: a crossover's best of worlds."""
    rows = np.arange(700)[:, None]
    phase = np.array([0.0, 2.1, 4.2])
    return panel_of(100 * np.exp(0.3 * np.sin(rows / 40 + phase)) * 1.0005**rows)


@pytest.fixture(scope="module")
def noise() -> Panel:
    steps = np.random.default_rng(8).normal(0, 0.01, (700, 3))
    return panel_of(100 * np.exp(steps.cumsum(axis=0)))


class Clairvoyant(SmaCrossover):
    """Long what rises tomorrow."""

    def weights(self, panel: Panel) -> Floats:
        tomorrow = np.vstack([panel.close[1:], panel.close[-1:]])
        return np.where(tomorrow > panel.close, 1 / 3, 0.0)


class Counting(SmaCrossover):
    """Decides by how many bars it was given in all."""

    def weights(self, panel: Panel) -> Floats:
        return np.full(panel.close.shape, 1 / len(panel))


@pytest.mark.parametrize("rule", [Clairvoyant(fast=5, slow=15), Counting(fast=5, slow=15)])
def test_a_strategy_that_sees_the_future_is_found_out(noise: Panel, rule: SmaCrossover) -> None:
    check = prefix_invariance(CROSSOVER.model_copy(update={"rule": rule}), noise)

    assert check.verdict == "fail"
    assert "it has seen the future" in check.sentence


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_no_strategy_that_comes_with_the_project_sees_the_future(noise: Panel, name: str) -> None:
    assert prefix_invariance(SHIPPED[name], noise).verdict in {"pass", "warn"}


def test_a_trend_follower_on_trends_is_believed(waves: Panel) -> None:
    told: list[str] = []
    found = {check.name: check for check in assess(Trial(CROSSOVER, waves, WARM_UP), progress=told.append)}

    assert {found[name].verdict for name in ("profit", "no look-ahead", "warm-up", "costs", "one bar late")} == {"pass"}
    assert found["probabilistic Sharpe"].verdict == "pass"
    assert len(told) == STEPS
    assert overall(found.values()) != "pass"  # a dozen trades are few, whatever they earned


def test_the_same_checks_of_the_same_trial_say_the_same(noise: Panel) -> None:
    trial = Trial(CROSSOVER, noise, WARM_UP)

    assert assess(trial, seed=3) == assess(trial, seed=3)


def test_costs_are_doubled_and_ten_basis_points_more(waves: Panel) -> None:
    trial = Trial(CROSSOVER, waves, WARM_UP, costs=Costs(commission_bps=40))

    check = sensitivity.costs(trial, trial.result())

    dearer = trial.result(costs=Costs(commission_bps=80, slippage_bps=10))
    assert check.figure == sensitivity.gain(dearer) < sensitivity.gain(trial.result())


def test_a_profit_of_one_symbol_is_not_believed(waves: Panel) -> None:
    falling = waves.close.copy()
    falling[:, 1:] = 100 * 0.9999 ** np.arange(len(waves))[:, None]
    trial = Trial(CROSSOVER, panel_of(falling), WARM_UP)

    check = sensitivity.leave_one_out(trial, trial.result())

    assert check.verdict == "fail"
    assert "without S0" in check.sentence


def test_a_profit_that_a_late_fill_takes_is_not_believed(noise: Panel) -> None:
    trial = Trial(CROSSOVER.model_copy(update={"rule": Clairvoyant(fast=5, slow=15)}), noise, WARM_UP)

    check = sensitivity.delay(trial, trial.result())

    assert check.verdict == "fail"


def test_a_late_run_fills_what_the_other_filled_one_bar_later(waves: Panel) -> None:
    steady = CROSSOVER.model_copy(update={"sizing": Sizing(rebalance_band=1.0)})  # no sale but of the whole
    trial = Trial(steady, waves, WARM_UP)
    sold, late = (result.fills.query("side == 'sell'").iloc[0] for result in (trial.result(), trial.late()))

    row = int(np.searchsorted(waves.timestamps, np.datetime64(sold["ts"].tz_localize(None), "ns"), side="right")) - 1
    column = waves.symbols.index(sold["symbol"])
    assert late["symbol"] == sold["symbol"]
    assert sold["price"] == pytest.approx(waves.open[row, column])
    assert late["price"] == pytest.approx(waves.open[row + 1, column])


def test_warm_up_needs_bars_to_compare(waves: Panel) -> None:
    assert sensitivity.warm_up(Trial(CROSSOVER, waves, CROSSOVER.warm_up)).verdict == "warn"
    assert sensitivity.warm_up(Trial(CROSSOVER, waves, WARM_UP)).figure == 0.0


def test_neighbours_differ_in_one_number_each_and_keep_to_the_rules_bounds() -> None:
    found = list(neighbours(Strategy(name="tight", rule=SmaCrossover(fast=2, slow=3))))

    pairs = [(strategy.rule.fast, strategy.rule.slow) for strategy in found if isinstance(strategy.rule, SmaCrossover)]
    assert len(pairs) == len(found) == len(set(pairs))
    assert all((fast == 2) != (slow == 3) and fast < slow for fast, slow in pairs)


def test_the_probability_of_a_sharpe_ratio_is_the_published_one() -> None:
    returns = np.random.default_rng(0).normal(0.001, 0.01, 500)
    standard = (returns - returns.mean()) / returns.std()

    check = luck.probable(returns)

    assert check.figure == pytest.approx(
        probabilistic_sharpe(
            returns.mean() / returns.std(ddof=1), n_obs=500, skew=(standard**3).mean(), kurt=(standard**4).mean()
        )
    )


def test_more_tries_make_the_same_result_less_believable() -> None:
    returns = np.random.default_rng(0).normal(0.001, 0.01, 500)
    tried = list(np.random.default_rng(1).normal(0.5, 0.6, 100))

    alone, among = luck.deflated(returns, tried[:1]), luck.deflated(returns, tried)

    assert alone.figure is not None
    assert among.figure is not None
    assert among.figure < alone.figure
    assert "100 tries" in among.sentence


def test_equity_that_never_moved_shows_nothing() -> None:
    flat = np.zeros(100)

    assert luck.probable(flat).verdict == luck.deflated(flat, [0.0]).verdict == "fail"
    assert luck.overfitted([]).verdict == "warn"
    assert {check.verdict for check in luck.resampled(np.zeros(5))} == {"warn"}


def test_the_worst_verdict_is_the_whole_and_nothing_proves_nothing() -> None:
    checks = [Check("a", verdict, None, "") for verdict in ("pass", "warn")]

    assert overall(checks) == "warn"
    assert overall([]) == "warn"
    assert [graded(value, warn=1, fail=2) for value in (0.5, 1, 2)] == ["pass", "warn", "fail"]
