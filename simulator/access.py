"""Who may call and how often: the API keys, and the budget of requests a minute."""

from __future__ import annotations

import hmac
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse

from simulator.errors import AlpacaError, RateLimitError, UnauthorizedError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MINUTE = 60
OPEN_PATHS = {"/health"}


@dataclass(frozen=True, slots=True)
class Keys:
    """The pair every request has to bring."""

    api_key: str
    secret_key: str

    def check(self, headers: Headers) -> None:
        """Compare a request's headers in constant time.

        Raises
        ------
        UnauthorizedError
            They are missing or wrong.
        """
        if not self.match(headers.get("apca-api-key-id", ""), headers.get("apca-api-secret-key", "")):
            raise UnauthorizedError

    def match(self, api_key: str, secret_key: str) -> bool:
        """Return whether a pair is this one, in constant time."""
        pairs = ((api_key, self.api_key), (secret_key, self.secret_key))
        matches = [hmac.compare_digest(sent.encode(), known.encode()) for sent, known in pairs]
        return all(matches)


class Budget:
    """Requests per minute of real time: counted, announced in headers, and refused beyond the limit."""

    def __init__(self, limit: int) -> None:
        self.limit, self._minute, self._used = limit, 0, 0

    def spend(self) -> None:
        """Count one request."""
        minute = int(time.time()) // MINUTE
        if minute != self._minute:
            self._minute, self._used = minute, 0
        self._used += 1

    def headers(self) -> dict[str, str]:
        """Return Alpaca's three headers: the limit, what is left, and when that changes (UNIX time)."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(max(self.limit - self._used, 0)),
            "X-RateLimit-Reset": str((self._minute + 1) * MINUTE),
        }

    def check(self) -> None:
        """Refuse when more was spent than there is.

        Raises
        ------
        RateLimitError
            The minute's requests are used up.
        """
        if self._used > self.limit:
            raise RateLimitError


class AccessMiddleware:
    """Checks keys and budget before anything is parsed, and writes the budget's headers on every answer."""

    def __init__(self, app: ASGIApp, *, keys: Keys, budget: Budget) -> None:
        self.app, self.keys, self.budget = app, keys, budget

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"] in OPEN_PATHS:
            await self.app(scope, receive, send)
            return
        try:
            self.keys.check(Headers(scope=scope))
        except UnauthorizedError as refusal:
            await refused(refusal)(scope, receive, send)
            return
        self.budget.spend()
        announced = self.budget.headers()

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(announced)
            await send(message)

        try:
            self.budget.check()
        except RateLimitError as refusal:
            await refused(refusal)(scope, receive, send_with_headers)
            return
        await self.app(scope, receive, send_with_headers)


def refused(refusal: AlpacaError) -> JSONResponse:
    """Return a refusal as an answer."""
    return JSONResponse(refusal.body(), status_code=refusal.status)
