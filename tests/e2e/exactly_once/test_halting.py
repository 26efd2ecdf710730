"""A halt is effective within two seconds, over the api and by the command, with a submitter at work and no Prefect."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr
from sqlalchemy import make_url

from db.repositories import risk
from deployments.drill.decisions import plant
from deployments.drill.judging import Case
from tasks.broker import Broker
from tasks.execution.following import follow_orders
from tasks.execution.submission import submit_orders
from tests.postgres import TOKEN
from tests.served_api import served
from trading.config import SECTIONS, Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from deployments.drill.ground import Ground

EFFECTIVE_WITHIN = 2.0
SLOW = {"kind": "latency", "seconds": 0.1, "method": "POST", "path": "/v2/orders", "count": None}
AT_WORK = 20
"""Posts after which those under way are kept until trading is halted in the books; the run then goes on at full speed.

However long a command takes to start, it meets a run at its work.
"""
QUIET_SECONDS = 1.0


def settings_of(ground: Ground, home: Path) -> Settings:
    """Return settings of the drill's servers; no Prefect server is there."""
    url, port = make_url(ground.places.database), int(ground.places.broker.rpartition(":")[2])
    chosen: dict[str, dict[str, Any]] = {
        "postgres": {
            "host": "127.0.0.1",
            "port": url.port,
            "password": SecretStr(str(url.password)),
            "trading_db": url.database,
        },
        "redis": {"port": 9},
        "prefect": {"port": 9},
        "simulator": {
            "port": port,
            "api_key": SecretStr(ground.places.key),
            "secret_key": SecretStr(ground.places.secret),
        },
        "web": {"token": SecretStr(TOKEN)},
    }
    return Settings(**{name: kind(**chosen.get(name, {})) for name, kind in SECTIONS.items()}, home=home)


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds from asking until trading was halted in the books, the last post left, no order was open."""

    written: float
    last_post: float
    last_open: float


def measured(ground: Ground, monkeypatch: pytest.MonkeyPatch, halt: Callable[[], None], *, orders: int) -> Measured:
    """Halt in the middle of a run and see what leaves and what stays open."""
    case = Case("halt", ground, plant(ground.engine, orders), time.monotonic())
    ground.simulator.arm(SLOW)
    left, some, halted = list[float](), threading.Event(), threading.Event()
    submit = Broker.submit

    def noted(*arguments: Any, **named: Any) -> Any:
        if len(left) > AT_WORK:
            some.set()
            halted.wait(120)
        left.append(time.monotonic())
        return submit(*arguments, **named)

    monkeypatch.setattr(Broker, "submit", noted)
    with ThreadPoolExecutor(4) as pool:
        running = pool.submit(submit_orders.fn, as_of=None)
        assert some.wait(60)
        asked = time.monotonic()
        written = pool.submit(_halted_at, ground, case.account, halted)
        halting = pool.submit(halt)
        last_open = _last_open(ground, lambda: halting.done() and running.done())
        halting.result(60)
        running.result(60)
    ground.simulator.disarm()
    follow_orders.fn()

    verdict = case.verdict("halt")
    assert verdict.ok, verdict
    assert AT_WORK < verdict.at_broker < orders, "the halt did not meet a run at its work"
    assert set(case.statuses()) == {"canceled"}, verdict.state
    assert f"{orders - verdict.at_broker} canceled (trading is HALTED (a test): only reductions pass)" in verdict.state
    return Measured(written.result(60) - asked, max(left) - asked, last_open - asked)


def _halted_at(ground: Ground, account: str, halted: threading.Event) -> float:
    """Return when the books first say that trading is halted."""
    while not halted.wait(0.02):
        with ground.engine.connect() as connection:
            if risk.trading_state(connection, account) == "HALTED":
                halted.set()
    return time.monotonic()


def _last_open(ground: Ground, ended: Callable[[], bool]) -> float:
    """Watch the broker until everything has ended, and a while longer; return when it last had an open order."""
    last, until = time.monotonic(), float("inf")
    while time.monotonic() < until:
        if ground.simulator.orders("open"):
            last = time.monotonic()
        if ended() and until == float("inf"):
            until = time.monotonic() + QUIET_SECONDS
        time.sleep(0.02)
    return last


@pytest.fixture
def report(record_property: Callable[[str, object], None], capsys: pytest.CaptureFixture[str]) -> Callable[..., None]:
    """Return what shows the measured seconds beside the test's name, and keeps them in its report."""

    def shown(who: str, seconds: Measured) -> None:
        record_property("seconds", asdict(seconds))
        with capsys.disabled():
            sys.stdout.write(f"\nhalt by the {who}: {seconds}\n")

    return shown


def test_a_halt_over_the_api_stops_a_submitter_and_cancels_every_order_within_two_seconds(
    ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, report: Callable[..., None]
) -> None:
    answers: list[dict[str, Any]] = []
    with served(settings_of(ground, tmp_path)) as client:
        client.get("/api/risk").raise_for_status()  # the api has been running for a while

        def halt() -> None:
            body = {"state": "HALTED", "reason": "a test", "who": "ada"}
            answers.append(client.post("/api/risk/state", json=body).raise_for_status().json())

        seconds = measured(ground, monkeypatch, halt, orders=120)

    report("api", seconds)
    (answer,) = answers
    assert (answer["state"], answer["changed_by"], answer["run"]) == ("HALTED", "ada", None)
    assert answer["cancelled"] == len(ground.simulator.orders())
    assert "the books wait for the next manage-orders" in answer["note"]  # there is no Prefect server
    assert seconds.last_post < EFFECTIVE_WITHIN
    assert seconds.last_open < EFFECTIVE_WITHIN


def test_a_halt_by_the_command_is_effective_two_seconds_after_it_is_written(
    ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, report: Callable[..., None]
) -> None:
    chosen = settings_of(ground, tmp_path)
    names = {str(row[0]) for row in chosen.masked()}
    mine = {
        "TRADING_HOME": str(tmp_path),
        "POSTGRES_HOST": "127.0.0.1",
        "POSTGRES_PORT": str(chosen.postgres.port),
        "POSTGRES_PASSWORD": chosen.postgres.password.get_secret_value(),
        "TRADING_DB_NAME": chosen.postgres.trading_db,
        "SIMULATOR_PORT": str(chosen.simulator.port),
        "SIMULATOR_API_KEY": ground.places.key,
        "SIMULATOR_SECRET_KEY": ground.places.secret,
    }
    environment = {name: value for name, value in os.environ.items() if name not in names} | mine
    command = [sys.executable, "-m", "deployments.cli", "halt", "--reason", "a test"]
    said: list[str] = []

    def halt() -> None:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        said.append(done.stdout)

    seconds = measured(ground, monkeypatch, halt, orders=120)

    report("command", seconds)
    assert f"{len(ground.simulator.orders())} open order(s) cancelled" in said[0]
    # the interpreter has to start first, which takes the longer the busier the machine is
    assert seconds.last_post - seconds.written < EFFECTIVE_WITHIN
    assert seconds.last_open - seconds.written < EFFECTIVE_WITHIN
