"""The HTTP session of Alpaca's clients: every call has time limits, and the environment is read once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from requests import Request, Session

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from requests import Response

type Note = Callable[[Mapping[str, str]], None]


class AlpacaSession(Session):
    """A session with one server: no cookies, no redirects, no .netrc, and no look at the environment per call.

    requests reads the proxies and certificates of the environment anew with every call, which takes a fifth of an
    order's time; here that happens once. `limits` are the seconds to connect and to wait for an answer, of every
    call; `note` is told the headers of answers.
    """

    def __init__(self, address: str, *, limits: tuple[float, float], note: Note | None = None) -> None:
        super().__init__()
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
