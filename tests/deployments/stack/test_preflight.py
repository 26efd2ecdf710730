from __future__ import annotations

import os
import shutil
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from deployments.stack import preflight
from deployments.stack.component import Endpoint
from tests.ports import free_port
from trading.config import Settings
from trading.errors import ConfigurationError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield int(holder.getsockname()[1])


@pytest.fixture
def refusing_broker() -> Iterator[str]:
    class Refuse(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(401)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Refuse)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_port_in_use_names_the_port_the_holder_and_the_variable(taken: int) -> None:
    with pytest.raises(UnavailableError) as caught:
        preflight.check_ports([("dashboard", Endpoint("127.0.0.1", taken, "DASHBOARD_PORT"))])
    message = str(caught.value)
    assert f"port {taken} for dashboard is in use by" in message
    assert f"(pid {os.getpid()})" in message
    assert "DASHBOARD_PORT" in message
    assert "\n" not in message


def test_all_taken_ports_are_named_at_once(taken: int) -> None:
    free = free_port()
    wanted = [
        ("api", Endpoint("127.0.0.1", taken, "WEB_SERVER_PORT")),
        ("dashboard", Endpoint("127.0.0.1", free, "DASHBOARD_PORT")),
        ("simulator", Endpoint("127.0.0.1", free, "SIMULATOR_PORT")),
    ]
    with pytest.raises(UnavailableError, match=f"port {free} is set for both dashboard and simulator") as caught:
        preflight.check_ports(wanted)
    assert "WEB_SERVER_PORT" in str(caught.value)


def test_free_ports_pass() -> None:
    preflight.check_ports([("api", Endpoint("127.0.0.1", free_port(), "WEB_SERVER_PORT"))])
    assert free_port() > 0


def test_a_full_disk_is_named_with_what_is_free(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nearly_full = SimpleNamespace(total=10**12, used=10**12 - 5 * 1024**2, free=5 * 1024**2)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: nearly_full)
    with pytest.raises(UnavailableError, match="has 5 MB free and the stack needs 1024 MB") as caught:
        preflight.check_space(home / "not" / "yet" / "there")
    assert "TRADING_HOME" in str(caught.value)


def test_a_refused_key_is_refused_before_anything_starts(
    home: Path, refusing_broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALPACA_API_KEY", "PKWRONG")
    monkeypatch.setenv("ALPACA_BASE_URL", refusing_broker)
    with pytest.raises(ConfigurationError, match="ALPACA_SECRET_KEY: not set"):
        preflight.check_broker(Settings.load(home))
    monkeypatch.setenv("ALPACA_SECRET_KEY", "a-secret")
    with pytest.raises(ConfigurationError, match=r"ALPACA_API_KEY: .* refuses the key \(HTTP 401\)") as caught:
        preflight.check_broker(Settings.load(home))
    assert "a-secret" not in str(caught.value)


def test_without_keys_no_broker_is_asked(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALPACA_BASE_URL", "http://127.0.0.1:9")
    settings = Settings.load(home)
    preflight.check_broker(settings)
    assert settings.simulated


def test_a_simulator_without_its_data_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ALPACA_API_KEY", raising=False)
    monkeypatch.setenv("SIMULATOR_DATA", str(tmp_path / "absent.csv"))
    with pytest.raises(ConfigurationError, match=r"SIMULATOR_DATA: .*absent\.csv does not exist"):
        preflight.check_broker(Settings.load(tmp_path))
    (tmp_path / "absent.csv").touch()
    preflight.check_broker(Settings.load(tmp_path))
