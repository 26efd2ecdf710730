"""The api over HTTP: one client, and errors that are one line for a person."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx

TIMEOUT = httpx.Timeout(30.0, connect=3.0)
UNAUTHORISED = 401


class ApiError(Exception):
    """Raised when the api refuses a call or does not answer; `str()` of it is one line for a person."""

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Client:
    """The api at one address; connections are kept open between calls."""

    url: str
    token: str = field(repr=False)
    http: httpx.Client = field(repr=False, compare=False)

    @classmethod
    def connect(cls, url: str, token: str) -> Client:
        """Return a client of the api at `url`; nothing is sent yet."""
        url = url.rstrip("/")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return cls(url, token, httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT))

    def get(self, path: str, *, accept: tuple[int, ...] = (), **parameters: Any) -> Any:
        """Return the JSON at `path`; parameters that are None or empty are left out.

        Raises
        ------
        ApiError
            The api refused (other than with a status in `accept`) or did not answer.
        """
        chosen = {name: value for name, value in parameters.items() if value not in (None, "")}
        return self._json(self._send("GET", path, accept=accept, params=chosen))

    def put(self, path: str, body: dict[str, Any], **parameters: Any) -> Any:
        """Replace what is at `path` and return the api's answer; raises as `get` does."""
        return self._json(self._send("PUT", path, json=body, params=parameters))

    def post(self, path: str, body: dict[str, Any], **parameters: Any) -> Any:
        """Ask for an action at `path` and return the api's answer; raises as `get` does."""
        return self._json(self._send("POST", path, json=body, params=parameters))

    def download(self, path: str, **parameters: Any) -> bytes:
        """Return the file at `path`; raises as `get` does."""
        return self._send("GET", path, params=parameters).content

    def _send(self, method: str, path: str, *, accept: tuple[int, ...] = (), **options: Any) -> httpx.Response:
        try:
            response = self.http.request(method, path, **options)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            raise ApiError(f"the api does not answer at {self.url}; is the system running? `trading status`") from None
        except httpx.TimeoutException:
            raise ApiError(f"the api took more than 30 s over {method} {path}; `trading status`") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ApiError(f"the api at {self.url} cannot be called: {error}; check TRADING_API_URL") from None
        if response.is_success or response.status_code in accept:
            return response
        raise ApiError(_line(response, method, path), status=response.status_code)

    @staticmethod
    def _json(response: httpx.Response) -> Any:
        try:
            return response.json()
        except ValueError:
            raise ApiError(
                f"{response.request.url} did not answer with JSON; check that TRADING_API_URL is the api's"
            ) from None


def from_environment() -> tuple[str, str]:
    """Return the api's address and token: TRADING_API_URL and TRADING_API_TOKEN."""
    url = os.environ.get("TRADING_API_URL") or "http://127.0.0.1:8000"
    return url.rstrip("/"), os.environ.get("TRADING_API_TOKEN", "")


def segment(name: object) -> str:
    """Return a name as one segment of a path."""
    return quote(str(name), safe="")


def _line(response: httpx.Response, method: str, path: str) -> str:
    """Return the api's own error line, or one that names the call."""
    if response.status_code == UNAUTHORISED:
        return "the api refuses the dashboard's token; set TRADING_API_TOKEN to the api's and restart the dashboard"
    try:
        body = response.json()
    except ValueError:
        body = {}
    if isinstance(body, dict) and isinstance(body.get("error"), str):
        return str(body["error"])
    return f"the api answered {response.status_code} to {method} {path}; see its log with `trading status`"
