"""The market-data websocket: who listens to which bars, and what each is sent as the clock passes a minute."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgpack
from starlette.datastructures import Headers
from starlette.websockets import WebSocket, WebSocketDisconnect

from simulator.errors import UnauthorizedError
from simulator.minutes import MINUTE
from simulator.presentation import stamp
from simulator.request_values import SYMBOL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from simulator.access import Keys
    from simulator.exchange import Exchange
    from simulator.minutes import Minutes

AUTHENTICATION_SECONDS = 10.0
MOST_WAITING = 10_000
"""Frames that may wait for a client before it counts as slow."""
SERVED = {"bars": "b", "updatedBars": "u", "dailyBars": "d"}
"""The channels that the data can fill, and the type of their messages."""
KNOWN = (*SERVED, "trades", "quotes", "statuses", "lulds", "corrections", "cancelErrors", "orderbooks", "news")
ERRORS = {
    400: "invalid syntax",
    401: "not authenticated",
    402: "auth failed",
    403: "already authenticated",
    404: "auth timeout",
    406: "connection limit exceeded",
    407: "slow client",
    410: "invalid subscribe action for this feed",
}
Messages = list[dict[str, Any]]


class StreamError(Exception):
    """Raised when a client asks for what it cannot have; `ends` when the connection ends with the answer."""

    def __init__(self, code: int, *, ends: bool = False) -> None:
        super().__init__(ERRORS[code])
        self.code, self.ends = code, ends

    def messages(self) -> Messages:
        """Return the answer."""
        return [{"T": "error", "code": self.code, "msg": ERRORS[self.code]}]


@dataclass(eq=False, slots=True)
class Listener:
    """One connection: its encoding, its subscriptions, and the frames it has yet to be sent (None ends it)."""

    socket: WebSocket
    packed: bool
    channels: dict[str, set[str]] = field(default_factory=lambda: {name: set() for name in SERVED})
    waiting: asyncio.Queue[Messages | None] = field(default_factory=asyncio.Queue)
    authenticated: bool = False

    def send(self, messages: Messages) -> None:
        """Put a frame in line; a client that reads too slowly is told so and disconnected."""
        if self.waiting.qsize() < MOST_WAITING:
            self.waiting.put_nowait(messages)
        elif self.waiting.qsize() == MOST_WAITING:
            self.waiting.put_nowait(StreamError(407).messages())
            self.waiting.put_nowait(None)

    def wants(self, channel: str, symbol: str) -> bool:
        """Return whether a channel of a symbol, or of all symbols, is subscribed to."""
        return not self.channels[channel].isdisjoint((symbol, "*"))

    async def deliver(self) -> None:
        """Send frames in order until the end."""
        with suppress(WebSocketDisconnect, RuntimeError):  # it may be gone before it has everything
            while (messages := await self.waiting.get()) is not None:
                if self.packed:
                    await self.socket.send_bytes(msgpack.packb(messages, datetime=True))
                else:
                    await self.socket.send_text(json.dumps(messages, default=stamp))
            await self.socket.close()

    async def receive(self) -> dict[str, Any]:
        """Return the next request.

        Raises
        ------
        StreamError
            It cannot be read.
        """
        frame = await self.socket.receive()
        if frame["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(frame.get("code", 1000))
        raw = frame.get("bytes") or (frame.get("text") or "").encode()
        try:
            request = msgpack.unpackb(raw) if self.packed else json.loads(raw)
        except (ValueError, RecursionError, msgpack.UnpackException):
            raise StreamError(400) from None
        if not isinstance(request, dict):
            raise StreamError(400)
        return request


class DataStream:
    """Serves /v2/{feed}: one connection a feed, as Alpaca allows an account."""

    def __init__(self, exchange: Exchange, keys: Keys) -> None:
        self._exchange, self._keys = exchange, keys
        self._listeners: dict[str, Listener] = {}

    async def serve(self, socket: WebSocket, feed: str) -> None:
        """Speak with one client until it leaves."""
        await socket.accept()
        listener = Listener(socket, "msgpack" in socket.headers.get("content-type", ""))
        sender = asyncio.create_task(listener.deliver())
        listener.send([{"T": "success", "msg": "connected"}])
        try:
            await self._converse(listener, feed)
        except WebSocketDisconnect:
            sender.cancel()
        finally:
            if self._listeners.get(feed) is listener:
                del self._listeners[feed]
            listener.waiting.put_nowait(None)
            with suppress(asyncio.CancelledError):
                await sender

    async def _converse(self, listener: Listener, feed: str) -> None:
        headers = listener.socket.headers
        try:
            if "apca-api-key-id" in headers:
                self._admit(listener, feed, headers)
            async with asyncio.timeout(AUTHENTICATION_SECONDS) as patience:
                while True:
                    try:
                        self._answer(listener, feed, await listener.receive())
                    except StreamError as error:
                        if error.ends:
                            raise
                        listener.send(error.messages())
                    if listener.authenticated:
                        patience.reschedule(None)
        except TimeoutError:
            listener.send(StreamError(404).messages())
        except StreamError as error:
            listener.send(error.messages())

    def _answer(self, listener: Listener, feed: str, request: dict[str, Any]) -> None:
        action = request.get("action")
        if action == "auth":
            if listener.authenticated:
                raise StreamError(403)
            pair = {"apca-api-key-id": request.get("key"), "apca-api-secret-key": request.get("secret")}
            self._admit(listener, feed, Headers({name: str(value) for name, value in pair.items()}))
        elif not listener.authenticated:
            raise StreamError(401)
        elif action in {"subscribe", "unsubscribe"}:
            _subscribe(listener, request, wanted=action == "subscribe")
        else:
            raise StreamError(400)

    def _admit(self, listener: Listener, feed: str, headers: Headers) -> None:
        try:
            self._keys.check(headers)
        except UnauthorizedError:
            raise StreamError(402, ends=True) from None
        if feed in self._listeners:
            raise StreamError(406, ends=True)
        self._listeners[feed], listener.authenticated = listener, True
        listener.send([{"T": "success", "msg": "authenticated"}])

    def clock_moved(self, before: datetime) -> None:
        """Send the bars that were completed since `before`, minute by minute; a day's bar follows its minutes."""
        for listener in self._listeners.values():
            for rows in self._completed(before):
                messages = [
                    {"T": kind, "S": symbol, **(minutes.day_message(row) if kind == "d" else minutes.message(row))}
                    for channel, kind in SERVED.items()
                    if kind != "u"
                    for symbol, minutes, row in rows
                    if listener.wants(channel, symbol)
                ]
                if messages:
                    listener.send(messages)

    def corrected(self, symbol: str, row: int) -> None:
        """Send a bar that was given other figures."""
        message = {"T": "u", "S": symbol, **self._exchange.market.minutes[symbol].message(row)}
        for listener in self._listeners.values():
            if listener.wants("updatedBars", symbol):
                listener.send([message])

    def _completed(self, before: datetime) -> Iterator[list[tuple[str, Minutes, int]]]:
        """Yield, for each minute whose end lies in (before, now], its bars."""
        now, known = self._exchange.now, self._exchange.market.minutes
        ended: dict[int, list[tuple[str, Minutes, int]]] = {}
        for symbol, minutes in known.items():
            for row in range(minutes.seen(before), minutes.seen(now)):
                ended.setdefault(int(minutes.starts[row]) + MINUTE, []).append((symbol, minutes, row))
        for end in sorted(ended):
            yield ended[end]


def _subscribe(listener: Listener, request: dict[str, Any], *, wanted: bool) -> None:
    """Change the subscriptions as asked, all of it or nothing, and answer with what they are now."""
    asked = {name: symbols for name, symbols in request.items() if name != "action"}
    if any(name not in KNOWN or not _are_symbols(symbols) for name, symbols in asked.items()):
        raise StreamError(400)
    if any(symbols and name not in SERVED for name, symbols in asked.items()):
        raise StreamError(410)
    for name, symbols in asked.items():
        if name in SERVED:
            change = listener.channels[name].update if wanted else listener.channels[name].difference_update
            change(symbols)
    shown: dict[str, Any] = {name: sorted(listener.channels.get(name, ())) for name in KNOWN[:8]}
    listener.send([{"T": "subscription", **shown}])


def _are_symbols(names: Any) -> bool:
    return isinstance(names, list) and all(
        isinstance(name, str) and (name == "*" or SYMBOL.fullmatch(name)) for name in names
    )
