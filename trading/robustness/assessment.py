"""Every check of one backtest, in the order a person would ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trading.robustness import luck, sensitivity
from trading.robustness.foresight import prefix_invariance

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from trading.robustness.sensitivity import Trial
    from trading.robustness.verdicts import Check

STEPS = 8


def assess(
    trial: Trial,
    *,
    sharpes_tried: Sequence[float] = (),
    seed: int = 0,
    progress: Callable[[str], None] = lambda _: None,
) -> list[Check]:
    """Run every check.

    Parameters
    ----------
    trial
        What is questioned.
    sharpes_tried
        Annual Sharpe ratios of every try that was recorded for this strategy, this one included.
    seed
        Of the cuts and of the resampling.
    progress
        Told what is being checked, `STEPS` times.
    """
    progress("backtest")
    base = trial.result()
    progress("look-ahead")
    found = [sensitivity.profitable(base), prefix_invariance(trial.strategy, trial.panel, seed=seed)]
    progress("warm-up")
    found += [sensitivity.trades(base), sensitivity.warm_up(trial)]
    progress("costs and delay")
    found += [sensitivity.costs(trial, base), sensitivity.delay(trial, base)]
    progress("symbols")
    found.append(sensitivity.leave_one_out(trial, base))
    progress("parameters")
    check, neighbours = sensitivity.neighbourhood(trial, base)
    found.append(check)
    progress("luck")
    curve = base.equity.to_numpy(dtype=np.float64)
    returns = curve[1:] / curve[:-1] - 1
    tried = [*sharpes_tried] or [base.metrics.sharpe or 0.0]
    found += [luck.probable(returns), luck.deflated(returns, tried)]
    found.append(luck.overfitted([base.equity, *(neighbour.equity for neighbour in neighbours)]))
    progress("resampling")
    return [*found, *luck.resampled(returns, seed=seed)]
