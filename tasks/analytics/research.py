"""Research runs: sweeps and walk-forward, every try kept, killed and rerun they continue."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np
from prefect import task

from db.json import plain
from db.repositories import results, strategies
from tasks.policies import REPEATABLE
from tasks.resources import database, flow_run_id
from tasks.strategy_engine.history import history_of, load_warmed_up, looking_at
from trading.calendar import SESSIONS_PER_YEAR, sessions
from trading.errors import TradingError
from trading.performance import deflated_sharpe
from trading.report import Report
from trading.robustness.folds import walk_forward_folds
from trading.sweep import check_names, evaluate, grid, with_parameters

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from sqlalchemy import Row

    from trading.strategies import Strategy

FEWEST_TRIES = 2
SHADES = " ░▒▓█"


@task(**REPEATABLE)
def plan_research(
    name: str,
    *,
    parameters: Mapping[str, Sequence[Any]],
    symbols: Sequence[str] | None,
    start: date | None,
    end: date | None,
    windows: tuple[int, int] | None,
) -> tuple[int, list[dict[str, Any]]]:
    """Open a research run, or find the one that asked the same; return its id and the tries that are left.

    A try is {ordinal, parameters, start, end, train_end}; `windows` is (train, test) sessions of a
    walk-forward, without it every combination runs once over `start` .. `end`, by default the last five years.
    """
    with database().connect() as connection:
        stored = strategies.named(connection, name)
    check_names(stored, parameters)
    asked = history_of(stored, symbols=symbols, start=start, end=end)
    specification = {
        "version": asked.strategy.version,
        "parameters": plain(parameters),
        "symbols": plain(asked.panel.symbols),
        "start": str(asked.first),
        "end": str(asked.last),
        "windows": list(windows) if windows else None,
        "bars": asked.panel.fingerprint(),
    }
    row = {
        "key": hashlib.sha256(json.dumps(specification, sort_keys=True).encode()).hexdigest(),
        "kind": "walk_forward" if windows else "sweep",
        "strategy": name,
        "specification": specification,
        "status": "running",
        "flow_run_id": flow_run_id(),
    }
    with database().begin() as connection:
        identity, done = results.begin_research(connection, row)
    planned = _tries(parameters, asked.first, asked.last, windows)
    return identity, [entry for entry in planned if entry["ordinal"] not in done]


def _tries(
    parameters: Mapping[str, Sequence[Any]], start: date, end: date, windows: tuple[int, int] | None
) -> list[dict[str, Any]]:
    spans = [(start, None, end)]
    if windows:
        days = sessions(start, end)
        folds = walk_forward_folds(len(days), train=windows[0], test=windows[1])
        spans = [(days[fold.train[0]], days[fold.train[-1]], days[fold.test[-1]]) for fold in folds]
    cells = [(span, combination) for span in spans for combination in grid(parameters)]
    return [
        {"ordinal": ordinal, "parameters": combination, "start": first, "train_end": train_end, "end": last}
        for ordinal, ((first, train_end, last), combination) in enumerate(cells)
    ]


@task(**REPEATABLE)
def run_tries(run: int, name: str, *, symbols: Sequence[str] | None, tries: Sequence[Mapping[str, Any]]) -> int:
    """Evaluate one chunk of tries and store them; return how many were new."""
    with database().connect() as connection:
        strategy = looking_at(strategies.named(connection, name), symbols)
        first, last = min(entry["start"] for entry in tries), max(entry["end"] for entry in tries)
        warm_up = max(_tried(strategy, entry).warm_up for entry in tries)
        panel = load_warmed_up(connection, strategy, first, last, warm_up=warm_up)
    rows = [_evaluated(strategy, panel, entry) for entry in tries]
    with database().begin() as connection:
        return results.record_tries(connection, run, rows)


def _tried(strategy: Strategy, entry: Mapping[str, Any]) -> Strategy:
    try:
        return with_parameters(strategy, entry["parameters"])
    except TradingError:
        return strategy


def _evaluated(strategy: Strategy, panel: Any, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row of one try; a combination that makes no sense is kept with its reason."""
    from trading.calendar import bar_timestamp, session_after

    window = {"start": entry["start"], "train_end": entry["train_end"], "end": entry["end"]}
    shared = {"ordinal": entry["ordinal"], "parameters": entry["parameters"], "window": window}
    until = panel.up_to(bar_timestamp(entry["train_end"] or entry["end"]))
    try:
        figures = evaluate(strategy, until, params=entry["parameters"], start=entry["start"])
        if entry["train_end"]:
            after = session_after(entry["train_end"])
            tested = panel.up_to(bar_timestamp(entry["end"]))
            out = evaluate(strategy, tested, params=entry["parameters"], start=after)
            figures |= {f"test_{measure}": out[measure] for measure in ("sharpe", "total_return", "max_drawdown")}
    except TradingError as error:
        figures = {"refused": str(error)}
    return {**shared, "metrics": figures}


