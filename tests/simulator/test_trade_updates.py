from __future__ import annotations

import asyncio
import json
import threading
import time
from typing import TYPE_CHECKING, Any

import msgpack
import pytest
from alpaca.trading.enums import TradeEvent
from alpaca.trading.stream import TradingStream
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx
    from alpaca.trading.models import TradeUpdate
    from websockets.sync.connection import Connection

LOGIN = {"action": "authenticate", "data": {"key_id": "test-key", "secret_key": "test-secret"}}
LISTEN = {"action": "listen", "data": {"streams": ["trade_updates"]}}


@pytest.fixture
def listen(server: str) -> Iterator[Callable[[], ClientConnection]]:
    """Return an opener of connections that listen to the account."""
    opened: list[ClientConnection] = []

    def open_() -> ClientConnection:
        socket = connect(server.replace("http", "ws") + "/stream")
        opened.append(socket)
        assert ask(socket, LOGIN)["data"] == {"status": "authorized", "action": "authenticate"}
        assert ask(socket, LISTEN) == {"stream": "listening", "data": {"streams": ["trade_updates"]}}
        return socket

    yield open_
    for socket in opened:
        socket.close()


def ask(socket: Connection, message: Any) -> Any:
    socket.send(message if isinstance(message, str) else json.dumps(message))
    return json.loads(socket.recv(timeout=5))


def received(socket: Connection, wait: float = 0.5) -> list[dict[str, Any]]:
    """Return every update until none has come for a while."""
    found: list[dict[str, Any]] = []
    while True:
        try:
            frame = socket.recv(timeout=wait)
        except TimeoutError:
            return found
        assert isinstance(frame, bytes)
        found.append(json.loads(frame)["data"])


def events(socket: Connection, wait: float = 0.5) -> list[str]:
    return [update["event"] for update in received(socket, wait)]


def send(api: httpx.Client, **fields: Any) -> Any:
    body = {"symbol": "AAPL", "side": "buy", "type": "market", "time_in_force": "day", "qty": "2", **fields}
    return api.post("/v2/orders", json=body).raise_for_status().json()


def advance(api: httpx.Client, step: str = "session") -> None:
    api.post("/simulator/clock", json={"advance": step}).raise_for_status()


def arm(api: httpx.Client, **fault: Any) -> None:
    api.post("/simulator/faults", json=fault).raise_for_status()


def test_an_orders_life_arrives_in_binary_frames(api: httpx.Client, listen: Callable[[], ClientConnection]) -> None:
    socket = listen()
    order = send(api)
    advance(api, "open")
    updates = received(socket)
    assert [update["event"] for update in updates] == ["pending_new", "accepted", "new", "fill"]
    fill = updates[-1]
    assert (fill["price"], fill["qty"], fill["position_qty"]) == ("593.65", "2", "2")
    assert fill["timestamp"] == "2012-12-03T14:30:00Z"
    assert fill["order"] == api.get(f"/v2/orders/{order['id']}").json()
    (activity,) = api.get("/v2/account/activities").json()
    assert activity["id"].endswith(f"::{fill['execution_id']}")


def test_cancel_replace_and_expiry_are_told(api: httpx.Client, listen: Callable[[], ClientConnection]) -> None:
    advance(api, "open")
    socket = listen()
    waiting = send(api, type="limit", limit_price="500")
    changed = api.patch(f"/v2/orders/{waiting['id']}", json={"limit_price": "501"}).raise_for_status().json()
    canceled = send(api, type="limit", limit_price="500")
    api.delete(f"/v2/orders/{canceled['id']}").raise_for_status()
    advance(api, "close")
    told = [(update["event"], update["order"]["id"]) for update in received(socket)]
    assert told == [
        ("pending_new", waiting["id"]),
        ("new", waiting["id"]),
        ("pending_replace", waiting["id"]),
        ("replaced", waiting["id"]),
        ("new", changed["id"]),
        ("pending_new", canceled["id"]),
        ("new", canceled["id"]),
        ("pending_cancel", canceled["id"]),
        ("canceled", canceled["id"]),
        ("expired", changed["id"]),
    ]


