"""The websocket at /stream: every change of an order to whoever listens, nothing of the past.

Spoken as Alpaca's paper endpoint does: authenticate, listen, then binary frames of JSON, or of MessagePack for a
client that asks for it with the header Content-Type: application/msgpack. A login may come in either of the two
forms that Alpaca knows.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from typing import TYPE_CHECKING, Any

import msgpack
from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from simulator.faults.models import (
    StreamCut,
    StreamDuplicate,
    StreamLoss,
    StreamReorder,
    StreamSilence,
)
from simulator.presentation import order_json, plain, stamp

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulator.access import Keys
    from simulator.faults.register import Faults
    from simulator.ledger import Change

router = APIRouter(tags=["stream"])

STREAM = "trade_updates"
LONGEST_HOLD = 1.0
"""Seconds a reordered update waits for the one that is to overtake it."""
UNAVAILABLE, GOING_AWAY = 1013, 1001
"""WebSocket close codes (RFC 6455, section 7.4.1)."""

Message = dict[str, Any]


def update_json(change: Change) -> Message:
    """Return a change as Alpaca's trade update."""
    data: Message = {"event": change.event, "timestamp": stamp(change.at), "order": order_json(change.order)}
    if change.fill is not None:
        data |= {
            "execution_id": change.fill.execution_id,
            "price": plain(change.fill.price or change.fill.qty),
            "qty": plain(change.fill.qty),
            "position_qty": plain(change.position_qty or change.fill.qty * 0),
        }
    return {"stream": STREAM, "data": data}


class TradeUpdates:
    """The connections that listen, and the stream's faults between the account and them."""

    def __init__(self, keys: Keys, faults: Faults) -> None:
        self.keys, self._faults = keys, faults
        self._queues: set[asyncio.Queue[Message | None]] = set()
        self._closed_until = self._silent_until = 0.0
        self._held: Message | None = None

    @property
    def is_cut(self) -> bool:
        """Whether no connection is taken at present."""
        return time.monotonic() < self._closed_until

    def join(self) -> asyncio.Queue[Message | None]:
        """Return a new connection's queue of messages; None in it ends the connection."""
        queue: asyncio.Queue[Message | None] = asyncio.Queue()
        self._queues.add(queue)
        return queue

    def leave(self, queue: asyncio.Queue[Message | None]) -> None:
        """Forget a connection."""
        self._queues.discard(queue)

    def cut(self, seconds: float) -> None:
        """Close every connection, and take none for so many seconds of real time."""
        self._closed_until = time.monotonic() + seconds
        for queue in self._queues:
            queue.put_nowait(None)

    def publish(self, change: Change) -> None:
        """Hand a change to every connection, unless a fault gets in the way."""
        if not self._queues:
            return
        cut = self._faults.first(StreamCut, lambda fault: fault.at == "next_update")
        if cut is not None:
            self.cut(cut.seconds)
            return
        silence = self._faults.first(StreamSilence)
        if silence is not None:
            self._silent_until = time.monotonic() + silence.seconds
        if time.monotonic() < self._silent_until or self._faults.first(StreamLoss) is not None:
            return
        message = update_json(change)
        if self._held is None and self._faults.first(StreamReorder) is not None:
            self._held = message
            asyncio.get_running_loop().call_later(LONGEST_HOLD, self._release, message)
            return
        self._send(message)
        if self._faults.first(StreamDuplicate) is not None:
            self._send(message)
        if self._held is not None:
            self._release(self._held)

    def _release(self, message: Message) -> None:
        if self._held is message:
            self._held = None
            self._send(message)

    def _send(self, message: Message) -> None:
        for queue in self._queues:
            queue.put_nowait(message)


@router.websocket("/stream")
async def stream(socket: WebSocket) -> None:
    """Serve one client: its logins and subscriptions on one side, updates on the other."""
    updates: TradeUpdates = socket.app.state.trade_updates
    await socket.accept()
    if updates.is_cut:
        await socket.close(UNAVAILABLE)
        return
    session = _Session(socket, updates)
    queue = updates.join()
    tasks = [asyncio.create_task(session.read()), asyncio.create_task(session.write(queue))]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    except WebSocketDisconnect:
        return
    finally:
        updates.leave(queue)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    with contextlib.suppress(RuntimeError, WebSocketDisconnect):  # the client may have closed first
        await socket.close(GOING_AWAY)


class _Session:
    """One connection: who it is and whether it listens."""

    def __init__(self, socket: WebSocket, updates: TradeUpdates) -> None:
        self._socket, self._updates = socket, updates
        self._authorized = self._listening = False
        packed = socket.headers.get("content-type", "").startswith("application/msgpack")
        self._pack: Callable[[Message], bytes] = msgpack.packb if packed else _json_bytes
        self._unpack: Callable[[bytes], Any] = msgpack.unpackb if packed else json.loads

    async def read(self) -> None:
        """Answer what the client sends until it leaves."""
        while True:
            received = await self._socket.receive()
            if received["type"] == "websocket.disconnect":
                raise WebSocketDisconnect
            raw = received.get("bytes") or (received.get("text") or "").encode()
            try:
                asked = self._unpack(raw)
            except (ValueError, RecursionError, msgpack.UnpackException):
                asked = None
            await self._answer(asked if isinstance(asked, dict) else {})

    async def _answer(self, asked: Message) -> None:
        action, data = asked.get("action"), asked.get("data")
        data = data if isinstance(data, dict) else {}
        if action in {"authenticate", "auth"}:
            sent = (data.get("key_id", asked.get("key")), data.get("secret_key", asked.get("secret")))
            self._authorized = self._updates.keys.match(*(str(part or "") for part in sent))
            status = "authorized" if self._authorized else "unauthorized"
            await self._send({"stream": "authorization", "data": {"status": status, "action": "authenticate"}})
        elif action == "listen" and self._authorized:
            wanted = data.get("streams")
            self._listening = isinstance(wanted, list) and STREAM in wanted
            await self._send({"stream": "listening", "data": {"streams": [STREAM] if self._listening else []}})
        elif action == "listen":
            refused = {"status": "unauthorized", "action": "listen"}
            await self._send({"stream": "authorization", "data": refused})
        else:
            await self._send({"stream": "listening", "data": {"error": "invalid message: authenticate or listen"}})

    async def write(self, queue: asyncio.Queue[Message | None]) -> None:
        """Send what is published while the client listens; return when the stream is cut."""
        while (message := await queue.get()) is not None:
            if self._listening:
                await self._send(message)

    async def _send(self, message: Message) -> None:
        await self._socket.send_bytes(self._pack(message))


def _json_bytes(message: Message) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode()
