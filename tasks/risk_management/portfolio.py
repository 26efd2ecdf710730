"""The portfolio's risk, and the trading state that follows from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from prefect import task

from db.repositories import assets, positions, risk
from tasks.books import open_books
from tasks.execution.halting import Reach, cancel_open_orders
from tasks.panels import decision_bar, load_panel
from tasks.policies import REPEATABLE
from tasks.resources import broker, database, flow_run_id, locks
from trading.report import Report
from trading.risk import breaches, measure, next_trading_state

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from trading.bars import Floats
    from trading.broker import BrokerAccount, BrokerPosition, Clock
    from trading.risk import PortfolioRisk

RETURNS = 250
"""Sessions of returns behind value at risk and beta."""


@task(**REPEATABLE)
def watch_portfolio() -> Report:
    """Measure the account's risk, record broken limits, and move the trading state."""
    gateway = broker()
    clock = gateway.clock()
    held = gateway.positions()
    with database().begin() as connection:
        account = open_books(connection, gateway, clock)
        earlier = _earlier(connection, account.number, clock)
        snapshot = _snapshot(connection, account, held, clock, earlier)
        limits = risk.limits(connection)
        old = risk.trading_state(connection, account.number)
        state, reasons = next_trading_state(old, snapshot, limits)
        found = breaches(snapshot, limits)
        shared = {"account": account.number, "at": clock.now, "session": clock.last_opened}
        shared |= {"flow_run_id": flow_run_id()}
        figures = _figures(snapshot) | {"daily_return": snapshot.equity / earlier[-1] - 1 if earlier else None}
        risk.record_snapshot(connection, {**shared, **figures, "state": state})
        risk.record_breaches(
            connection,
            [
                {
                    **shared,
                    "limit_name": breach.limit,
                    "value": breach.value,
                    "threshold": breach.threshold,
                    "sentence": breach.sentence,
                }
                for breach in found
            ],
        )
        changed = risk.set_trading_state(
            connection,
            account=account.number,
            state=state,
            reason="; ".join(reasons) or "every limit is kept",
            by="monitor_portfolio_risk",
            at=clock.now,
            flow_run_id=flow_run_id(),
        )
    if changed and state == "HALTED":
        cancel_open_orders(Reach(database(), locks(), gateway), account.number)
    notes = [f"Trading state {old} -> {state}: {'; '.join(reasons)}"] if state != old else list(reasons)
    rows = [{"symbol": symbol, "weight": weight} for symbol, weight in sorted(snapshot.exposure.weights.items())]
    return Report(f"Portfolio risk at {clock.last_opened}", {"state": state, **figures}, rows, notes)


def _earlier(connection: Connection, account: str, clock: Clock) -> list[float]:
    """Return the equity of the sessions before this one."""
    curve = positions.equity(connection, account)
    return [float(equity) for session, equity in curve.items() if session != clock.last_opened]


def _snapshot(
    connection: Connection,
    account: BrokerAccount,
    held: Sequence[BrokerPosition],
    clock: Clock,
    earlier: Sequence[float],
) -> PortfolioRisk:
    symbols = [position.symbol for position in held]
    returns, benchmark = _returns(connection, symbols, decision_bar("1Day", clock.now))
    return measure(
        positions={position.symbol: float(position.quantity) for position in held},
        prices={position.symbol: float(position.market_price) for position in held},
        equity_curve=[*earlier, float(account.equity)],
        returns=returns,
        benchmark=benchmark,
    )


def _returns(
    connection: Connection, symbols: Sequence[str], until: datetime
) -> tuple[dict[str, Floats], Floats | None]:
    """Return daily returns of the symbols, and of the equally weighted tracked universe as the market."""
    universe = sorted({*assets.tracked(connection), *symbols})
    panel = load_panel(connection, universe, timeframe="1Day", bars=RETURNS + 1, until=until)
    if len(panel) < 2:  # noqa: PLR2004 - a return needs two bars
        return {}, None
    closes = panel.close[-RETURNS - 1 :]
    every = closes[1:] / closes[:-1] - 1
    known = np.isfinite(every)
    market = np.divide(
        np.where(known, every, 0).sum(axis=1),
        known.sum(axis=1),
        out=np.zeros(len(every)),
        where=known.any(axis=1),
    )
    column = {symbol: place for place, symbol in enumerate(panel.symbols)}
    return {symbol: every[:, column[symbol]] for symbol in symbols}, market


def _figures(snapshot: PortfolioRisk) -> dict[str, Any]:
    largest = snapshot.exposure.largest
    return {
        "equity": snapshot.equity,
        "gross_exposure": snapshot.exposure.gross,
        "net_exposure": snapshot.exposure.net,
        "largest_weight": abs(largest[1]) if largest else 0.0,
        "beta": snapshot.beta,
        "var_95": snapshot.var_95,
        "cvar_95": snapshot.cvar_95,
        "drawdown": snapshot.drawdown,
    }
