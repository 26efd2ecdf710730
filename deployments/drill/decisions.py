"""Approved decisions for the drill's orders: written down as the risk service would, for the coming session."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, text

from db.models.data_ingestion import Asset
from db.models.risk_management import RiskDecision, SizedTarget
from db.models.strategy_engine import Signal, Strategy, StrategyRun, StrategyVersion
from db.statements import insert_missing
from tasks import resources
from tasks.books import open_books
from trading.calendar import bar_timestamp, session_after
from trading.strategies import SHIPPED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Engine

SYMBOLS = ("AAPL", "GOOG", "IBM", "MSFT")
STRATEGY = SHIPPED["sma_crossover"]
LAST_BAR = date(2012, 11, 30)
"""The session at whose close the drill's simulator begins: what is decided on it trades in the next."""
SESSION = session_after(LAST_BAR)


def plant(engine: Engine, count: int, *, side: str = "buy", quantity: Sequence[int] = (3,)) -> str:
    """Approve `count` decisions of the coming session for the broker's account; return the account."""
    gateway = resources.broker()
    clock = gateway.clock()
    with engine.begin() as connection:
        account = open_books(connection, gateway, clock).number
        _plant_strategy(connection)
        run = {
            "strategy_version": STRATEGY.version, "timeframe": "1Day", "bar_ts": bar_timestamp(LAST_BAR),
            "bars_sha256": "0" * 64, "undecided": {},
        }  # fmt: skip
        insert_missing(connection, StrategyRun, [run])
        run_id = connection.scalar(text("SELECT id FROM strategy_engine.strategy_runs LIMIT 1"))
        first = connection.scalar(text("SELECT count(*) FROM strategy_engine.signals"))
        for place in range(first, first + count):
            _plant_decision(
                connection, account, run_id, place, side=side, quantity=Decimal(quantity[place % len(quantity)])
            )
    return account


def _plant_strategy(connection: Connection) -> None:
    definition = STRATEGY.model_dump(mode="json")
    version = {"version": STRATEGY.version, "strategy": STRATEGY.name, "definition": definition}
    insert_missing(connection, StrategyVersion, [version])
    row = {"name": STRATEGY.name, "current_version": STRATEGY.version, "status": "active", "updated_by": "drill"}
    insert_missing(connection, Strategy, [row])
    facts = {"exchange": "NYSE", "status": "active", "tradable": True, "shortable": True, "fractionable": True}
    insert_missing(
        connection, Asset, [{"symbol": name, "name": name, "tracked": True, "tags": [], **facts} for name in SYMBOLS]
    )


def _plant_decision(
    connection: Connection, account: str, run: Any, place: int, *, side: str, quantity: Decimal
) -> None:
    symbol = SYMBOLS[place % len(SYMBOLS)]
    signal = {
        "strategy_run_id": run, "strategy_version": STRATEGY.version, "strategy": STRATEGY.name, "symbol": symbol,
        "timeframe": "1Day", "bar_ts": bar_timestamp(LAST_BAR) + timedelta(seconds=place), "target_weight": 0.1,
        "direction": "long", "strength": 1.0, "reason": "a drill", "values": {},
    }  # fmt: skip
    signal_id = connection.execute(insert(Signal).values(signal).returning(Signal.id)).scalar_one()
    shared = {"account": account, "strategy": STRATEGY.name, "symbol": symbol, "session": SESSION}
    held = Decimal(0) if side == "buy" else quantity
    target = {
        **shared, "signal_id": signal_id, "method": "drill", "price": Decimal(100), "workings": {},
        "target_quantity": quantity - held, "current_quantity": held,
    }  # fmt: skip
    target_id = connection.execute(insert(SizedTarget).values(target).returning(SizedTarget.id)).scalar_one()
    decision = {
        **shared, "sized_target_id": target_id, "side": side, "requested_quantity": quantity,
        "approved_quantity": quantity, "verdict": "approved", "checks": [],
    }  # fmt: skip
    connection.execute(insert(RiskDecision).values(decision))
