"""Strategies beside each other on equal terms: the same sessions, capital and costs, and symbols where named."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from prefect import task

from tasks.analytics.research_pages import comparison_page
from tasks.policies import REPEATABLE
from tasks.strategy_engine.backtests import backtest
from tasks.strategy_engine.history import span
from trading.costs import Costs
from trading.errors import InvalidValueError
from trading.performance import metrics
from trading.report import Report

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

SHOWN = ("total_return", "cagr", "volatility", "sharpe", "sortino", "max_drawdown")
HELD = "bought and held"
"""The benchmark's name: the symbols of the first strategy, in equal parts."""


@task(**REPEATABLE)
def compare_strategies(
    names: Sequence[str],
    *,
    start: date | None,
    end: date | None,
    capital: float,
    costs: Costs | None,
    symbols: Sequence[str] | None,
) -> Report:
    """Backtest strategies over the same sessions and rank them by Sharpe ratio; each result is stored.

    Costs are the same for all: those given, or none.

    Raises
    ------
    InvalidValueError
        Fewer than two strategies, or one of them twice.
    UnknownNameError
        There is no strategy of a name.
    DataError
        There are no bars, or too few for one of them.
    """
    if len(set(names)) < max(len(names), 2):
        raise InvalidValueError("strategies", ", ".join(names), "two or more, each once")
    first, last = span(start, end)
    terms = costs or Costs()
    done = {
        name: backtest.fn(name, start=first, end=last, capital=capital, costs=terms, symbols=symbols) for name in names
    }
    found = {name: result for name, (_, result) in done.items()}
    measured = {name: result.metrics for name, result in found.items()}
    trades: dict[str, int | None] = {name: len(result.trades) for name, result in found.items()}
    curves = {name: result.equity for name, result in found.items()}
    benchmark = found[names[0]].benchmark
    if benchmark is not None:
        measured[HELD], trades[HELD], curves[HELD] = metrics(benchmark), None, benchmark * capital / benchmark.iloc[0]
    ranked = sorted(measured, key=lambda name: -(measured[name].sharpe or 0.0))
    rows = [
        {"strategy": name, "trades": trades[name], **{each: getattr(measured[name], each) for each in SHOWN}}
        for name in ranked
    ]
    question = hashlib.sha256("".join(result.fingerprint() for result in found.values()).encode()).hexdigest()[:12]
    page = comparison_page(f"{first}_{last}_{question}", f"Sessions {first} to {last}", curves, rows)
    figures = {
        "sessions": f"{first} to {last}",
        "capital": capital,
        "symbols": ", ".join(symbols) if symbols else "each strategy's own",
        "commission": f"{terms.commission_bps:g} bps",
        "slippage": f"{terms.slippage_bps:g} bps",
        "page": str(page),
    }
    return Report("Strategies on equal terms", figures, rows)
