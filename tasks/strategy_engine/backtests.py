"""Backtests of stored strategies over stored bars."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from prefect import task

from db.repositories import assets, results, strategies
from tasks.panels import load_sessions
from tasks.policies import REPEATABLE
from tasks.resources import broker, database, flow_run_id
from trading.backtest import run
from trading.calendar import session_before, sessions
from trading.report import Report

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy import Connection

    from trading.backtest import BacktestResult
    from trading.backtest_costs import Costs
    from trading.bars import Panel
    from trading.strategies import Strategy

YEARS = 5
"""How far back a backtest without a start goes."""


@task(**REPEATABLE)
def backtest(
    name: str, *, start: date | None, end: date | None, capital: float, costs: Costs | None
) -> tuple[Report, BacktestResult]:
    """Backtest a strategy's current version over its universe and store the result, once per question and data.

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
        strategy = strategies.named(connection, name)
        panel = load_warmed_up(connection, strategy, first, last)
    costs = costs or strategy.costs
    result = run(strategy, panel, capital=capital, costs=costs, start=first)
    question = [strategy.version, str(first), str(last), capital, costs.model_dump(), panel.fingerprint()]
    row = {
        "key": hashlib.sha256(json.dumps(question).encode()).hexdigest(),
        "strategy": name,
        "strategy_version": strategy.version,
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
        "strategy": f"{name} {strategy.version}",
        "sessions": f"{first} to {last}",
        "trades": len(result.trades),
        "final equity": float(result.equity.iloc[-1]),
    } | result.metrics.as_dict()
    return Report(f"Backtest of {name}", figures, notes=result.assumptions), result


def load_warmed_up(connection: Connection, strategy: Strategy, start: date, end: date) -> Panel:
    """Return a strategy's daily bars of `start` .. `end` with the warm-up before them."""
    universe = list(strategy.universe) or assets.tracked(connection)
    earlier = sessions(start.replace(year=start.year - 1 - strategy.warm_up // 250, day=1), session_before(start))
    first = earlier[-min(len(earlier), strategy.warm_up + 25)]
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
