"""The HTTP session of Alpaca's clients: every call has time limits, and no order leaves over a connection long idle."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from requests import Request, Session
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from requests import Response

type Note = Callable[[Mapping[str, str]], None]

LONGEST_IDLE = 3.0
"""Seconds after its last answer for which a connection is used again.

Servers close idle ones, some after five seconds. A request that meets the closing is lost without an answer, and of
an order it is then not known whether it arrived.
"""


class _Answered:
    """A connection that counts as closed when its last answer is too long ago."""

    _answered: float | None = None

    def getresponse(self) -> Any:
        answer = super().getresponse()  # type: ignore[misc] # of the connection
        self._answered = time.monotonic()
        return answer

    @property
    def is_connected(self) -> bool:
        idle = self._answered is not None and time.monotonic() - self._answered > LONGEST_IDLE
        return not idle and super().is_connected  # type: ignore[misc] # of the connection


class _Plain(_Answered, HTTPConnection):
    pass


class _Secure(_Answered, HTTPSConnection):
    pass


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure


_POOLS = {"http": _PlainPool, "https": _SecurePool}


class _Adapter(HTTPAdapter):
    """Sends over connections that are not long idle, also through a proxy."""

    def init_poolmanager(self, *arguments: Any, **named: Any) -> None:
        super().init_poolmanager(*arguments, **named)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *arguments: Any, **named: Any) -> Any:
        manager = super().proxy_manager_for(*arguments, **named)
        manager.pool_classes_by_scheme = _POOLS
        return manager


class AlpacaSession(Session):
    """A session with one server: no cookies, no redirects, no .netrc, and no look at the environment per call.

    requests reads the proxies and certificates of the environment anew with every call, which takes a fifth of an
    order's time; here that happens once. `limits` are the seconds to connect and to wait for an answer, of every
    call; `note` is told the headers of answers.
    """

    def __init__(self, address: str, *, limits: tuple[float, float], note: Note | None = None) -> None:
        super().__init__()
        self.mount("http://", _Adapter())
        self.mount("https://", _Adapter())
        self.limits = limits
        self._note = note
        found = self.merge_environment_settings(address, {}, stream=False, verify=None, cert=None)
        self._way = {name: found[name] for name in ("proxies", "verify", "cert")}

    def request(self, method: str, url: str, **options: Any) -> Response:  # type: ignore[override] # of fewer options
        """Send one request and return its answer, read to the end.

        Raises
        ------
        requests.RequestException
            There was no answer within the limits, or only a part of one.
        """
        named = {name: options.get(name) for name in ("params", "json")}
        headers = {**self.headers, **(options.get("headers") or {})}
        prepared = Request(method, url, headers=headers, **named).prepare()
        answer = self.get_adapter(url).send(prepared, timeout=self.limits, **self._way)
        answer.content  # noqa: B018 - reading it frees the connection for the next call
        if self._note is not None:
            self._note(answer.headers)
        return answer
