"""What a result leans on: warm-up, costs, a late fill, one symbol, exact parameters, a handful of trades."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from trading.backtest import follow, run
from trading.calendar import session_dates
from trading.costs import Costs
from trading.errors import TradingError
from trading.robustness.verdicts import Check, graded
from trading.strategies import decided, target_weights
from trading.sweep import numbers_of, with_parameters

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trading.adjustment import Actions
    from trading.backtest import BacktestResult
    from trading.bars import Panel
    from trading.robustness.verdicts import Verdict
    from trading.strategies import Strategy

HALF, ALL = 0.5, 1.0
"""Share of the profit that a check may take away: from half of it on a warning, all of it a fail."""
EXTRA_BPS = 10.0
FEWEST_TRADES, ENOUGH_TRADES = 10, 30
WARM_UPS = (1, 2, 5)
DIFFERENT, FAR_OFF = 0.001, 0.01
"""Difference of two final equities, as a fraction, that is more than rounding, and one that is another result."""
NUDGES = (0.8, 0.9, 1.1, 1.2)
MOST_LEFT_OUT = 20
"""Symbols left out in turn: those that the result owes most to."""


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """A backtest to be questioned: the strategy, its bars from some time before `first` on, and what it is given.

    Attributes
    ----------
    panel
        Bars with the warm-up, five times of it where there are as many.
    first
        Row of the panel at which the result begins.
    dividends
        To book, in dollars for a share of the panel; none by default.
    """

    strategy: Strategy
    panel: Panel
    first: int
    capital: float = 100_000.0
    costs: Costs = field(default_factory=Costs)
    dividends: Actions | None = None

    def result(
        self, *, strategy: Strategy | None = None, costs: Costs | None = None, warm_up: int | None = None
    ) -> BacktestResult:
        """Run it, with something else where given; `warm_up` is how many rows before `first` are read."""
        begin = 0 if warm_up is None else max(self.first - warm_up, 0)
        panel = self.panel.rows(slice(begin, None))
        return self._judged(panel, self.first - begin, strategy or self.strategy, costs or self.costs)

    def late(self) -> BacktestResult:
        """Run it with every decision carried out one bar later than it could be."""
        weights = np.where(decided(self.strategy, self.panel), target_weights(self.strategy, self.panel), np.nan)[:-1]
        delayed = np.vstack([np.full((1, weights.shape[1]), np.nan), weights])
        kept = slice(self.first, None)
        return follow(
            self.panel.rows(kept),
            delayed[kept],
            capital=self.capital,
            costs=self.costs,
            sizing=self.strategy.sizing,
            standing=True,
            actions=self.dividends,
        )

    def without(self, symbol: str) -> BacktestResult:
        """Run it as if a symbol did not exist."""
        return self._judged(self.panel.without([symbol]), self.first, self.strategy, self.costs)

    def _judged(self, panel: Panel, first: int, strategy: Strategy, costs: Costs) -> BacktestResult:
        start = session_dates(panel.timestamps[first : first + 1])[0].item()
        return run(strategy, panel, capital=self.capital, costs=costs, start=start, actions=self.dividends)


def gain(result: BacktestResult) -> float:
    """Return the total return as a fraction; 0 for a curve too short to have one."""
    return result.metrics.total_return or 0.0


def profitable(base: BacktestResult) -> Check:
    """Say whether there is anything to believe in."""
    found = gain(base)
    verdict: Verdict = "pass" if found > 0 else "fail"
    return Check("profit", verdict, found, f"{found:+.1%} over {base.metrics.sessions} sessions.")


def trades(base: BacktestResult) -> Check:
    """Count round trips: of a few, chance alone makes any figure."""
    count = len(base.trades)
    verdict = graded(-count, warn=1 - ENOUGH_TRADES, fail=1 - FEWEST_TRADES)
    told = "enough to judge by" if verdict == "pass" else f"fewer than {ENOUGH_TRADES}: any figure may be chance"
    return Check("number of trades", verdict, count, f"{count} closed trades, {told}.")


def warm_up(trial: Trial) -> Check:
    """Compare the final equity after one, two and five times the declared warm-up."""
    name, needed = "warm-up", trial.strategy.warm_up
    lengths = [needed * times for times in WARM_UPS if needed * times <= trial.first]
    if len(lengths) < 2:  # noqa: PLR2004 - nothing to compare
        sentence = f"Only {trial.first} bars stand before the first decision, twice the warm-up is {2 * needed}."
        return Check(name, "warn", None, sentence)
    ends = [float(trial.result(warm_up=length).equity.iloc[-1]) for length in lengths]
    apart = (max(ends) - min(ends)) / trial.capital
    verdict = graded(apart, warn=DIFFERENT, fail=FAR_OFF)
    told = " and ".join(map(str, lengths))
    return Check(name, verdict, apart, f"Final equity differs by {apart:.2%} of capital between {told} bars before.")


def costs(trial: Trial, base: BacktestResult) -> Check:
    """Pay 10 basis points more on every fill, and twice the costs assumed."""
    paid = trial.costs
    dearer = paid.model_copy(
        update={
            "commission_bps": 2 * paid.commission_bps,
            "commission_per_share": 2 * paid.commission_per_share,
            "slippage_bps": 2 * paid.slippage_bps + EXTRA_BPS,
        }
    )
    what = f"at twice the costs and {EXTRA_BPS:g} basis points more a fill"
    return _compared("costs", base, trial.result(costs=dearer), what)


def delay(trial: Trial, base: BacktestResult) -> Check:
    """Fill every order one bar later."""
    return _compared("one bar late", base, trial.late(), "when every order fills one bar later")


def leave_one_out(trial: Trial, base: BacktestResult) -> Check:
    """Take each of the symbols away that earned most, one at a time."""
    name = "one symbol"
    held = base.trades.groupby("symbol")["pnl"].sum().sort_values(ascending=False)
    earners = [str(symbol) for symbol in held.index[:MOST_LEFT_OUT]]
    if len(trial.panel.symbols) < 2 or not earners:  # noqa: PLR2004 - without it nothing is left
        return Check(name, "warn", None, "One symbol is all there is: the result is its history.")
    found: list[tuple[BacktestResult, str]] = []
    for symbol in earners:
        try:
            found.append((trial.without(symbol), symbol))
        except TradingError:  # too few symbols are left to decide anything
            continue
    if not found:
        return Check(name, "warn", None, "Without any one of its symbols the strategy decides nothing.")
    worst, symbol = min(found, key=lambda pair: gain(pair[0]))
    return _compared(name, base, worst, f"without {symbol}")


def neighbourhood(trial: Trial, base: BacktestResult) -> tuple[Check, list[BacktestResult]]:
    """Nudge every number of the rule by a tenth and a fifth; return the check, and the neighbours' results."""
    name = "neighbouring parameters"
    found = [trial.result(strategy=strategy) for strategy in neighbours(trial.strategy)]
    if not found:
        return Check(name, "warn", None, "The rule has no number to change."), []
    median = sorted(found, key=gain)[(len(found) - 1) // 2]
    return _compared(name, base, median, f"for the median of {len(found)} neighbours"), found


def neighbours(strategy: Strategy) -> Iterator[Strategy]:
    """Yield the strategy with each number of its rule nudged, those that the rule allows."""
    for name, value in numbers_of(strategy):
        seen = {value}
        for nudge in NUDGES:
            changed = round(value * nudge) if isinstance(value, int) else value * nudge
            if changed in seen:
                changed += 1 if nudge > 1 else -1
            if isinstance(value, int) and changed in seen:
                continue
            seen.add(changed)
            try:
                yield with_parameters(strategy, {name: changed})
            except TradingError:  # out of the rule's bounds
                continue


def _compared(name: str, base: BacktestResult, other: BacktestResult, what: str) -> Check:
    """Judge by the share of the profit that is gone."""
    before, after = gain(base), gain(other)
    if before <= 0:
        return Check(name, "warn", after, f"{after:+.1%} {what}; there was no profit to lose.")
    lost = (before - after) / before
    return Check(name, graded(lost, warn=HALF, fail=ALL), after, f"{after:+.1%} instead of {before:+.1%} {what}.")
