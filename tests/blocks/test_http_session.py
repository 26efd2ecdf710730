from __future__ import annotations

import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar

import pytest
from requests.exceptions import ConnectionError as Unreachable
from requests.exceptions import ReadTimeout

from blocks import http_session
from blocks.http_session import AlpacaSession

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LIMITS = (1.0, 0.3)


class Echo(BaseHTTPRequestHandler):
    """Answers with what it was sent, keeps the connection and asks to be remembered by a cookie."""

    protocol_version = "HTTP/1.1"
    seen: ClassVar[list[tuple[str, str, dict[str, str], int]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append((self.command, self.path, dict(self.headers), self.client_address[1]))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Set-Cookie", "who=you")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def echo() -> Iterator[str]:
    Echo.seen.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_server_that_never_answers_is_given_up_after_the_limit() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"

        with pytest.raises(ReadTimeout):
            AlpacaSession(address, limits=LIMITS).request("POST", f"{address}/v2/orders", json={})


def test_calls_share_a_connection_send_json_and_headers_and_keep_no_cookies(echo: str) -> None:
    told: list[Mapping[str, str]] = []
    session = AlpacaSession(echo, limits=(1.0, 10.0), note=told.append)

    answers = [
        session.request("POST", f"{echo}/v2/orders", headers={"APCA-API-KEY-ID": "key"}, json={"qty": "3"})
        for _ in range(3)
    ]

    assert [answer.json() for answer in answers] == [{"qty": "3"}] * 3
    assert len({port for *_, port in Echo.seen}) == 1
    for _, path, headers, _ in Echo.seen:
        assert path == "/v2/orders"
        assert headers["APCA-API-KEY-ID"] == "key"
        assert headers["Content-Type"] == "application/json"
        assert "Cookie" not in headers
    assert [headers["Content-Type"] for headers in told] == ["application/json"] * 3


def test_a_connection_long_idle_is_not_used_again(echo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_session, "LONGEST_IDLE", 0.5)
    session = AlpacaSession(echo, limits=(1.0, 10.0))

    for pause in (0.0, 0.0, 0.7, 0.0):
        time.sleep(pause)
        assert session.request("POST", f"{echo}/v2/orders", json={}).ok

    first, second, third, fourth = (port for *_, port in Echo.seen)
    assert first == second
    assert second != third
    assert third == fourth


def test_a_proxy_of_the_environment_is_used_and_one_set_later_is_not(
    echo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("http_proxy", raising=False)
    session = AlpacaSession(echo, limits=(1.0, 10.0))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")

    assert session.request("POST", f"{echo}/v2/orders", json={}).ok
    with pytest.raises(Unreachable):
        AlpacaSession(echo, limits=LIMITS).request("POST", f"{echo}/v2/orders", json={})
