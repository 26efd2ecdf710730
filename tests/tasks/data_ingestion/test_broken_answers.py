"""Answers no broker should give, from a server of the test's own: one clear line, and stored data as it was."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from typing import TYPE_CHECKING, Any

import pytest

from tasks import resources
from tasks.data_ingestion.fetching import fetch_chunk, plan_fetch
from trading.errors import DataError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.stack import Stack

START, END = date(1999, 3, 1), date(1999, 3, 5)
STATE = (
    "SELECT (SELECT count(*) FROM data_ingestion.bars), (SELECT count(*) FROM data_ingestion.fetched_ranges), "
    "(SELECT count(*) FROM data_ingestion.bar_revisions)"
)


def bar(ts: str = "1999-03-02T05:00:00Z", **changed: Any) -> dict[str, Any]:
    return {"t": ts, "o": 10.0, "h": 11.0, "l": 9.0, "c": 10.5, "v": 100} | changed


def page(*bars: Any, symbol: str = "IBM", following: str | None = None) -> bytes:
    return json.dumps({"bars": {symbol: list(bars)}, "next_page_token": following}).encode()


@contextmanager
def serving(bodies: Sequence[bytes], *, declared: int = 0) -> Iterator[str]:
    """Serve bodies in turn, each said to be `declared` bytes longer than it is; yield the address."""
    turn = cycle(bodies)

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = next(turn)
            self.send_response(200)
            self.send_header("Content-Length", str(len(body) + declared))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Keep the tests' output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def fetch(monkeypatch: pytest.MonkeyPatch, address: str) -> int:
    """Fetch a week nobody has, from another address than the broker's; return the bars written."""
    elsewhere = resources.credentials().model_copy(update={"data_url": address})
    plan = plan_fetch.fn(["IBM"], timeframe="1Day", start=START, end=END)
    with monkeypatch.context() as patched:
        patched.setattr(resources, "credentials", lambda: elsewhere)
        return sum(fetch_chunk.fn(plan, chunk).written for chunk in plan.chunks)


@pytest.mark.parametrize(
    ("bodies", "declared", "error", "told"),
    [
        ([page(bar())[:-9]], 0, UnavailableError, "no readable answer"),
        ([page(bar())], 400, UnavailableError, "no readable answer"),
        ([b"<!DOCTYPE html><html><body>Bad gateway</body></html>"], 0, UnavailableError, "no readable answer"),
        ([b""], 0, UnavailableError, "not a JSON object"),
        ([b"[]"], 0, UnavailableError, "not a JSON object"),
        ([page(bar(), following="a"), page(bar(), following="b")], 0, UnavailableError, "the same pages again"),
        ([b'{"bars": ["IBM"]}'], 0, DataError, "a bar cannot be read"),
        ([page("10.5")], 0, DataError, "a bar cannot be read"),
        ([page(bar(c="ten"))], 0, DataError, "a bar cannot be read"),
        ([page(bar("yesterday"))], 0, DataError, "a bar cannot be read"),
        ([page({"o": 10.0})], 0, DataError, "not asked for"),
        ([page(bar(), symbol="MSFT")], 0, DataError, "a bar of MSFT"),
        ([page(bar("1998-03-02T05:00:00Z"))], 0, DataError, "not asked for"),
        ([page(bar(c=1e14))], 0, DataError, "cannot be stored"),
    ],
)
def test_a_broken_answer_is_one_line_and_changes_nothing(
    inside: Stack, monkeypatch: pytest.MonkeyPatch, *, bodies: list[bytes], declared: int, error: type, told: str
) -> None:
    before = inside.rows(STATE)

    with serving(bodies, declared=declared) as address, pytest.raises(error, match=told) as caught:
        fetch(monkeypatch, address)

    assert "\n" not in str(caught.value)
    assert inside.rows(STATE) == before


def test_a_bar_that_stands_on_two_pages_is_stored_once_as_the_later_says(
    inside: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving([page(bar(), following="a"), page(bar(c=10.75))]) as address:
        written = fetch(monkeypatch, address)

    stored = inside.rows("SELECT close FROM data_ingestion.bars WHERE symbol = 'IBM' AND ts < '1999-04-01'")
    with inside.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM data_ingestion.bars WHERE symbol = 'IBM' AND ts < '1999-04-01'")
        connection.exec_driver_sql("DELETE FROM data_ingestion.fetched_ranges WHERE range_start < '1999-04-01'")
    assert written == 1
    assert stored == [(10_750_000,)]
