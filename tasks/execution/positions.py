"""Fills enter positions once each; positions are marked to the market; equity is written down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prefect import task

from db.repositories import accounts, orders, positions
from tasks.books import open_books
from tasks.policies import REPEATABLE
from tasks.resources import broker, database, flow_run_id
from trading.fills import Position, apply_fill
from trading.report import Report

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from sqlalchemy import Connection, Row

    from trading.broker import BrokerAccount, Clock


@task(**REPEATABLE)
def apply_fills() -> Report:
    """Apply new fills, mark every position to the broker's prices, and write the session's equity."""
    gateway = broker()
    clock = gateway.clock()
    prices = {position.symbol: position.market_price for position in gateway.positions()}
    with database().begin() as connection:
        account = open_books(connection, gateway, clock)
        accounts.lock(connection, account.number, "positions")
        fills = orders.unapplied_fills(connection, account.number)
        held = _after(connection, account.number, fills)
        rows = [_marked(account.number, *entry, prices, clock) for entry in sorted(held.items())]
        positions.write(connection, rows)
        orders.mark_applied(connection, [fill.id for fill in fills], at=clock.now)
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
        }
        for row in rows
    ]
    figures = {"fills applied": len(fills), "equity": account.equity, "cash": account.cash}
    return Report(f"Positions at {clock.last_opened}", figures, shown)


def _after(connection: Connection, account: str, fills: Iterable[Row[Any]]) -> dict[tuple[str, str], Position]:
    held = {
        (row.strategy, row.symbol): Position(row.symbol, row.quantity, row.average_cost, row.realised_pnl)
        for row in positions.of_account(connection, account)
    }
    for fill in fills:
        key = (fill.strategy, fill.symbol)
        before = held.get(key) or Position(fill.symbol)
        held[key] = apply_fill(before, side=fill.side, quantity=fill.quantity, price=fill.price)
    return held


def _marked(
    account: str, key: tuple[str, str], position: Position, prices: dict[str, Decimal], clock: Clock
) -> dict[str, Any]:
    strategy, symbol = key
    price = prices.get(symbol) if position.quantity else None
    return {
        "account": account,
        "strategy": strategy,
        "symbol": symbol,
        "quantity": position.quantity,
        "average_cost": position.average_cost,
        "realised_pnl": position.realised_pnl,
        "market_price": price,
        "market_value": price * position.quantity if price is not None else None,
        "unrealised_pnl": position.unrealised_pnl(price) if price is not None else None,
        "marked_at": clock.now,
    }


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
