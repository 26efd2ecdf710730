"""Minute bars as they come: one connection to Alpaca's data websocket, and what its frames say."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from typing import TYPE_CHECKING, Any

import msgpack
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from trading.errors import BrokerError, DataError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from websockets.asyncio.client import ClientConnection

OPENING_SECONDS = 10.0
PULSE_SECONDS = 10.0
"""How often the other side is asked whether it is there, and how long its answer may take."""
LARGEST_FRAME = 2**24
KINDS = {"b": False, "u": True}
"""Types of the messages that are minute bars, and whether one replaces an earlier bar."""
FATAL = frozenset({400, 402, 405, 408, 409, 410})
"""Alpaca's errors that the next attempt would meet again: bad request or key, plan, number of symbols."""
TAKEN = 406
"""Alpaca's error for an account that is connected already."""
DENIED = frozenset({401, 403, 404})
"""HTTP statuses with which a server refuses the websocket itself."""


@dataclass(frozen=True, slots=True)
class StreamedBar:
    """A minute bar as received: `ts` is its start (UTC), prices USD; a corrected one replaces what was sent."""

    symbol: str
    ts: datetime
    open: float
    high: float
    low: float
    close: float
    volume: float
    corrected: bool = False


class TakenError(UnavailableError):
    """Raised when another connection of the same account listens to the feed."""


class Frames:
    """The frames of one connection that is logged in and subscribed."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def __aiter__(self) -> AsyncIterator[list[StreamedBar]]:
        """Yield the bars of each frame until the connection ends, which is an error whoever ends it.

        Raises
        ------
        UnavailableError
            The connection is lost, or its other side has not answered for `PULSE_SECONDS`.
        DataError
            A frame cannot be read.
        BrokerError
            The broker ends the subscription for a reason that stays.
        """
        try:
            async for frame in self._socket:
                yield bars_of(read_frame(frame))
        except ConnectionClosed as error:
            raise UnavailableError(f"data stream: connection lost ({error})") from None
        raise UnavailableError("data stream: the broker closed the connection")

    async def close(self) -> None:
        """End the connection."""
        await self._socket.close()


@asynccontextmanager
async def subscribed(url: str, *, key: str, secret: str, symbols: Sequence[str]) -> AsyncIterator[Frames]:
    """Connect, log in and subscribe to the minute bars and their corrections.

    Parameters
    ----------
    url
        Of the feed, such as wss://stream.data.alpaca.markets/v2/iex.

    Raises
    ------
    UnavailableError
        No connection came about; TakenError when the account has one already.
    DataError
        The other side does not speak Alpaca's protocol.
    BrokerError
        The broker refuses key, plan or symbols.
    """
    try:
        async with connect(
            url,
            additional_headers={"Content-Type": "application/msgpack"},
            open_timeout=OPENING_SECONDS,
            ping_interval=PULSE_SECONDS,
            ping_timeout=PULSE_SECONDS,
            close_timeout=2.0,
            max_size=LARGEST_FRAME,
        ) as socket:
            await _expect(socket, "connected")
            await socket.send(msgpack.packb({"action": "auth", "key": key, "secret": secret}))
            await _expect(socket, "authenticated")
            wanted = list(symbols)
            await socket.send(msgpack.packb({"action": "subscribe", "bars": wanted, "updatedBars": wanted}))
            await _confirm(socket, wanted)
            yield Frames(socket)
    except InvalidStatus as error:
        status = error.response.status_code
        if status in DENIED:
            raise BrokerError(f"data stream: {url} is refused (HTTP {status}); check feed and address") from None
        raise UnavailableError(f"data stream: {url} answered HTTP {status}") from None
    except (OSError, TimeoutError, InvalidHandshake, ConnectionClosed) as error:
        raise UnavailableError(f"data stream: no connection to {url} ({type(error).__name__})") from None


async def _expect(socket: ClientConnection, message: str) -> None:
    (first, *_) = [*await _next(socket), {}]
    if (first.get("T"), first.get("msg")) != ("success", message):
        raise DataError(f"data stream: expected {message!r}, got {str(first)[:100]}")


async def _confirm(socket: ClientConnection, symbols: Sequence[str]) -> None:
    """Wait for the subscription to be confirmed; the bars of a symbol left out would never come."""
    (first, *_) = [*await _next(socket), {}]
    missing = set(symbols) - set(first.get("bars") or ())
    if first.get("T") != "subscription" or missing:
        raise DataError(f"data stream: not subscribed to {', '.join(sorted(missing)[:10])}: {str(first)[:100]}")


async def _next(socket: ClientConnection) -> list[Mapping[str, Any]]:
    async with asyncio.timeout(OPENING_SECONDS):
        messages = read_frame(await socket.recv())
    bars_of([message for message in messages if message.get("T") == "error"])
    return messages


def read_frame(frame: str | bytes) -> list[Mapping[str, Any]]:
    """Return the messages of a frame.

    Raises
    ------
    DataError
        It is not a msgpack list of maps.
    """
    try:
        messages = msgpack.unpackb(frame, timestamp=3) if isinstance(frame, bytes) else None
    except (ValueError, RecursionError, OverflowError, msgpack.UnpackException):
        messages = None
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
        raise DataError(f"data stream: a frame is no list of msgpack messages: {frame[:60]!r}")
    return messages


def bars_of(messages: Sequence[Mapping[str, Any]]) -> list[StreamedBar]:
    """Return the minute bars among messages, in order; other data and confirmations are passed over.

    Raises
    ------
    DataError
        A bar lacks a field, or a figure is none.
    BrokerError, UnavailableError, TakenError
        A message is an error: one that stays, one that passes, one of another connection.
    """
    bars = []
    for message in messages:
        if message.get("T") == "error":
            raise _error(message.get("code"), message.get("msg"))
        if message.get("T") in KINDS:
            bars.append(_bar(message))
    return bars


def _bar(message: Mapping[str, Any]) -> StreamedBar:
    try:
        opened, high, low, close, volume = (float(message[name]) for name in "ohlcv")
        symbol, ts = message["S"], message["t"].astimezone(UTC)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise DataError(f"data stream: a bar cannot be read: {str(message)[:200]}") from None
    if not isinstance(symbol, str) or not all(map(isfinite, (opened, high, low, close, volume))):
        raise DataError(f"data stream: a bar cannot be read: {str(message)[:200]}")
    return StreamedBar(symbol, ts, opened, high, low, close, volume, KINDS[message["T"]])


def _error(code: Any, text: Any) -> BrokerError | UnavailableError:
    message = f"data stream: {text} ({code})"
    if code in FATAL:
        return BrokerError(f"{message}; check the key, the feed and the number of symbols", code=code)
    return TakenError(message) if code == TAKEN else UnavailableError(message)
