"""A simulator with minute bars on a socket of its own, for the tests of the market-data stream."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import uvicorn

from simulator.__main__ import listen
from simulator.access import Keys
from simulator.app import SimulatorConfig, create_app
from simulator.market import History, Market
from simulator.minutes import Minutes
from simulator.sessions import Sessions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEYS = Keys("test-key", "test-secret")
HEADERS = {"APCA-API-KEY-ID": KEYS.api_key, "APCA-API-SECRET-KEY": KEYS.secret_key}
DAYS = [date(2024, 3, 7), date(2024, 3, 8), date(2024, 3, 11), date(2024, 3, 12)]
TODAY = date(2024, 3, 11)
OPEN, CLOSE = datetime(2024, 3, 11, 13, 30, tzinfo=UTC), datetime(2024, 3, 11, 20, tzinfo=UTC)
SYMBOLS = ("AAPL", "IBM", "MSFT")
MINUTE = timedelta(minutes=1)


def minute_market() -> Market:
    """Return three symbols with every minute of two sessions, and a minute before the open and after the close."""
    histories, minutes = {}, {}
    opens = [datetime(2024, 3, 8, 14, 30, tzinfo=UTC), OPEN]
    starts = np.concatenate([int(at.timestamp()) + 60 * np.arange(-1, 391) for at in opens])
    for number, symbol in enumerate(SYMBOLS):
        generator = np.random.default_rng(number)
        close = np.round(100 * (number + 1) + np.cumsum(generator.normal(0, 0.05, len(starts))), 2)
        opened = np.round(close + 0.01, 2)
        volume = generator.integers(100, 10_000, len(starts))
        minutes[symbol] = Minutes(starts.copy(), opened, opened + 0.05, close - 0.05, close, volume)
        row = np.full(len(DAYS), close[0])
        histories[symbol] = History(symbol, DAYS, row, row + 1, row - 1, row, np.full(len(DAYS), 1_000_000))
    return Market(histories, Sessions.xnys(DAYS[0], DAYS[-1]), "minutes", minutes)


@dataclass(frozen=True)
class Simulated:
    """A running simulator and its control routes."""

    url: str
    market: Market
    server: uvicorn.Server

    @property
    def stream_url(self) -> str:
        return self.url.replace("http", "ws")

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = httpx.post(f"{self.url}/simulator/{path}", json=body, headers=HEADERS, timeout=30)
        answer.raise_for_status()
        document: dict[str, Any] = answer.json()
        return document

    def to(self, at: datetime) -> None:
        self.post("clock", {"to": at.isoformat()})

    def correct(self, symbol: str, at: datetime, **figures: float) -> None:
        minutes = self.market.minutes[symbol]
        row = minutes.place(at)
        assert row is not None
        known = {name: getattr(minutes, name)[row].item() for name in ("open", "high", "low", "close", "volume")}
        self.post("bars", {"symbol": symbol, "ts": at.isoformat(), **known, **figures})


@contextmanager
def simulated(place: Path) -> Iterator[Simulated]:
    """Serve the minute market from a thread, its clock at the close of 2024-03-08."""
    market = minute_market()
    config = SimulatorConfig(state=place / "minutes.sqlite", keys=KEYS, seed="test", start=date(2024, 3, 8))
    listener = listen("127.0.0.1", 0)
    server = uvicorn.Server(
        uvicorn.Config(create_app(config, market), log_level="warning", access_log=False, timeout_graceful_shutdown=2)
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield Simulated(f"http://127.0.0.1:{listener.getsockname()[1]}", market, server)
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
