"""Backtests of stored strategies over stored bars."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np
from prefect import task

from db.repositories import assets, results, strategies
from tasks.analytics.tearsheet import backtest_page
from tasks.panels import load_sessions
from tasks.policies import REPEATABLE
from tasks.resources import broker, database, flow_run_id
from trading.backtest import run
from trading.calendar import FIRST_DAY, session_before, sessions
from trading.config import settings
from trading.errors import DataError
from trading.report import Report

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path

    from sqlalchemy import Connection

    from trading.backtest import BacktestResult
    from trading.bars import Panel
    from trading.costs import Costs
    from trading.strategies import Strategy

YEARS = 5
"""How far back a backtest without a start goes."""


@task(**REPEATABLE)
def backtest(
    name: str,
    *,
    start: date | None,
    end: date | None,
    capital: float,
    costs: Costs | None,
    symbols: Sequence[str] | None = None,
) -> tuple[Report, BacktestResult]:
    """Backtest a strategy's current version over its universe, or `symbols`, and store the result.

    Once per question and data; the report names an HTML page with the curve, which is written anew each time.

    Raises
    ------
    UnknownNameError
        There is no strategy of that name.
    DataError
        There are no bars, or too few, in the range.
    """
    last = end or broker().clock().last_completed
    first = start or last.replace(year=last.year - YEARS, day=min(last.day, 28))
    with database().connect() as connection:
        stored = strategies.named(connection, name)
        strategy = of_universe(stored, symbols)
        panel = load_warmed_up(connection, strategy, first, last)
    costs = costs or strategy.costs
    require_bars(panel, symbols or (), first, last)
    result = run(strategy, panel, capital=capital, costs=costs, start=first)
    path = _write_page(strategy, result)
    question = [strategy.version, str(first), str(last), capital, costs.model_dump(), panel.fingerprint()]
    row = {
        "key": hashlib.sha256(json.dumps(question).encode()).hexdigest(),
        "strategy": name,
        "strategy_version": stored.version,
        "range_start": first,
        "range_end": last,
        "capital": capital,
        "costs": costs.model_dump(),
        "bars_sha256": panel.fingerprint(),
        "metrics": result.metrics.as_dict(),
        "assumptions": {"assumptions": list(result.assumptions)},
        "flow_run_id": flow_run_id(),
    }
    with database().begin() as connection:
        identity = results.record_backtest(connection, row, trades=_trades(result), equity=_equity(result))
    figures = {
        "backtest": identity,
        "strategy": f"{name} {stored.version}",
        "sessions": f"{first} to {last}",
        "trades": len(result.trades),
        "final equity": float(result.equity.iloc[-1]),
        "refused orders": len(result.refused),
        "commission and slippage": result.costs_paid["commission"] + result.costs_paid["slippage"],
    } | result.metrics.as_dict()
    figures["page"] = str(path)
    return Report(f"Backtest of {name}", figures, notes=result.assumptions), result


def of_universe(strategy: Strategy, symbols: Sequence[str] | None) -> Strategy:
    """Return a strategy that looks at `symbols`, or at its own where none are named."""
    return strategy.model_copy(update={"universe": tuple(symbols)}) if symbols else strategy


def require_bars(panel: Panel, symbols: Sequence[str], start: date, end: date) -> None:
    """Refuse symbols that have no bar.

    Raises
    ------
    DataError
        Names them.
    """
    there = np.any(panel.close > 0, axis=0)
    missing = [symbol for symbol in symbols if not there[panel.symbols.index(symbol)]]
    if missing:
        raise DataError(f"no bars of {', '.join(missing)} from {start} to {end}; fetch or import them first")


def _write_page(strategy: Strategy, result: BacktestResult) -> Path:
    first, last = result.equity.index[0], result.equity.index[-1]
    symbols = "-".join(result.panel.symbols[:5])
    folder = settings().home / "reports" / "backtests"
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{strategy.name}_{strategy.version}_{first}_{last}_{result.fingerprint()[:8]}.html"
    content = backtest_page(f"Backtest of {strategy.name}", f"{symbols}, sessions {first} to {last}", result)
    partial = folder / f"{name}.partial"
    partial.write_bytes(content)
    return partial.replace(folder / name)


def load_warmed_up(
    connection: Connection, strategy: Strategy, start: date, end: date, *, warm_up: int | None = None
) -> Panel:
    """Return a strategy's daily bars of `start` .. `end` with the warm-up (by default its own) before them."""
    universe = list(strategy.universe) or assets.tracked(connection)
    needed = strategy.warm_up if warm_up is None else warm_up
    earlier = sessions(max(start.replace(year=start.year - 1 - needed // 250, day=1), FIRST_DAY), session_before(start))
    first = earlier[-min(len(earlier), needed + 25)]
    return load_sessions(connection, universe, start=first, end=end)


def _trades(result: BacktestResult) -> list[dict[str, Any]]:
    return [
        {
            "ordinal": ordinal,
            "symbol": trade["symbol"],
            "quantity": trade["quantity"],
            "entry_at": trade["entry_ts"],
            "entry_price": trade["entry_price"],
            "exit_at": trade["exit_ts"],
            "exit_price": trade["exit_price"],
            "pnl": trade["pnl"],
            "rate_of_return": trade["return"],
        }
        for ordinal, trade in enumerate(result.trades.to_dict("records"))
    ]


def _equity(result: BacktestResult) -> list[dict[str, Any]]:
    return [{"session": session, "equity": float(equity)} for session, equity in result.equity.items()]
