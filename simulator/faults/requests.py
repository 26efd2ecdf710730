"""Faults of HTTP requests, below everything else: an ASGI middleware."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

from simulator.faults.models import Garbage, Hang, HttpError, Latency, RequestFault, Reset

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from simulator.faults.register import Faults

EXEMPT = ("/simulator", "/health")
SERVER_SEND = "simulator.server_send"
"""Scope entry with the server's own `send`, whose owner knows the connection."""
ABORT = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
"""SO_LINGER on, for no time: closing resets the connection."""


class FaultMiddleware:
    """Lets the armed faults happen to requests; without any it costs one comparison."""

    def __init__(self, app: ASGIApp, *, faults: Faults) -> None:
        self.app, self.faults = app, faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"].startswith(EXEMPT):
            await self.app(scope, receive, send)
            return
        hit = self.faults.draw(RequestFault, lambda fault: fault.hits(scope["method"], scope["path"]))
        for fault in hit:
            if isinstance(fault, Latency):
                await asyncio.sleep(fault.seconds)
        for fault in hit:
            if isinstance(fault, HttpError | Hang | Reset) and fault.when == "before":
                await _swallow(receive)
                await _instead(fault, scope, receive, send)
                return
        later = next((fault for fault in hit if not isinstance(fault, Latency)), None)
        if later is None:
            await self.app(scope, receive, send)
            return
        answer: list[Message] = []

        async def keep(message: Message) -> None:
            answer.append(message)

        await self.app(scope, receive, keep)
        if isinstance(later, Garbage):
            await _cut_off(answer, send)
        else:
            await _instead(later, scope, receive, send)


async def _instead(fault: RequestFault, scope: Scope, receive: Receive, send: Send) -> None:
    """Let the fault stand in the place of an answer."""
    if isinstance(fault, HttpError):
        code = {} if fault.code is None else {"code": fault.code}
        await JSONResponse({**code, "message": fault.message}, status_code=fault.status)(scope, receive, send)
        return
    if isinstance(fault, Hang):
        await _until_gone(receive, fault.seconds)
    _drop(scope)
    # the server notices the closed connection before it could miss an answer
    await _until_gone(receive, 1.0)


async def _swallow(receive: Receive) -> None:
    """Take the whole request off the wire, so that the client is waiting for the answer when the fault strikes."""
    while (message := await receive())["type"] == "http.request" and message.get("more_body"):
        pass


async def _until_gone(receive: Receive, seconds: float) -> None:
    """Wait until the client is gone, at most so long."""

    async def gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    try:
        await asyncio.wait_for(gone(), seconds)
    except TimeoutError:
        return


def _drop(scope: Scope) -> None:
    """Reset the client's connection."""
    transport = getattr(getattr(scope.get(SERVER_SEND), "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionResetError("the connection was to be reset, and this server does not show it")
    known = transport.get_extra_info("socket")
    # an event loop's own socket object may not take options; they belong to the connection, not to the object
    with socket.fromfd(known.fileno(), known.family, known.type) as handle:
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
    transport.abort()


async def _cut_off(answer: list[Message], send: Send) -> None:
    """Send the first half of an answer's body as if it were the whole."""
    body = b"".join(message.get("body", b"") for message in answer[1:])
    half = body[: len(body) // 2]
    start = answer[0]
    headers = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
    headers.append((b"content-length", str(len(half)).encode()))
    await send({**start, "headers": headers})
    await send({"type": "http.response.body", "body": half})
