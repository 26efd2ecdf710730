"""Research runs: sweeps, walk-forwards and folds, every try kept, killed and rerun they continue."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
from prefect import task

from db.json import plain
from db.repositories import results, strategies
from tasks.analytics.research_bars import material, remember
from tasks.policies import REPEATABLE
from tasks.resources import database, flow_run_id
from tasks.strategy_engine.history import history_of
from trading.backtest import run as backtested
from trading.calendar import bar_timestamp, session_after
from trading.errors import TradingError
from trading.held_out import mean_test, scores
from trading.sweep import around, check_names, evaluate, figures_of, with_parameters
from trading.symbol_sweep import evaluate_apart, require_crossover
from trading.walk_forward import require_rule_parameters

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tasks.strategy_engine.history import History
    from trading.bars import Floats
    from trading.research import Design
    from trading.strategies import Strategy


@task(**REPEATABLE)
def usual_grid(name: str) -> dict[str, list[Any]]:
    """Return the grid that is tried where none is given: a strategy's first two numbers, up and down."""
    with database().connect() as connection:
        return around(strategies.named(connection, name))


@task(**REPEATABLE)
def plan_research(
    name: str, design: Design, *, symbols: Sequence[str] | None, start: date | None, end: date | None
) -> tuple[int, list[dict[str, Any]]]:
    """Open a research run, or find the one that asked the same; return its id and the tries that are left.

    A try is what `Design.tries` says; without `start` the last five years.

    Raises
    ------
    UnknownNameError
        There is no such strategy, or no such parameter of it.
    InvalidValueError
        The design does not fit the strategy or the range.
    DataError
        There are no bars.
    """
    with database().connect() as connection:
        stored = strategies.named(connection, name)
    check_names(stored, design.parameters)
    if design.each_symbol:
        require_crossover(stored, design.parameters)
    if design.walk_forward:
        require_rule_parameters(stored, design.parameters)
    warm_up = longest_warm_up(stored, design.combinations())
    asked = history_of(stored, symbols=symbols, start=start, end=end, warm_up=warm_up)
    planned = design.tries(asked.first, asked.last)
    specification = {
        "strategy": name,
        "version": stored.version,
        "universe": plain(symbols),
        **plain(design.model_dump(mode="json")),
        "symbols": plain(asked.panel.symbols),
        "start": str(asked.first),
        "end": str(asked.last),
        "warm_up": warm_up,
        "bars": remember(asked),
    }
    row = {
        "key": hashlib.sha256(json.dumps(specification, sort_keys=True).encode()).hexdigest(),
        "kind": design.kind,
        "strategy": name,
        "specification": specification,
        "status": "running",
        "flow_run_id": flow_run_id(),
    }
    with database().begin() as connection:
        identity, done = results.begin_research(connection, row)
    return identity, [entry for entry in planned if entry["ordinal"] not in done]


def longest_warm_up(strategy: Strategy, combinations: Sequence[Mapping[str, Any]]) -> int:
    """Return the bars that the most demanding of the combinations needs."""
    found = [strategy.warm_up]
    for combination in combinations:
        try:
            found.append(with_parameters(strategy, combination).warm_up)
        except TradingError:  # tried all the same, and kept with its reason
            continue
    return max(found)


@task(**REPEATABLE)
def run_tries(run: int, tries: Sequence[Mapping[str, Any]]) -> int:
    """Evaluate one chunk of a research run's tries and store them; return how many were new."""
    with database().connect() as connection:
        specification = results.specification(connection, run)
    history = material(specification)
    if specification["each_symbol"]:
        start = date.fromisoformat(specification["start"])
        found = evaluate_apart(history.strategy, history.panel, [entry["parameters"] for entry in tries], start=start)
        rows = [_row(entry, figures) for entry, figures in zip(tries, found, strict=True)]
    else:
        rows = [_row(entry, _figures(history, entry, specification)) for entry in tries]
    with database().begin() as connection:
        return results.record_tries(connection, run, rows)


def _row(entry: Mapping[str, Any], figures: Mapping[str, Any]) -> dict[str, Any]:
    window = {"start": entry["start"], "train_end": entry["train_end"], "end": entry["end"]}
    return {"ordinal": entry["ordinal"], "parameters": entry["parameters"], "window": window, "metrics": figures}


def _figures(history: History, entry: Mapping[str, Any], specification: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures of one try; a combination that makes no sense is kept with its reason."""
    try:
        return _judged(history, entry, specification)
    except TradingError as error:
        return {"refused": str(error)}


def _judged(history: History, entry: Mapping[str, Any], specification: Mapping[str, Any]) -> dict[str, Any]:
    strategy, panel, dividends = history.strategy, history.panel, history.dividends
    until = panel.up_to(bar_timestamp(entry["train_end"] or entry["end"]))
    params, start = entry["parameters"], entry["start"]
    if specification["folds"]:
        result = backtested(with_parameters(strategy, params), until, start=start, actions=dividends)
        curve: Floats = np.asarray(result.equity, dtype=np.float64)
        found = scores(curve, folds=specification["folds"], embargo=specification["embargo"])
        cut = [{"train": score.train, "test": score.test} for score in found]
        return {**figures_of(result), "folds": cut, "held_out_sharpe": mean_test(found)}
    figures = evaluate(strategy, until, params=params, start=start, actions=dividends)
    if entry["train_end"]:
        tested = panel.up_to(bar_timestamp(entry["end"]))
        after = session_after(entry["train_end"])
        out = evaluate(strategy, tested, params=params, start=after, actions=dividends)
        figures |= {f"test_{measure}": out[measure] for measure in ("sharpe", "total_return", "max_drawdown")}
    return figures
