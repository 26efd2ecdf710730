"""A real simulator per test: the built-in market read once, state in a fresh file, a socket of its own."""

from __future__ import annotations

import functools
import importlib.resources
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest
from alpaca.trading.client import TradingClient
from jsonschema import Draft202012Validator

from simulator.exchange import Exchange
from simulator.loading import load_market
from simulator.market import History, Market
from simulator.sessions import Sessions
from simulator.store import Store
from tests.simulator.served import HEADERS, KEYS, serving

if TYPE_CHECKING:
    from pathlib import Path


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
    with serving(market, tmp_path / "served.sqlite") as address:
        yield address


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
