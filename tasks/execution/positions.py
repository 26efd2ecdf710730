"""Fills enter positions once each; positions are marked to the market; equity is written down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prefect import task

from db.repositories import accounts, orders, positions
from tasks.books import open_books
from tasks.execution.booking import book, mark
from tasks.policies import REPEATABLE
from tasks.resources import broker, database, flow_run_id
from trading.report import Report

if TYPE_CHECKING:
    from trading.broker import BrokerAccount, Clock


@task(**REPEATABLE)
def apply_fills() -> Report:
    """Apply new fills and corporate actions, mark every position to the broker's prices, write the session's equity.

    Each fill and each action counts once. The books of a symbol follow from all its fills and actions in order of
    time, so that one that is told of late changes them as if it had come in time.
    """
    gateway = broker()
    clock = gateway.clock()
    prices = {position.symbol: position.market_price for position in gateway.positions()}
    with database().begin() as connection:
        account = open_books(connection, gateway, clock)
        accounts.lock(connection, account.number, "positions")
        fills = orders.unapplied_fills(connection, account.number)
        booked = book(connection, account.number, {fill.symbol for fill in fills}, until=clock.last_opened)
        orders.mark_applied(connection, [fill.id for fill in fills], at=clock.now)
        rows = mark(connection, account.number, prices, at=clock.now)
        positions.snapshot(connection, _snapshot(account, clock))
    shown = [
        {
            "strategy": row["strategy"],
            "symbol": row["symbol"],
            "quantity": row["quantity"],
            "average cost": row["average_cost"],
            "price": row["market_price"],
            "unrealised": row["unrealised_pnl"],
            "realised": row["realised_pnl"],
            "income": row["income"],
        }
        for row in rows
    ]
    figures: dict[str, Any] = {"fills applied": len(fills), "entries booked": len(booked)}
    figures |= {"equity": account.equity, "cash": account.cash}
    notes = [f"{row['symbol']}, {row['strategy']}: {row['explanation']}" for row in booked]
    return Report(f"Positions at {clock.last_opened}", figures, shown, notes)


def _snapshot(account: BrokerAccount, clock: Clock) -> dict[str, Any]:
    return {
        "account": account.number,
        "session": clock.last_opened,
        "at": clock.now,
        "equity": account.equity,
        "cash": account.cash,
        "buying_power": account.buying_power,
        "long_value": account.long_value,
        "short_value": account.short_value,
        "flow_run_id": flow_run_id(),
    }
