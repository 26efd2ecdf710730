"""What a research run found: tries in order, a heat map, what each fold chose, and how far it is luck."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
from prefect import task

from db.repositories import results
from tasks.analytics import research_pages
from tasks.analytics.research_bars import material
from tasks.policies import REPEATABLE
from tasks.resources import database
from trading.calendar import SESSIONS_PER_YEAR
from trading.performance import probabilistic_sharpe
from trading.report import Report
from trading.robustness.luck import deflated_best
from trading.walk_forward import Step, steps, stitched

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Row

    from trading.backtest import BacktestResult
    from trading.performance import Metrics

SHADES = " ░▒▓█"
SHOWN = ("trades", "total_return", "sharpe", "max_drawdown")
SHOWN_APART = ("trades", "symbols", "symbols_with_gain", "median_return", "median_sharpe", "median_drawdown")


@task(**REPEATABLE)
def rank_tries(run: int, name: str) -> list[Report]:
    """Close a research run and return its reports: the tries in order, and what a walk-forward or folds show.

    Tries are ranked by their Sharpe ratio, of folds by the mean of the held-out ones, of symbols by the median. The
    best one is deflated for every try that was ever recorded for the strategy. A page with a chart is written anew
    each time.
    """
    with database().begin() as connection:
        results.finish_research(connection, run)
        specification = results.specification(connection, run)
        tries = results.tries(connection, run)
        recorded = results.sharpes_tried(connection, name)
    measure = _measure(specification)
    valid = [row for row in tries if row.metrics.get(measure) is not None]
    ranked = sorted(valid, key=lambda row: -row.metrics[measure])
    figures = {
        "research run": run,
        "sessions": f"{specification['start']} to {specification['end']}",
        "tries": len(tries),
        "refused": len(tries) - len(valid),
        "tries recorded for the strategy": len(recorded),
    }
    deflated = deflated_best((row.metrics for row in ranked), recorded)
    if deflated is not None:
        figures["probability that the best is more than luck (deflated Sharpe)"] = deflated
    table = [_line(row) for row in ranked]
    ranking = Report(f"Research on {name}", figures, table, notes=[heat_map(ranked, measure)])
    if specification["walk_forward"]:
        return [ranking, _walked(run, specification, tries, recorded)]
    figures["page"] = str(research_pages.sweep_page(run, name, ranked, table, measure))
    return [ranking, _held_out(specification, ranked)] if specification["folds"] else [ranking]


def _measure(specification: Mapping[str, Any]) -> str:
    """Return the metric that tries are ranked by."""
    if specification["each_symbol"]:
        return "median_sharpe"
    return "held_out_sharpe" if specification["folds"] else "sharpe"


def _line(row: Row[Any]) -> dict[str, Any]:
    found = {**row.parameters}
    if row.window["train_end"]:
        found |= {"from": row.window["start"], "to": row.window["train_end"], "judged to": row.window["end"]}
    shown = SHOWN_APART if "median_sharpe" in row.metrics else SHOWN
    found |= {measure: row.metrics.get(measure) for measure in shown}
    if row.window["train_end"]:
        found["test sharpe"] = row.metrics.get("test_sharpe")
    if "folds" in row.metrics:
        held_out = [fold["test"] for fold in row.metrics["folds"]]
        known = [value for value in held_out if value is not None]
        found |= {"held-out sharpe": row.metrics["held_out_sharpe"], "worst fold": min(known, default=None)}
    return found


def _walked(run: int, specification: Mapping[str, Any], tries: Sequence[Row[Any]], recorded: Sequence[float]) -> Report:
    """Return what a walk-forward's choices made out of sample, as one account."""
    chosen = steps(
        (
            (_day(row, "start"), _day(row, "train_end"), _day(row, "end")),
            row.parameters,
            row.metrics.get("sharpe"),
        )
        for row in tries
    )
    name = specification["strategy"]
    history = material(specification)
    result = stitched(history.strategy, history.panel, chosen, actions=history.dividends)
    table = [_fold(step, result) for step in chosen]
    metrics = result.metrics
    figures = {
        "out of sample": f"{result.equity.index[0]} to {result.equity.index[-1]}",
        "folds": f"{len(chosen)}, {'anchored' if specification['anchored'] else 'rolling'}",
        "chosen by": "the highest Sharpe ratio on the train part",
        "final equity": float(result.equity.iloc[-1]),
        "trades": len(result.trades),
        "probability that the true Sharpe ratio is above zero": _probable(metrics),
        "tries recorded for the strategy": len(recorded),
        **metrics.as_dict(),
    }
    figures["page"] = str(research_pages.walk_forward_page(run, name, result, table))
    return Report(f"Walk-forward of {name}, out of sample", figures, table, notes=result.assumptions)


