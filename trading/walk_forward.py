"""Walk-forward: the parameters that were best on what was past, applied to what came after, as one account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from trading.backtest import follow
from trading.calendar import session_dates
from trading.errors import InvalidValueError
from trading.strategies import decided, target_weights
from trading.sweep import with_parameters

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from trading.adjustment import Actions
    from trading.backtest import BacktestResult
    from trading.bars import Panel
    from trading.costs import Costs
    from trading.strategies import Strategy


@dataclass(frozen=True, slots=True)
class Step:
    """One fold: what was chosen on its train part.

    Attributes
    ----------
    start, train_end, end
        Sessions: the train part is `start` .. `train_end`, the test part what follows, up to `end`.
    parameters
        Those with the highest Sharpe ratio on the train part; None where none had one: nothing is held.
    sharpe
        That ratio, annualised.
    """

    start: date
    train_end: date
    end: date
    parameters: Mapping[str, Any] | None
    sharpe: float | None


def steps(tries: Iterable[tuple[tuple[date, date, date], Mapping[str, Any], float | None]]) -> list[Step]:
    """Return what each fold chooses, oldest first.

    Parameters
    ----------
    tries
        ((start, train_end, end), parameters, Sharpe ratio on the train part) of every try; of equal ones the first
        is chosen.
    """
    best: dict[tuple[date, date, date], Step] = {}
    for span, parameters, sharpe in tries:
        there = best.setdefault(span, Step(*span, None, None))
        if sharpe is not None and (there.sharpe is None or sharpe > there.sharpe):
            best[span] = Step(*span, parameters, sharpe)
    return sorted(best.values(), key=lambda step: step.train_end)


def require_rule_parameters(strategy: Strategy, names: Iterable[str]) -> None:
    """Refuse parameters of the sizing: the account that goes on from fold to fold has one.

    Raises
    ------
    InvalidValueError
        For the first of them.
    """
    for name in names:
        if name.removeprefix("sizing.") in type(strategy.sizing).model_fields and not _of_rule(strategy, name):
            raise InvalidValueError("a parameter of a walk-forward", name, "one of the rule; the sizing stays as it is")


def _of_rule(strategy: Strategy, name: str) -> bool:
    return name in type(strategy.rule).model_fields


def stitched(
    strategy: Strategy,
    panel: Panel,
    chosen: Sequence[Step],
    *,
    capital: float = 100_000.0,
    costs: Costs | None = None,
    actions: Actions | None = None,
) -> BacktestResult:
    """Run the test parts one after another as one account that decides by each fold's choice in its turn.

    A change of parameters is traded, and paid for, as any other change of mind. The decision of a session is filled
    in the next, so the first session of a fold still holds what the fold before decided.

    Parameters
    ----------
    panel
        Bars of the strategy's universe with the warm-up of every choice.
    chosen
        Folds whose test parts follow one another, oldest first.
    actions
        Dividends to book, as `trading.backtest.run`.

    Raises
    ------
    DataError
        There are no bars.
    """
    days = session_dates(panel.timestamps)
    first, last = (np.datetime64(day, "D") for day in (chosen[0].train_end, chosen[-1].end))
    kept = int(np.searchsorted(days, last, side="right"))
    panel, days = panel.rows(slice(0, kept)), days[:kept]
    weights = np.full(panel.close.shape, np.nan)
    made: dict[str, np.typing.NDArray[np.float64]] = {}
    for step in chosen:
        rows = (days > np.datetime64(step.train_end, "D")) & (days <= np.datetime64(step.end, "D"))
        if step.parameters is None:
            weights[rows] = 0.0
            continue
        tried = with_parameters(strategy, step.parameters)
        if tried.version not in made:
            made[tried.version] = np.where(decided(tried, panel), target_weights(tried, panel), np.nan)
        weights[rows] = made[tried.version][rows]
    return follow(
        panel,
        weights,
        capital=capital,
        costs=costs or strategy.costs,
        sizing=strategy.sizing,
        standing=True,
        actions=actions,
        first=int(np.searchsorted(days, first, side="right")),
    )
