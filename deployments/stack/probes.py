"""Questions that tell whether a component is up; each returns None, or one line on what is wrong."""

from __future__ import annotations

import http.client
import json
import socket
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

_PATIENCE = 3.0


def listens(host: str, port: int, *, timeout: float = 1.0) -> bool:
    """Tell whether anything accepts connections there."""
    try:
        with socket.create_connection((host, port), timeout=timeout):
            return True
    except OSError:
        return False


def http_get(url: str, headers: dict[str, str] | None = None, *, timeout: float = _PATIENCE) -> tuple[int, bytes]:
    """Return status and body of one GET, without proxies and redirects.

    Raises
    ------
    OSError
        Nothing answers.
    """
    return _request("GET", url, headers or {}, None, timeout)


def http_send(
    method: str, url: str, body: Any, headers: dict[str, str] | None = None, *, timeout: float = _PATIENCE
) -> tuple[int, Any]:
    """Send JSON and return status and the JSON answered (None when there is none)."""
    wanted = {"Content-Type": "application/json", **(headers or {})}
    status, answer = _request(method, url, wanted, json.dumps(body).encode(), timeout)
    try:
        return status, json.loads(answer) if answer else None
    except ValueError:
        return status, None


def _request(method: str, url: str, headers: dict[str, str], body: bytes | None, timeout: float) -> tuple[int, bytes]:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    with closing(kind(parts.hostname or "", parts.port, timeout=timeout)) as connection:
        target = parts.path or "/"
        try:
            connection.request(method, f"{target}?{parts.query}" if parts.query else target, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except http.client.HTTPException as error:
            raise OSError(f"not HTTP: {type(error).__name__}") from None


def http_ok(url: str, headers: dict[str, str] | None = None) -> str | None:
    """Probe a health address: content with 2xx."""
    try:
        status, _ = http_get(url, headers)
    except OSError as error:
        return f"{url} does not answer ({error})"
    return None if 200 <= status < 300 else f"{url} answers {status}"  # noqa: PLR2004 - HTTP's success range


def postgres_login(host: str, port: int, user: str, password: str, database: str = "postgres") -> str | None:
    """Probe PostgreSQL with a login and a query."""
    import psycopg

    try:
        with psycopg.connect(
            host=host, port=port, user=user, password=password, dbname=database, connect_timeout=3
        ) as connection:
            connection.execute("SELECT 1")
    except psycopg.Error as error:
        return str(error).strip().splitlines()[-1]
    return None


def redis_login(url: str) -> str | None:
    """Probe Redis with a login and PING."""
    import redis

    try:
        with closing(redis.Redis.from_url(url, socket_timeout=3, socket_connect_timeout=3, retry=None)) as client:
            client.ping()
    except redis.RedisError as error:
        return str(error) or type(error).__name__
    return None
