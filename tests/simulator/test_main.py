from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from starlette.testclient import TestClient

from simulator.__main__ import main
from simulator.access import Keys
from simulator.app import SimulatorConfig, create_app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from simulator.market import Market

HEADERS = {"APCA-API-KEY-ID": "k", "APCA-API-SECRET-KEY": "s"}


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., tuple[subprocess.Popen[str], httpx.Client]]]:
    """Return a starter of simulators in processes of their own."""
    processes: list[subprocess.Popen[str]] = []
    clients: list[httpx.Client] = []
    environment = {**os.environ, "SIMULATOR_API_KEY": "k", "SIMULATOR_SECRET_KEY": "s"}

    def run(*arguments: str) -> tuple[subprocess.Popen[str], httpx.Client]:
        command = [sys.executable, "-m", "simulator", "--port", "0", "--state", str(tmp_path / "s.sqlite"), *arguments]
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        processes.append(process)
        assert process.stdout is not None
        address = process.stdout.readline().split("listening on ")[1].split(",")[0]
        clients.append(httpx.Client(base_url=address, headers=HEADERS, timeout=30))
        return process, clients[-1]

    yield run
    for client in clients:
        client.close()
    for process in processes:
        process.kill()
        process.wait(10)
        if process.stdout is not None:
            process.stdout.close()


@pytest.fixture
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMULATOR_API_KEY", "k")
    monkeypatch.setenv("SIMULATOR_SECRET_KEY", "s")


def reopened(market: Market, folder: Path) -> TestClient:
    """Return a client of a new simulator on the state that a process left behind."""
    config = SimulatorConfig(state=folder / "s.sqlite", keys=Keys("k", "s"))
    return TestClient(create_app(config, market), headers=HEADERS)


def trade(client: httpx.Client, thread: int, acknowledged: list[str]) -> None:
    """Place orders until the server is gone, noting every one that was acknowledged."""
    for number in range(100_000):
        order = {"symbol": "AAPL", "side": "buy", "type": "limit", "time_in_force": "gtc", "qty": "1"}
        order |= {"limit_price": "0.01", "client_order_id": f"{thread} {number}"}
        try:
            answer = client.post("/v2/orders", json=order)
        except httpx.HTTPError:
            return
        if answer.status_code == 200:
            acknowledged.append(answer.json()["id"])


def all_orders(client: httpx.Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    params: dict[str, Any] = {"status": "all", "limit": 500, "direction": "asc"}
    while page := client.get("/v2/orders", params=params).raise_for_status().json():
        found += page
        params["after"] = page[-1]["submitted_at"]
    return found


def test_every_acknowledged_order_survives_kill_9(
    market: Market,
    tmp_path: Path,
    start: Callable[..., tuple[subprocess.Popen[str], httpx.Client]],
) -> None:
    process, client = start()
    bought = {"symbol": "MSFT", "side": "buy", "type": "market", "time_in_force": "day", "qty": "3"}
    client.post("/v2/orders", json=bought).raise_for_status()
    client.post("/simulator/clock", json={"advance": "session"}).raise_for_status()
    before = {path: client.get(path).json() for path in ("/v2/positions", "/v2/clock", "/v2/account/activities")}
    acknowledged: list[str] = []
    threads = [threading.Thread(target=trade, args=(client, number, acknowledged)) for number in range(3)]
    for thread in threads:
        thread.start()
    while len(acknowledged) < 150:
        time.sleep(0.01)
    process.kill()
    for thread in threads:
        thread.join(60)
    process.wait(10)
    with reopened(market, tmp_path) as again:
        assert {path: again.get(path).json() for path in before} == before
        kept = all_orders(again)
    assert set(acknowledged) <= {order["id"] for order in kept}
    # at most one order per thread was committed without its answer having arrived
    assert len(kept) - 1 - len(acknowledged) <= len(threads)
    assert len({order["submitted_at"] for order in kept}) == len(kept)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to send")
def test_a_polite_stop_lets_the_next_one_start(
    market: Market,
    tmp_path: Path,
    start: Callable[..., tuple[subprocess.Popen[str], httpx.Client]],
) -> None:
    process, client = start("--seed", "x")
    number = client.get("/v2/account").json()["account_number"]
    process.send_signal(signal.SIGTERM)
    process.wait(10)
    with reopened(market, tmp_path) as again:
        assert again.get("/v2/account").json()["account_number"] == number


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--data", "absent.csv"], 1, "absent.csv does not exist"),
        (["--start", "1990-01-02"], 2, "expected a day from 2000-03-01 to before 2013-03-01"),
    ],
)
@pytest.mark.usefixtures("_keys")
def test_a_failure_is_one_line_and_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, words: str
) -> None:
    assert main(["--port", "0", "--state", str(tmp_path / "s.sqlite"), *arguments]) == code
    shown = capsys.readouterr().err
    assert words in shown
    assert shown.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_empty_keys_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SIMULATOR_API_KEY", "")
    monkeypatch.delenv("SIMULATOR_SECRET_KEY", raising=False)
    assert main(["--port", "0", "--state", str(tmp_path / "s.sqlite")]) == 2
    assert "SIMULATOR_API_KEY and SIMULATOR_SECRET_KEY are not both set" in capsys.readouterr().err


@pytest.mark.usefixtures("_keys")
def test_a_port_in_use_is_named_before_anything_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["--port", str(port), "--state", str(tmp_path / "s.sqlite")]) == 1
    assert f"127.0.0.1:{port} cannot be listened on" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--start", "30.11.2012"], "is not a day; expected YYYY-MM-DD"),
        (["--cash", "0"], "expected dollars above 0"),
        (["--cash", "NaN"], "expected dollars above 0"),
        (["--port", "70000"], "expected 0 to 65535"),
        (["--rate-limit", "0"], "expected 1 or more"),
        (["--pace", "-1"], "is not a pace; expected 0 to 100000"),
        (["--frictions", "{"], "JSON: Invalid JSON"),
        (["--frictions", '{"participation": 2}'], "participation: Input should be less than or equal to 1"),
    ],
)
def test_a_bad_argument_is_a_usage_error(capsys: pytest.CaptureFixture[str], arguments: list[str], words: str) -> None:
    state = ["--state", "s.sqlite"] if arguments else []
    with pytest.raises(SystemExit) as caught:
        main([*state, *arguments])
    assert caught.value.code == 2
    assert words in capsys.readouterr().err


def test_the_clock_runs_at_a_pace(start: Callable[..., tuple[subprocess.Popen[str], httpx.Client]]) -> None:
    _, client = start("--pace", "86400")
    begun = datetime.fromisoformat(client.get("/v2/clock").json()["timestamp"])
    deadline = time.monotonic() + 30
    now = begun
    # a day a second: the close of Friday 2012-11-30 to the close of Monday
    while now < begun + timedelta(days=3) and time.monotonic() < deadline:
        time.sleep(0.1)
        now = datetime.fromisoformat(client.get("/v2/clock").json()["timestamp"])
    assert timedelta(days=3) <= now - begun < timedelta(days=40)
    assert len(client.get("/v2/account/portfolio/history", params={"period": "all"}).json()["equity"]) >= 2


def test_the_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    shown = capsys.readouterr().out
    assert 'TradingClient("me", "secret", url_override="http://127.0.0.1:8010")' in shown
    assert '{"advance": "session"}' in shown
