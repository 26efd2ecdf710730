"""A real simulator per test: the built-in market read once, state in a fresh file, a socket of its own."""

from __future__ import annotations

import functools
import importlib.resources
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest
import uvicorn
from alpaca.trading.client import TradingClient
from jsonschema import Draft202012Validator

from simulator.__main__ import listen
from simulator.access import Keys
from simulator.app import SimulatorConfig, create_app
from simulator.exchange import Exchange
from simulator.loading import load_market
from simulator.market import History, Market
from simulator.sessions import Sessions
from simulator.store import Store

if TYPE_CHECKING:
    import socket
    from pathlib import Path

KEYS = Keys("test-key", "test-secret")
HEADERS = {"APCA-API-KEY-ID": KEYS.api_key, "APCA-API-SECRET-KEY": KEYS.secret_key}

Row = tuple[float, float, float, float]
MakeMarket = Callable[..., Market]
Check = Callable[[str, str, str, httpx.Response], Any]


xnys = functools.cache(Sessions.xnys)
"""The calendar takes a second to make."""


@pytest.fixture(scope="session")
def market() -> Market:
    return load_market(None)


@pytest.fixture
def make_market() -> MakeMarket:
    """Return a builder of markets from {symbol: {day: (open, high, low, close)}}."""

    def build(bars: Mapping[str, Mapping[date, Row]], actions: Mapping[str, Any] | None = None) -> Market:
        histories = {}
        for symbol, rows in bars.items():
            opens, highs, lows, closes = (np.array([row[place] for row in rows.values()]) for place in range(4))
            volume = np.full(len(rows), 1000)
            known = tuple((actions or {}).get(symbol, ()))
            histories[symbol] = History(symbol, list(rows), opens, highs, lows, closes, volume, known)
        days = sorted(day for rows in bars.values() for day in rows)
        return Market(histories, xnys(days[0], days[-1]), "made")

    return build


@pytest.fixture
def open_exchange(tmp_path: Path) -> Iterator[Callable[..., Exchange]]:
    """Return a builder of exchanges on a state file of the test's own."""
    stores: list[Store] = []

    def build(market: Market, *, start: date, cash: str = "100000", name: str = "state.sqlite") -> Exchange:
        stores.append(Store(tmp_path / name))
        return Exchange(market, stores[-1], start=start, cash=Decimal(cash), seed="test")

    yield build
    for store in stores:
        store.close()


@pytest.fixture
def exchange(market: Market, open_exchange: Callable[..., Exchange]) -> Exchange:
    """Return the built-in market at the close of 2012-11-30 with 100,000 dollars."""
    return open_exchange(market, start=date(2012, 11, 30))


@pytest.fixture
def server(market: Market, tmp_path: Path) -> Iterator[str]:
    """Serve the built-in market from a thread and return its address."""
    config = SimulatorConfig(state=tmp_path / "served.sqlite", keys=KEYS, seed="test")
    listener: socket.socket = listen("127.0.0.1", 0)
    served = uvicorn.Server(uvicorn.Config(create_app(config, market), log_level="warning", access_log=False))
    thread = threading.Thread(target=served.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not served.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    served.should_exit = True
    thread.join(10)
    listener.close()


@pytest.fixture
def api(server: str) -> Iterator[httpx.Client]:
    """Return a plain HTTP client with the right keys."""
    with httpx.Client(base_url=server, headers=HEADERS, timeout=30) as client:
        yield client


@pytest.fixture
def trading(server: str) -> TradingClient:
    """Return alpaca-py's trading client."""
    return TradingClient(KEYS.api_key, KEYS.secret_key, url_override=server)


@pytest.fixture(scope="session")
def check() -> Check:
    """Return a check of a response against Alpaca's own OpenAPI document; it hands the body back."""
    folder = importlib.resources.files("alpaca_mcp_server") / "specs"
    specs = {name: json.loads((folder / f"{name}-api.json").read_text("utf-8")) for name in ("trading", "market-data")}

    def validate(document: str, method: str, path: str, response: httpx.Response) -> Any:
        spec = specs[document]
        answer = spec["paths"][path][method]["responses"][str(response.status_code)]
        content = answer.get("content")
        if content is None:
            assert response.content == b""
            return None
        schema = content["application/json"]["schema"]
        Draft202012Validator({**schema, "components": spec["components"]}).validate(response.json())
        return response.json()

    return validate