@task(**REPEATABLE)
def rank_tries(run: int, name: str) -> Report:
    """Close a research run: the tries ranked by Sharpe, the best one deflated for the number of tries."""
    with database().begin() as connection:
        results.finish_research(connection, run)
        tries = results.tries(connection, run)
    valid = [row for row in tries if row.metrics.get("sharpe") is not None]
    ranked = sorted(valid, key=lambda row: -row.metrics["sharpe"])
    deflated = _deflated(ranked)
    table = [
        {
            **row.parameters,
            **({"from": row.window["start"], "to": row.window["end"]} if row.window["train_end"] else {}),
            **{measure: row.metrics.get(measure) for measure in ("trades", "total_return", "sharpe", "max_drawdown")},
            **({"test sharpe": row.metrics.get("test_sharpe")} if row.window["train_end"] else {}),
        }
        for row in ranked
    ]
    figures = {
        "research run": run,
        "tries": len(tries),
        "refused": len(tries) - len(valid),
        "probability that the best is more than luck (deflated Sharpe)": deflated,
    }
    return Report(f"Research on {name}", figures, table, notes=[heat_map(ranked)])


def _deflated(ranked: Sequence[Row[Any]]) -> float | None:
    """Return the deflated Sharpe ratio of the best try, per-session figures; None with fewer than two tries."""
    if len(ranked) < FEWEST_TRIES:
        return None
    best = ranked[0].metrics
    daily = [row.metrics["sharpe"] / SESSIONS_PER_YEAR**0.5 for row in ranked]
    if best.get("skew") is None or best.get("kurtosis") is None:
        return None
    return deflated_sharpe(
        daily[0],
        n_trials=len(ranked),
        n_obs=best["sessions"] - 1,
        skew=best["skew"],
        kurt=best["kurtosis"],
        variance_of_trials=float(np.var(daily, ddof=1)),
    )


def heat_map(rows: Sequence[Any]) -> str:
    """Return the Sharpe ratio over the first two parameters as a Markdown table, darker is better."""
    names = list(rows[0].parameters) if rows else []
    if len(names) < 2:  # noqa: PLR2004 - a map has two axes
        return ""
    down, across = names[:2]
    cells: dict[tuple[Any, Any], list[float]] = {}
    for row in rows:
        cells.setdefault((row.parameters[down], row.parameters[across]), []).append(row.metrics["sharpe"])
    means = {place: float(np.mean(values)) for place, values in cells.items()}
    low, high = min(means.values()), max(means.values())
    columns = sorted({place[1] for place in means})
    lines = [f"| {down} \\ {across} | {' | '.join(map(str, columns))} |", "| --- " * (len(columns) + 1) + "|"]
    for value in sorted({place[0] for place in means}):
        shown = [_cell(means.get((value, column)), low, high) for column in columns]
        lines.append(f"| **{value}** | {' | '.join(shown)} |")
    return "### Sharpe ratio\n\n" + "\n".join(lines)


def _cell(value: float | None, low: float, high: float) -> str:
    if value is None:
        return ""
    share = (value - low) / (high - low) if high > low else 1.0
    return f"{SHADES[round(share * (len(SHADES) - 1))]} {value:.2f}"
