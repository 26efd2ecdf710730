"""One whole system for the tests that need one: started once, on free ports, in a directory of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine, create_engine, text

from deployments.stack import processes
from deployments.stack.environment import marker
from tasks import resources
from tasks.execution.reconciliation import forget_start
from tests.places import passable_directory
from tests.ports import free_ports
from tests.prefect_server import client_of
from trading.config import Settings, settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STARTING_SECONDS = 240
RUNNING_SECONDS = 120
FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
MINUTES_OF = date(2012, 12, 3)
"""The one session of which the simulator has minute bars, IBM's."""


@dataclass(frozen=True)
class Stack:
    """A running system."""

    home: Path
    environment: dict[str, str]
    settings: Settings
    engine: Engine = field(repr=False)

    def trading(self, *arguments: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run the `trading` command against this system."""
        return self.run(sys.executable, "-m", "deployments.cli", *arguments, timeout=timeout)

    def run(self, *command: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a command in this system's environment, as a user's shell would."""
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=timeout, check=False
        )

    def api(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Call the api with the token."""
        token = self.settings.web.token.get_secret_value()
        url = f"http://127.0.0.1:{self.settings.web.api}{path}"
        return httpx.request(method, url, headers={"Authorization": f"Bearer {token}"}, timeout=60, **options)

    def ended(self, run: str) -> dict[str, Any]:
        """Wait for the end of a flow run; return what the api says of it."""
        deadline = time.monotonic() + RUNNING_SECONDS
        while True:
            found: dict[str, Any] = self.api("GET", f"/api/runs/{run}").json()
            if found["state_type"] in FINAL:
                return found
            assert time.monotonic() < deadline, found
            time.sleep(0.3)

    def simulator(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Call a control route of the simulator."""
        keys = self.settings.simulator
        headers = {
            "APCA-API-KEY-ID": keys.api_key.get_secret_value(),
            "APCA-API-SECRET-KEY": keys.secret_key.get_secret_value(),
        }
        answer = httpx.post(f"http://127.0.0.1:{keys.port}/simulator/{path}", json=body, headers=headers, timeout=60)
        answer.raise_for_status()
        document: dict[str, Any] = answer.json()
        return document

    def scalar(self, statement: str, **parameters: Any) -> Any:
        """Return one value from the trading database."""
        with self.engine.connect() as connection:
            return connection.scalar(text(statement), parameters)

    def rows(self, statement: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """Return rows from the trading database."""
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(statement), parameters)]


def own_environment(home: Path) -> dict[str, str]:
    """Return an environment for a stack of its own: free ports, a home of its own, no setting inherited."""
    shown = Settings.load(home).masked()
    names = {str(row[0]) for row in shown}
    ports = sorted(name for name in names if name.endswith("_PORT"))
    ours = {"TRADING_HOME": str(home), "PREFECT_HOME": str(home / "user-prefect")}
    ours |= dict(zip(ports, map(str, free_ports(len(ports))), strict=True))
    ours["SIMULATOR_MINUTES"] = str(_minutes(home))
    return {name: value for name, value in os.environ.items() if name not in names} | ours


def _minutes(home: Path) -> Path:
    """Write a file with IBM's minutes of the first session that is traded, and return where it is."""
    day = MINUTES_OF.isoformat()
    times = pd.date_range(f"{day} 09:30", periods=390, freq="min", tz="America/New_York")
    close = 189 + np.arange(390) / 100
    prices = {"open": close, "high": close + 0.05, "low": close - 0.05, "close": close}
    path = home / "minutes.parquet"
    pd.DataFrame({"symbol": "IBM", "ts": times, **prices, "volume": 1000}).to_parquet(path)
    return path


@contextmanager
def running() -> Iterator[Stack]:
    """Start a whole system in a directory of its own, and stop it."""
    command = [sys.executable, "-m", "deployments.cli"]
    with passable_directory() as home:
        environment = own_environment(home)
        started = subprocess.run(
            [*command, "start", "--detach"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=STARTING_SECONDS,
            check=False,
        )
        try:
            assert started.returncode == 0, started.stdout + started.stderr
            with pytest.MonkeyPatch.context() as patch:
                for name, value in environment.items() - os.environ.items():
                    patch.setenv(name, value)
                loaded = Settings.load(home)
                engine = create_engine(loaded.postgres.url(loaded.postgres.trading_db), pool_pre_ping=True)
                yield Stack(home, environment, loaded, engine)
                engine.dispose()
        finally:
            subprocess.run([*command, "stop"], env=environment, capture_output=True, timeout=120, check=False)
        left = [process.name() for process in processes.marked(marker(home))]
        assert left == [], "left by `trading stop`"


@contextmanager
def inside_of(stack: Stack) -> Iterator[Stack]:
    """Make this process part of a system: its settings, blocks and Prefect server are the stack's."""
    settings.cache_clear()
    with client_of(stack.settings.prefect.url, stack.settings.prefect.auth.get_secret_value()):
        yield stack
    settings.cache_clear()


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Yield the system that the tests share."""
    with running() as found:
        yield found


@pytest.fixture(scope="session")
def inside(stack: Stack) -> Iterator[Stack]:
    """Make this process part of the system that the tests share."""
    with inside_of(stack) as found:
        yield found


def forget_resources() -> None:
    """Close what steps keep open and let the next one log in anew."""
    resources.forget()
    forget_start()


@pytest.fixture
def fresh_account(inside: Stack) -> Stack:
    """Give a test a new account of its own on the simulator, its clock at the first session's close."""
    inside.simulator("reset", {})
    return inside
