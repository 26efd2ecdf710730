"""Backtests of stored strategies over stored bars."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from prefect import task

from db.repositories import results, strategies
from tasks.analytics.tearsheet import backtest_page, keep
from tasks.policies import REPEATABLE
from tasks.resources import database, flow_run_id
from tasks.strategy_engine.history import history_of
from trading.backtest import run
from trading.report import Report

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path

    from trading.backtest import BacktestResult
    from trading.costs import Costs
    from trading.strategies import Strategy


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
    with database().connect() as connection:
        stored = strategies.named(connection, name)
    asked = history_of(stored, symbols=symbols, start=start, end=end)
    strategy, panel = asked.strategy, asked.panel
    costs = costs or strategy.costs
    result = run(strategy, panel, capital=capital, costs=costs, start=asked.first, actions=asked.dividends)
    path = _write_page(strategy, result)
    paid = asked.dividends
    dividends = list(zip(paid.symbols, paid.ex_dates.astype(str).tolist(), paid.values.tolist(), strict=True))
    data = [panel.fingerprint(), dividends]
    question = [strategy.version, str(asked.first), str(asked.last), capital, costs.model_dump(), *data]
    row = {
        "key": hashlib.sha256(json.dumps(question).encode()).hexdigest(),
        "strategy": name,
        "strategy_version": stored.version,
        "range_start": asked.first,
        "range_end": asked.last,
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
        "sessions": f"{asked.first} to {asked.last}",
        "trades": len(result.trades),
        "final equity": float(result.equity.iloc[-1]),
        "refused orders": len(result.refused),
        "commission and slippage": result.costs_paid["commission"] + result.costs_paid["slippage"],
    } | result.metrics.as_dict()
    figures["page"] = str(path)
    return Report(f"Backtest of {name}", figures, notes=result.assumptions), result


def _write_page(strategy: Strategy, result: BacktestResult) -> Path:
    first, last = result.equity.index[0], result.equity.index[-1]
    symbols = "-".join(result.panel.symbols[:5])
    name = f"{strategy.name}_{strategy.version}_{first}_{last}_{result.fingerprint()[:8]}.html"
    content = backtest_page(f"Backtest of {strategy.name}", f"{symbols}, sessions {first} to {last}", result)
    return keep("backtests", name, content)


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