def _day(row: Row[Any], name: str) -> date:
    return date.fromisoformat(row.window[name])


def _fold(step: Step, result: BacktestResult) -> dict[str, Any]:
    part = result.equity[(result.equity.index > step.train_end) & (result.equity.index <= step.end)]
    return {
        "chosen on": f"{step.start} to {step.train_end}",
        "judged to": step.end,
        "parameters": _told(step.parameters),
        "train sharpe": step.sharpe,
        "test return": float(part.iloc[-1] / _before(result, part.index[0]) - 1),
    }


def _before(result: BacktestResult, session: date) -> float:
    """Return the equity at the close before a session; the opening cash before the first."""
    earlier = result.equity[result.equity.index < session]
    return float(earlier.iloc[-1]) if len(earlier) else result.capital


def _told(parameters: Mapping[str, Any] | None) -> str:
    if parameters is None:
        return "none: nothing held"
    return ", ".join(f"{name} {value}" for name, value in parameters.items())


def _probable(metrics: Metrics) -> float | None:
    if metrics.sharpe is None or metrics.skew is None or metrics.kurtosis is None:
        return None
    daily = metrics.sharpe / SESSIONS_PER_YEAR**0.5
    return probabilistic_sharpe(daily, n_obs=metrics.sessions - 1, skew=metrics.skew, kurt=metrics.kurtosis)


def _held_out(specification: Mapping[str, Any], ranked: Sequence[Row[Any]]) -> Report:
    """Return what each fold would have chosen without its held-out part, and what that made on it."""
    rows: list[dict[str, Any]] = []
    for fold in range(specification["folds"]):
        known = [row for row in ranked if row.metrics["folds"][fold]["train"] is not None]
        best = max(known, key=lambda row: row.metrics["folds"][fold]["train"], default=None)
        found = best.metrics["folds"][fold] if best else {"train": None, "test": None}
        rows.append(
            {
                "fold": fold + 1,
                "parameters": _told(best.parameters if best else None),
                "train sharpe": found["train"],
                "held-out sharpe": found["test"],
            }
        )
    made = [row["held-out sharpe"] for row in rows if row["held-out sharpe"] is not None]
    figures = {
        "folds": specification["folds"],
        "embargo": specification["embargo"],
        "chosen by": "the highest Sharpe ratio outside of the held-out part",
        "mean held-out Sharpe of what was chosen": float(np.mean(made)) if made else None,
    }
    return Report(f"Purged folds of {specification['strategy']}", figures, rows)


def heat_map(rows: Sequence[Any], measure: str = "sharpe") -> str:
    """Return the mean Sharpe ratio over the first two parameters as a Markdown table, darker is better."""
    names = list(rows[0].parameters) if rows else []
    if len(names) < 2:  # noqa: PLR2004 - a map has two axes
        return ""
    down, across = names[:2]
    means = research_pages.means_of(rows, down, across, measure)
    low, high = min(means.values()), max(means.values())
    columns = sorted({place[1] for place in means})
    lines = [f"| {down} \\ {across} | {' | '.join(map(str, columns))} |", "| --- " * (len(columns) + 1) + "|"]
    for value in sorted({place[0] for place in means}):
        shown = [_cell(means.get((value, column)), low, high) for column in columns]
        lines.append(f"| **{value}** | {' | '.join(shown)} |")
    return f"### {measure.replace('_', ' ').capitalize()} ratio\n\n" + "\n".join(lines)


def _cell(value: float | None, low: float, high: float) -> str:
    if value is None:
        return ""
    share = (value - low) / (high - low) if high > low else 1.0
    return f"{SHADES[round(share * (len(SHADES) - 1))]} {value:.2f}"
