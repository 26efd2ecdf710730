"""Who may call: holders of the token, for everything but liveness."""

from __future__ import annotations

import hmac
from base64 import b64decode
from typing import TYPE_CHECKING

from fastapi.responses import JSONResponse
from starlette.datastructures import Headers

from trading.errors import ConfigurationError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from trading.config import Settings

OPEN = frozenset({"/live"})
DOCUMENTATION = frozenset({"/docs", "/docs/oauth2-redirect", "/redoc", "/openapi.json"})
"""Pages for a browser, which can send the token only as the password of a basic login."""


def token(settings: Settings) -> str:
    """Return the token that callers have to show.

    Raises
    ------
    ConfigurationError
        It is empty.
    """
    value = settings.web.token.get_secret_value()
    if not value:
        raise ConfigurationError("TRADING_API_TOKEN is empty; set it, or let `trading start` generate one")
    return value


class TokenRequired:
    """Middleware that answers 401 before any route is looked at."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "lifespan" or scope["path"] in OPEN or self._admits(scope):
            await self._app(scope, receive, send)
            return
        scheme = 'Basic realm="trading-system"' if scope["path"] in DOCUMENTATION else "Bearer"
        refusal = JSONResponse(
            {"error": "missing or wrong bearer token; send `Authorization: Bearer $TRADING_API_TOKEN`"},
            status_code=401,
            headers={"WWW-Authenticate": scheme},
        )
        await refusal(scope, receive, send)

    def _admits(self, scope: Scope) -> bool:
        scheme, _, shown = Headers(scope=scope).get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self._equals(shown.strip().encode())
        if scheme.lower() == "basic" and scope["path"] in DOCUMENTATION:
            return self._equals(_password(shown))
        return False

    def _equals(self, shown: bytes) -> bool:
        return hmac.compare_digest(shown, self._token)


def _password(credentials: str) -> bytes:
    try:
        return b64decode(credentials, validate=True).partition(b":")[2]
    except ValueError:
        return b""
