"""Lengths of a crossover tried on each symbol by itself: what holds for most symbols, not what one portfolio made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trading.calendar import session_dates
from trading.crossover_sweep import CrossoverSweep, sweep_crossovers
from trading.errors import InvalidValueError, TradingError
from trading.rules.sma_crossover import SmaCrossover
from trading.sweep import with_parameters

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from trading.bars import Floats, Panel
    from trading.strategies import Strategy


def require_crossover(strategy: Strategy, parameters: Mapping[str, Sequence[Any]]) -> None:
    """Refuse a strategy that cannot be swept symbol by symbol.

    Raises
    ------
    InvalidValueError
        Its rule is another, something other than `fast` and `slow` is tried, or it assumes costs other than a
        commission by notional.
    """
    _lengths(strategy)
    if others := sorted(set(parameters) - {"fast", "slow", "rule.fast", "rule.slow"}):
        raise InvalidValueError("parameters of a sweep by symbol", others, "fast and slow")
    assumed = strategy.costs.model_dump()
    if others := sorted(name for name, value in assumed.items() if value and name != "commission_bps"):
        raise InvalidValueError("costs of a sweep by symbol", others, "commission_bps alone")


def evaluate_apart(
    strategy: Strategy, panel: Panel, combinations: Sequence[Mapping[str, Any]], *, start: date
) -> list[dict[str, Any]]:
    """Return what each combination made of the symbols of a panel, each an account of its own.

    Parameters
    ----------
    strategy
        One that `require_crossover` lets pass.
    panel
        Bars adjusted for splits, with the longest average's length of bars before `start`. Dividends are not booked.
    combinations
        Values of `fast` and `slow`.
    start
        Session at whose close the first decision is.

    Returns
    -------
    list
        By combination: the medians over the symbols of Sharpe ratio, total return and drawdown, the share of symbols
        with a gain, the symbols and the trades; or `refused` with the reason.
    """
    tried: list[dict[str, Any]] = [{} for _ in combinations]
    pairs: dict[int, tuple[int, int]] = {}
    for at, combination in enumerate(combinations):
        try:
            pairs[at] = _lengths(with_parameters(strategy, combination))
        except TradingError as error:
            tried[at] = {"refused": str(error)}
    if not pairs:
        return tried
    first = int(np.searchsorted(session_dates(panel.timestamps), np.datetime64(start, "D")))
    found = sweep_crossovers(panel, list(pairs.values()), commission_bps=strategy.costs.commission_bps, first=first)
    for row, at in enumerate(pairs):
        tried[at] = _medians(found, row)
    return tried


def _lengths(strategy: Strategy) -> tuple[int, int]:
    if not isinstance(strategy.rule, SmaCrossover):
        raise InvalidValueError("each_symbol", strategy.rule.kind, "a strategy whose rule is sma_crossover")
    return strategy.rule.fast, strategy.rule.slow


def _medians(found: CrossoverSweep, row: int) -> dict[str, Any]:
    gains = _known(found.total_return[row])
    return {
        "median_sharpe": _median(found.sharpe[row]),
        "median_return": _median(found.total_return[row]),
        "median_drawdown": _median(found.max_drawdown[row]),
        "symbols_with_gain": float((gains > 0).mean()) if len(gains) else None,
        "symbols": len(gains),
        "trades": int(np.nansum(found.trades[row])),
    }


def _median(values: Floats) -> float | None:
    there = _known(values)
    return float(np.median(there)) if len(there) else None


def _known(values: Floats) -> Floats:
    there: Floats = values[~np.isnan(values)]
    return there