def test_alpaca_py_listens(server: str, api: httpx.Client) -> None:
    heard: list[TradeUpdate] = []
    stream = TradingStream("test-key", "test-secret", url_override=server.replace("http", "ws") + "/stream")

    async def hear(update: TradeUpdate) -> None:
        await asyncio.sleep(0)
        heard.append(update)

    stream.subscribe_trade_updates(hear)
    thread = threading.Thread(target=stream.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not stream._running and time.monotonic() < deadline:
        time.sleep(0.02)
    send(api, client_order_id="mine")
    advance(api, "open")
    while len(heard) < 4 and time.monotonic() < deadline:
        time.sleep(0.02)
    stream.stop()
    thread.join(10)
    assert [update.event for update in heard][-2:] == [TradeEvent.NEW, TradeEvent.FILL]
    assert (heard[-1].order.client_order_id, heard[-1].qty, heard[-1].price) == ("mine", 2.0, 593.65)


def test_nothing_is_replayed_to_who_comes_later(api: httpx.Client, listen: Callable[[], ClientConnection]) -> None:
    first = listen()
    send(api)
    assert events(first) == ["pending_new", "accepted"]
    first.close()
    advance(api, "open")
    assert events(listen()) == []


def test_who_is_not_logged_in_hears_nothing(server: str, api: httpx.Client) -> None:
    with connect(server.replace("http", "ws") + "/stream") as socket:
        wrong = {"action": "authenticate", "data": {"key_id": "test-key", "secret_key": "guess"}}
        assert ask(socket, wrong)["data"]["status"] == "unauthorized"
        assert ask(socket, LISTEN)["data"]["status"] == "unauthorized"
        for nonsense in ("{", "[1]", '{"action": "dance"}', '{"action": "listen", "data": 5}', "[" * 100_000):
            assert "data" in ask(socket, nonsense)
        send(api)
        assert events(socket) == []


def test_a_client_may_speak_messagepack(server: str, api: httpx.Client) -> None:
    headers = {"Content-Type": "application/msgpack"}
    with connect(server.replace("http", "ws") + "/stream", additional_headers=headers) as socket:
        for message in (LOGIN, LISTEN):
            socket.send(msgpack.packb(message))
            answer = socket.recv(timeout=5)
        assert isinstance(answer, bytes)
        assert msgpack.unpackb(answer)["data"] == {"streams": ["trade_updates"]}
        send(api)
        update = socket.recv(timeout=5)
        assert isinstance(update, bytes)
        assert msgpack.unpackb(update)["data"]["event"] == "pending_new"


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"kind": "stream_duplicate"}, ["pending_new", "pending_new", "accepted"]),
        ({"kind": "stream_reorder"}, ["accepted", "pending_new"]),
        ({"kind": "stream_loss"}, ["accepted"]),
        ({"kind": "stream_silence", "seconds": 1}, []),
    ],
)
def test_updates_go_wrong_on_demand(
    api: httpx.Client, listen: Callable[[], ClientConnection], fault: dict[str, Any], expected: list[str]
) -> None:
    socket = listen()
    arm(api, **fault)
    send(api)
    assert events(socket) == expected
    time.sleep(fault.get("seconds", 0))
    send(api)
    assert events(socket) == ["pending_new", "accepted"]


def test_the_last_update_is_not_held_back_for_ever(api: httpx.Client, listen: Callable[[], ClientConnection]) -> None:
    send(api)
    advance(api, "open")
    socket = listen()
    waiting = send(api, type="limit", limit_price="1")
    received(socket)
    arm(api, kind="stream_reorder")
    advance(api, "close")
    assert [update["order"]["id"] for update in received(socket, wait=2)] == [waiting["id"]]


@pytest.mark.parametrize("at", ["now", "next_update"])
def test_a_cut_closes_and_refuses_for_a_while(
    server: str, api: httpx.Client, listen: Callable[[], ClientConnection], at: str
) -> None:
    socket = listen()
    arm(api, kind="stream_cut", at=at, seconds=1)
    send(api)
    with pytest.raises(ConnectionClosed):
        socket.recv(timeout=5)
    with connect(server.replace("http", "ws") + "/stream") as refused, pytest.raises(ConnectionClosed):
        refused.recv(timeout=5)
    time.sleep(1)
    again = listen()
    send(api)
    assert events(again) == ["pending_new", "accepted"]
