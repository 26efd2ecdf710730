"""The market-data websocket over a real socket, mostly as alpaca-py's own client speaks it."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import msgpack
import pytest
from alpaca.data.enums import DataFeed
from alpaca.data.historical.stock import StockHistoricalDataClient
from alpaca.data.live.stock import StockDataStream
from alpaca.data.models import BarSet
from alpaca.data.requests import StockBarsRequest
from alpaca.data.timeframe import TimeFrame
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from simulator import data_stream
from simulator.minutes import FIGURES
from tests.minute_market import CLOSE, HEADERS, KEYS, MINUTE, OPEN, SYMBOLS, Simulated, simulated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from alpaca.data.models import Bar
    from websockets.sync.connection import Connection

CONNECTED = [{"T": "success", "msg": "connected"}]
AUTHENTICATED = [{"T": "success", "msg": "authenticated"}]


@pytest.fixture
def market(tmp_path: Any) -> Iterator[Simulated]:
    with simulated(tmp_path) as served:
        served.to(OPEN)
        yield served


@contextmanager
def alpaca_stream(market: Simulated, secret: str = KEYS.secret_key) -> Iterator[tuple[StockDataStream, list[Any]]]:
    """Run alpaca-py's client for all three kinds of bars in a thread, until it has subscribed."""
    client = StockDataStream(
        KEYS.api_key, secret, feed=DataFeed.IEX, url_override=f"{market.stream_url}/v2/iex", data_timeout=30
    )
    heard: list[tuple[str, Bar]] = []

    def hear(kind: str) -> Any:
        async def handler(bar: Bar) -> None:
            heard.append((kind, bar))

        return handler

    client.subscribe_bars(hear("bar"), *SYMBOLS)
    client.subscribe_updated_bars(hear("updated"), "*")
    client.subscribe_daily_bars(hear("daily"), "IBM")
    thread = threading.Thread(target=client.run, daemon=True)
    thread.start()
    yield client, heard
    client.stop()
    market.to(CLOSE)  # its client looks whether to stop after each frame, else every 5 s
    thread.join(15)
    assert not thread.is_alive()


def raw(market: Simulated, feed: str = "iex", **options: Any) -> Connection:
    return connect(f"{market.stream_url}/v2/{feed}", **options)


def ask(socket: Connection, **request: Any) -> Any:
    socket.send(json.dumps(request))
    return json.loads(socket.recv(5))


def log_in(socket: Connection) -> Any:
    assert json.loads(socket.recv(5)) == CONNECTED
    return ask(socket, action="auth", key=KEYS.api_key, secret=KEYS.secret_key)


