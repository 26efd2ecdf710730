"""The execution service without the rest: a database, a simulator, and steps called as the functions they are."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx
from pydantic import SecretStr
from sqlalchemy import insert, text

from blocks import AlpacaCredentials, NotificationChannels
from blocks.catalogue import ALPACA, CHANNELS, POSTGRES
from db.models.data_ingestion import Asset
from db.models.risk_management import RiskDecision, SizedTarget
from db.models.strategy_engine import Signal, Strategy, StrategyRun, StrategyVersion
from db.statements import insert_missing
from tasks import resources
from tasks.books import open_books
from trading.calendar import bar_timestamp
from trading.strategies import SHIPPED

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sqlalchemy import Connection, Engine

KEYS = {"APCA-API-KEY-ID": "bare-key", "APCA-API-SECRET-KEY": "bare-secret"}
SYMBOLS = ("AAPL", "GOOG", "IBM", "MSFT")
STRATEGY = SHIPPED["sma_crossover"]
LAST_BAR = date(2012, 11, 30)
"""The session at whose close a simulator begins: what is decided on it trades in the next, 2012-12-03."""


@dataclass(frozen=True)
class Places:
    """Where the database and the broker are; plain, so that it can be handed to another process."""

    host: str
    port: int
    database: str
    password: str
    broker: str
    data: str | None = None

    def loaded(self, _kind: type, name: str) -> Any:
        """Return the block of a name: what `resources.loaded` asks the Prefect server for."""
        from prefect_sqlalchemy import ConnectionComponents, SqlAlchemyConnector

        if name == POSTGRES:
            components = ConnectionComponents(
                driver="postgresql+psycopg",
                host=self.host,
                port=self.port,
                database=self.database,
                username="postgres",
                password=self.password,
            )
            return SqlAlchemyConnector(connection_info=components)
        if name == ALPACA:
            return AlpacaCredentials(
                api_key=SecretStr(KEYS["APCA-API-KEY-ID"]),
                secret_key=SecretStr(KEYS["APCA-API-SECRET-KEY"]),
                trading_url=self.broker,
                data_url=self.data or self.broker,
                kind="simulator",
            )
        assert name == CHANNELS, name
        return NotificationChannels(urls=[])

    def take(self) -> None:
        """Make this process work with these places."""
        forget()
        resources.loaded = self.loaded  # type: ignore[assignment] # no server is asked

    def through(self, broker: str) -> Places:
        """Return the same with another way to the broker."""
        return Places(**{**asdict(self), "broker": broker, "data": self.data or self.broker})


def forget() -> None:
    """Let go of what belongs to the places before."""
    if resources.database.cache_info().currsize:
        resources.database().dispose()
    if resources.locks.cache_info().currsize:
        resources.locks().dispose()
    for cached in (resources.database, resources.locks, resources.credentials, resources.channels):
        cached.cache_clear()
    resources.trading_budget.cache_clear()


class Simulator:
    """A simulator in a process of its own."""

    def __init__(self, folder: Path, port: int, *words: str) -> None:
        self.url = f"http://127.0.0.1:{port}"
        environment = os.environ | {
            "SIMULATOR_API_KEY": KEYS["APCA-API-KEY-ID"],
            "SIMULATOR_SECRET_KEY": KEYS["APCA-API-SECRET-KEY"],
        }
        command = [sys.executable, "-m", "simulator", "--port", str(port), "--state", str(folder / "simulator.sqlite")]
        self.process = subprocess.Popen([*command, *words], env=environment, stdout=subprocess.DEVNULL)
        end = time.monotonic() + 120
        while not self._answers():
            assert self.process.poll() is None, "the simulator died"
            assert time.monotonic() < end, "the simulator does not come up"
            time.sleep(0.1)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health", timeout=2).is_success
        except httpx.HTTPError:
            return False

    def control(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = httpx.post(f"{self.url}/simulator/{path}", json=body, headers=KEYS, timeout=60)
        assert answer.is_success, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def orders(self) -> list[dict[str, Any]]:
        query = {"status": "all", "limit": "500", "direction": "asc"}
        answer = httpx.get(f"{self.url}/v2/orders", params=query, headers=KEYS, timeout=60)
        found: list[dict[str, Any]] = answer.raise_for_status().json()
        return found

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)


def begin(cash: str = "1000000") -> None:
    """Open a new account on the simulator that this process works with."""
    login = resources.credentials()
    answer = httpx.post(f"{login.data_url}/simulator/reset", json={"cash": cash}, headers=KEYS, timeout=60)
    answer.raise_for_status()


def plant(engine: Engine, count: int, *, side: str = "buy", quantity: Sequence[int] = (3,)) -> str:
    """Approve `count` decisions of the coming session for the simulator's account; return the account."""
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
    row = {"name": STRATEGY.name, "current_version": STRATEGY.version, "status": "active", "updated_by": "test"}
    insert_missing(connection, Strategy, [row])
    facts = {"exchange": "NYSE", "status": "active", "tradable": True, "shortable": True, "fractionable": True}
    insert_missing(
        connection, Asset, [{"symbol": name, "name": name, "tracked": True, "tags": [], **facts} for name in SYMBOLS]
    )


def _plant_decision(
    connection: Connection, account: str, run: Any, place: int, *, side: str, quantity: Decimal
) -> None:
    symbol, session = SYMBOLS[place % len(SYMBOLS)], date(2012, 12, 3)
    signal = {
        "strategy_run_id": run, "strategy_version": STRATEGY.version, "strategy": STRATEGY.name, "symbol": symbol,
        "timeframe": "1Day", "bar_ts": bar_timestamp(LAST_BAR) + timedelta(seconds=place), "target_weight": 0.1,
        "direction": "long", "strength": 1.0, "reason": "test", "values": {},
    }  # fmt: skip
    signal_id = connection.execute(insert(Signal).values(signal).returning(Signal.id)).scalar_one()
    shared = {"account": account, "strategy": STRATEGY.name, "symbol": symbol, "session": session}
    held = Decimal(0) if side == "buy" else quantity
    target = {
        **shared, "signal_id": signal_id, "method": "test", "price": Decimal(100), "workings": {},
        "target_quantity": quantity - held, "current_quantity": held,
    }  # fmt: skip
    target_id = connection.execute(insert(SizedTarget).values(target).returning(SizedTarget.id)).scalar_one()
    decision = {
        **shared, "sized_target_id": target_id, "side": side, "requested_quantity": quantity,
        "approved_quantity": quantity, "verdict": "approved", "checks": [],
    }  # fmt: skip
    connection.execute(insert(RiskDecision).values(decision))
