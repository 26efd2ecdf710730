from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert

from db.models.execution import Account, Order
from db.repositories import orders

if TYPE_CHECKING:
    from sqlalchemy import Engine

AT = datetime(2012, 12, 3, 14, 20, tzinfo=UTC)


def test_orders_without_a_decision_say_who_placed_them(engine: Engine) -> None:
    account = {"account": "PA1", "kind": "simulator", "opening_equity": 1, "opening_cash": 1}
    shared: dict[str, Any] = {
        "account": "PA1",
        "symbol": "IBM",
        "side": "sell",
        "type": "market",
        "time_in_force": "day",
        "quantity": 1,
        "status": "filled",
        "intended_at": AT,
        "bar_ts": None,
        "parent_id": None,
        "stop_price": None,
    }
    rows: list[dict[str, Any]] = [
        {"client_order_id": "closing", "strategy": "momentum", "bar_ts": AT},
        {"client_order_id": "closing a stranger's", "strategy": "external", "bar_ts": AT},
        {"client_order_id": "by hand", "strategy": "manual"},
        {"client_order_id": "somebody's", "strategy": "external"},
    ]
    with engine.begin() as connection:
        connection.execute(insert(Account).values(**account, first_seen_at=AT, last_seen_at=AT))
        for row in rows:
            connection.execute(insert(Order).values(**shared | row))
        ids = {row.client_order_id: row.id for row in orders.of_account(connection, "PA1")}
        for name, stop in (("target", None), ("stop", 90)):
            leg: dict[str, Any] = {
                "client_order_id": name,
                "strategy": "manual",
                "parent_id": ids["by hand"],
                "stop_price": stop,
            }
            connection.execute(insert(Order).values(**shared | leg))
        reasons = orders.exit_reasons(connection, "PA1")
        named = {row.client_order_id: reasons[row.id] for row in orders.of_account(connection, "PA1")}

    assert named == {
        "closing": "flatten",
        "closing a stranger's": "flatten",
        "by hand": "by hand",
        "somebody's": "external",
        "target": "take profit",
        "stop": "stop loss",
    }
