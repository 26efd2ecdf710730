from __future__ import annotations

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from dashboard.client import ApiError, Client, from_environment, segment

if TYPE_CHECKING:
    from collections.abc import Iterator


class Answers(BaseHTTPRequestHandler):
    """Answers by path the way a healthy, a refusing and a broken server do."""

    seen: list[tuple[str, str | None, Any]]

    def do_GET(self) -> None:
        self._note(None)
        path = self.path.split("?")[0]
        refusals = {"/missing": (404, {"error": "unknown order 7"}), "/login": (401, {"error": "no"})}
        if path in refusals:
            self._answer(refusals[path][0], json.dumps(refusals[path][1]))
        elif path == "/health":
            self._answer(503, json.dumps({"status": "unhealthy", "checks": []}))
        elif path == "/page":
            self._answer(200, "<html>")
        elif path == "/gateway":
            self._answer(502, "<html>")
        else:
            self._answer(200, json.dumps({"path": self.path}))

    def do_PUT(self) -> None:
        self._note(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self._answer(200, "{}")

    def _note(self, body: Any) -> None:
        self.seen.append((self.path, self.headers.get("Authorization"), body))

    def _answer(self, status: int, body: str) -> None:
        payload = body.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    Answers.seen = []
    running = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield running
    running.shutdown()
    running.server_close()
    thread.join(10)


@pytest.fixture
def client(server: ThreadingHTTPServer) -> Iterator[Client]:
    made = Client.connect(f"http://127.0.0.1:{server.server_port}/", "very-secret")
    yield made
    made.http.close()


def test_a_read_carries_the_token_and_only_given_parameters(client: Client) -> None:
    assert client.get("/api/orders", status=None, symbol="", limit=5) == {"path": "/api/orders?limit=5"}
    assert Answers.seen[0][1] == "Bearer very-secret"


def test_a_change_sends_its_body(client: Client) -> None:
    client.put("/api/risk/limits/max_drawdown", {"value": 0.2}, account="SIM1")
    assert Answers.seen == [("/api/risk/limits/max_drawdown?account=SIM1", "Bearer very-secret", {"value": 0.2})]


def test_a_refusal_is_the_apis_own_line(client: Client) -> None:
    with pytest.raises(ApiError, match=r"^unknown order 7$") as caught:
        client.get("/missing")
    assert caught.value.status == 404


def test_a_wrong_token_says_what_to_set(client: Client) -> None:
    with pytest.raises(ApiError, match="TRADING_API_TOKEN"):
        client.get("/login")


def test_an_accepted_status_is_an_answer(client: Client) -> None:
    assert client.get("/health", accept=(503,))["status"] == "unhealthy"


def test_a_page_that_is_not_the_api_is_named(client: Client) -> None:
    with pytest.raises(ApiError, match=r"did not answer with JSON; check that TRADING_API_URL"):
        client.get("/page")
    with pytest.raises(ApiError, match="answered 502 to GET /gateway"):
        client.get("/gateway")


def test_a_silent_api_is_one_line_that_says_what_to_do() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening: every connection is refused
        client = Client.connect(f"http://127.0.0.1:{taken.getsockname()[1]}", "")
        with pytest.raises(ApiError, match=r"does not answer at http://127\.0\.0\.1:\d+; .*`trading status`") as caught:
            client.get("/api/portfolio")
        client.http.close()
    assert "\n" not in str(caught.value)


def test_the_token_is_in_no_representation(client: Client) -> None:
    assert "very-secret" not in repr(client)


def test_names_cannot_leave_their_segment() -> None:
    assert segment("a/../b?c") == "a%2F..%2Fb%3Fc"


def test_the_environment_names_the_api(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRADING_API_URL", raising=False)
    monkeypatch.setenv("TRADING_API_TOKEN", "t")
    assert from_environment() == ("http://127.0.0.1:8000", "t")
    monkeypatch.setenv("TRADING_API_URL", "http://127.0.0.1:9000/")
    assert from_environment()[0] == "http://127.0.0.1:9000"