def wait(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_alpacas_client_hears_each_minute_as_the_clock_passes_it_and_what_history_says_too(market: Simulated) -> None:
    with alpaca_stream(market) as (client, heard):
        wait(lambda: client._running)
        market.to(OPEN + MINUTE)
        market.to(OPEN + 3 * MINUTE)
        wait(lambda: len(heard) == 12)
        told = list(heard)
    streamed = {(bar.symbol, bar.timestamp): bar for kind, bar in told if kind == "bar"}
    query = StockBarsRequest(
        symbol_or_symbols=list(SYMBOLS),
        timeframe=TimeFrame.Minute,
        start=OPEN,
        end=OPEN + 2 * MINUTE,
        feed=DataFeed.IEX,
    )
    history = StockHistoricalDataClient(KEYS.api_key, KEYS.secret_key, url_override=market.url).get_stock_bars(query)

    assert isinstance(history, BarSet)
    asked = {(bar.symbol, bar.timestamp): bar for symbol in SYMBOLS for bar in history.data[symbol]}
    assert len(streamed) == 9
    assert streamed == asked
    days = [bar for kind, bar in told if kind == "daily"]
    assert [bar.timestamp for bar in days] == [datetime(2024, 3, 11, 4, tzinfo=UTC)] * 3
    first = market.market.minutes["IBM"]
    row = first.place(OPEN)
    assert row is not None
    assert days[-1].volume == first.volume[row - 1 : row + 3].sum()


def test_alpacas_client_hears_a_correction_as_an_updated_bar(market: Simulated) -> None:
    market.to(OPEN + MINUTE)
    with alpaca_stream(market) as (client, heard):
        wait(lambda: client._running)
        market.correct("MSFT", OPEN, close=301.5, high=302.0)
        wait(lambda: heard)
        ((kind, bar),) = heard
    assert (kind, bar.symbol, bar.timestamp, bar.close, bar.high) == ("updated", "MSFT", OPEN, 301.5, 302.0)


def test_alpacas_client_is_refused_with_a_wrong_key(market: Simulated, caplog: pytest.LogCaptureFixture) -> None:
    with alpaca_stream(market, secret="wrong") as (client, heard):
        wait(lambda: "auth failed" in caplog.text)
        assert not client._running
    assert heard == []


def test_the_answers_are_alpacas_in_json_and_in_msgpack(market: Simulated) -> None:
    with raw(market) as socket:
        assert log_in(socket) == AUTHENTICATED
        answer = ask(socket, action="subscribe", bars=["IBM"], updatedBars=["*"])
        assert answer[0]["T"] == "subscription"
        assert (answer[0]["bars"], answer[0]["updatedBars"], answer[0]["trades"]) == (["IBM"], ["*"], [])
        market.to(OPEN + MINUTE)
        (bar,) = json.loads(socket.recv(5))
        assert (bar["T"], bar["S"], bar["t"]) == ("b", "IBM", "2024-03-11T13:30:00Z")
        assert ask(socket, action="unsubscribe", bars=["IBM"])[0]["bars"] == []
    headers = {"Content-Type": "application/msgpack", **HEADERS}
    with raw(market, additional_headers=headers) as socket:
        answers = [msgpack.unpackb(socket.recv(5)) for _ in range(2)]
        assert answers == [CONNECTED, AUTHENTICATED]
        socket.send(msgpack.packb({"action": "subscribe", "bars": ["IBM"]}))
        assert msgpack.unpackb(socket.recv(5))[0]["bars"] == ["IBM"]
        market.to(OPEN + 2 * MINUTE)
        (packed,) = msgpack.unpackb(socket.recv(5), timestamp=3)
        assert (packed["S"], packed["t"]) == ("IBM", OPEN + MINUTE)


def test_a_second_connection_is_refused_until_the_first_is_gone(market: Simulated) -> None:
    with raw(market) as first:
        log_in(first)
        with raw(market) as second:
            assert log_in(second) == [{"T": "error", "code": 406, "msg": "connection limit exceeded"}]
            with pytest.raises(ConnectionClosed):
                second.recv(5)
        with raw(market, "sip") as other_feed:
            assert log_in(other_feed) == AUTHENTICATED
    with raw(market) as third:
        assert log_in(third) == AUTHENTICATED


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"action": "subscribe", "trades": ["IBM"]}, 410),
        ({"action": "subscribe", "bars": ["IBM"], "quotes": ["IBM"]}, 410),
        ({"action": "subscribe", "candles": ["IBM"]}, 400),
        ({"action": "subscribe", "bars": "IBM"}, 400),
        ({"action": "subscribe", "bars": ["i b m"]}, 400),
        ({"action": "dance"}, 400),
        ({"action": "auth", "key": "a", "secret": "b"}, 403),
        ([1], 400),
    ],
)
def test_a_bad_request_is_answered_with_alpacas_error_and_changes_nothing(
    market: Simulated, request_: Any, code: int
) -> None:
    with raw(market) as socket:
        log_in(socket)
        socket.send(json.dumps(request_))
        (error,) = json.loads(socket.recv(5))
        assert (error["T"], error["code"], error["msg"]) == ("error", code, data_stream.ERRORS[code])
        assert ask(socket, action="subscribe", bars=["MSFT"])[0]["bars"] == ["MSFT"]


def test_what_is_no_message_at_all_is_answered_too(market: Simulated) -> None:
    with raw(market) as socket:
        log_in(socket)
        for frame in (b"\xc1\xff", "{", "<html>"):
            socket.send(frame)
            assert json.loads(socket.recv(5)) == [{"T": "error", "code": 400, "msg": "invalid syntax"}]


def test_nothing_is_served_before_the_login_which_must_come_soon(
    market: Simulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_stream, "AUTHENTICATION_SECONDS", 0.3)
    with raw(market) as socket:
        assert json.loads(socket.recv(5)) == CONNECTED
        assert ask(socket, action="subscribe", bars=["IBM"])[0]["code"] == 401
        assert json.loads(socket.recv(5)) == [{"T": "error", "code": 404, "msg": "auth timeout"}]
        with pytest.raises(ConnectionClosed):
            socket.recv(5)


def test_an_unknown_feed_is_refused_at_the_door(market: Simulated) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        raw(market, "tape")


def test_a_client_that_does_not_read_is_told_and_cut_off(market: Simulated, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_stream, "MOST_WAITING", 50)
    with raw(market) as socket:
        log_in(socket)
        ask(socket, action="subscribe", bars=["*"], dailyBars=["*"])
        market.to(CLOSE)  # 390 frames at once
        frames = [json.loads(frame) for frame in socket]
    assert frames[-1] == [{"T": "error", "code": 407, "msg": "slow client"}]
    assert len(frames) == 51


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"symbol": "IBM"}, 422),
        (
            {"symbol": "NONE", "ts": OPEN.isoformat(), **dict.fromkeys(FIGURES, 1)},
            404,
        ),
        (
            {"symbol": "IBM", "ts": OPEN.isoformat(), **dict.fromkeys(FIGURES, 1)},
            404,
        ),
    ],
)
def test_only_a_complete_minute_bar_can_be_corrected(market: Simulated, body: dict[str, Any], status: int) -> None:
    answer = httpx.post(f"{market.url}/simulator/bars", json=body, headers=HEADERS, timeout=10)

    assert answer.status_code == status
