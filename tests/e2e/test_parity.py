"""Live and backtest agree: a strategy decided session by session through the flows, and the same in one backtest."""

from __future__ import annotations

import asyncio
import os
from datetime import date
from typing import TYPE_CHECKING

import pytest

from db.repositories import risk, strategies
from flows.orchestration import replay
from tasks import resources
from tasks.panels import load_dividends, load_sessions
from tasks.strategy_engine.signals import strategies_to_run
from tests.stack import forget_resources, inside_of, running
from trading.backtest import run
from trading.calendar import session_before, session_of
from trading.strategies import ACTIVE, SHIPPED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stack import Stack

SESSIONS = int(os.environ.get("TRADING_PARITY", "60"))
"""How many sessions of each strategy; with TRADING_PARITY=520 it takes a quarter of an hour."""
SYMBOLS = ["AAPL", "FB", "GOOG", "IBM", "MSFT"]
LAST = date(2013, 2, 26)
WARM_UP_FROM = date(2009, 1, 5)
LARGEST = 0.4
"""The share of one symbol: what is bought while the sale of all that is held waits must fit into the buying power."""
WIDE = {"max_gross_exposure": 4, "max_net_exposure": 4, "max_position_weight": 4, "max_order_notional": 1e9} | {
    "max_participation": 1,
    "max_daily_loss": 1,
    "max_drawdown": 1,
    "reduce_drawdown": 1,
}
"""Limits that nothing reaches: a backtest has none."""
HALF_A_CENT = 0.0051
EQUITY = "SELECT session, equity FROM execution.equity_snapshots WHERE account = :account ORDER BY session"
FILLS = "SELECT filled_at, symbol, side, quantity, price FROM execution.fills WHERE account = :account"


@pytest.fixture(scope="module")
def own() -> Iterator[Stack]:
    """Yield a system of this module's own: what other tests left behind must not decide."""
    with running() as found, inside_of(found):
        forget_resources()
        yield found
        forget_resources()


@pytest.fixture
def alone(own: Stack, request: pytest.FixtureRequest) -> Iterator[str]:
    """Let one strategy manage the whole account, limits wide; the shipped ones are as before when it is over."""
    name = str(request.param)
    strategies_to_run.fn(None)
    shipped = SHIPPED[name]
    sizing = shipped.sizing.model_copy(update={"max_weight": LARGEST})
    whole = shipped.model_copy(update={"capital_fraction": 1.0, "sizing": sizing})
    with own.engine.begin() as connection:
        for each in SHIPPED:
            strategies.set_status(connection, each, "paused", by="test")
        strategies.save(connection, whole, by="test")
        strategies.set_status(connection, name, "active", by="test", anyway="test")
        for limit, value in WIDE.items():
            risk.set_limit(connection, limit, value, by="test")
    yield name
    with own.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM risk_management.risk_limits WHERE updated_by = 'test'")
        strategies.save(connection, SHIPPED[name], by="test")
        for each in SHIPPED:
            status = "active" if each in ACTIVE else "paused"
            strategies.set_status(connection, each, status, by="test", anyway="test")
    forget_resources()


@pytest.mark.timeout(180 + 2 * SESSIONS)
@pytest.mark.parametrize("alone", ["sma_crossover", "momentum_rotation"], indirect=True)
def test_fills_and_daily_equity_are_the_backtests_to_the_cent(own: Stack, alone: str) -> None:
    begin = LAST
    for _ in range(SESSIONS):
        begin = session_before(begin)
    own.simulator("reset", {"start": begin.isoformat()})
    account = resources.broker().account().number

    asyncio.run(replay(sessions=SESSIONS, staged_last=False))

    assert own.scalar("SELECT state FROM risk_management.trading_states WHERE account = :a", a=account) == "ACTIVE"
    snapshots = own.rows(EQUITY, account=account)
    days = [session for session, _ in snapshots]
    with own.engine.connect() as connection:
        whole = strategies.named(connection, alone)
        panel = load_sessions(connection, SYMBOLS, start=WARM_UP_FROM, end=days[-1])
        dividends = load_dividends(connection, SYMBOLS, end=days[-1])
    expected = run(whole, panel, capital=100_000.0, start=days[0], actions=dividends)
    live = sorted(
        (session_of(at), symbol, side, float(quantity), float(price))
        for at, symbol, side, quantity, price in own.rows(FILLS, account=account)
    )
    columns = ["session", "symbol", "side", "quantity", "price"]
    assert live == sorted(expected.fills[columns].itertuples(index=False, name=None))
    assert len(live) >= max(3, SESSIONS // 30)
    curve = expected.equity.to_dict()
    assert set(days) <= set(curve)
    assert {day: abs(float(equity) - curve[day]) < HALF_A_CENT for day, equity in snapshots} == dict.fromkeys(
        days, True
    )
