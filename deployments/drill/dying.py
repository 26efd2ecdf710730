"""The process that is killed: it sends and follows orders as the flows do, and dies at a given point.

It is started by a server that has imported everything once, so that a start costs milliseconds. Where it dies is
patched in here, not in the product; it dies of SIGKILL, as of the machine's power: nothing is cleaned up.
"""

from __future__ import annotations

import http.client
import signal
from itertools import count
from typing import TYPE_CHECKING, Any

import psutil

from db.repositories import orders, positions
from deployments.drill.simulated import Simulator
from tasks.broker import Broker
from tasks.execution import following
from tasks.execution import positions as books
from tasks.execution import submission as sending

if TYPE_CHECKING:
    from collections.abc import Callable

    from deployments.drill.places import Places
    from deployments.drill.points import Death, Point


def die() -> None:
    """Be killed, now."""
    psutil.Process().kill()


def live_and_die(places: Places, death: Death) -> None:
    """Do a session's work; die on the way."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started it decides when it ends
    places.take()
    _PATCHES[death.point](death)
    sending.submit_orders.fn(as_of=None)
    Simulator(places).advance("session")
    following.follow_orders.fn()
    books.apply_fills.fn()


def _around(
    owner: Any, name: str, *, before: Callable[[], None] | None = None, after: Callable[[], None] | None = None
) -> None:
    original = getattr(owner, name)

    def patched(*arguments: Any, **named: Any) -> Any:
        if before is not None:
            before()
        result = original(*arguments, **named)
        if after is not None:
            after()
        return result

    setattr(owner, name, patched)


def _is_due(nth: int) -> Callable[[], bool]:
    times = count(1)
    return lambda: next(times) == nth


def _at(nth: int) -> Callable[[], None]:
    """Return what dies when it is called for the `nth` time."""
    due = _is_due(nth)

    def reached() -> None:
        if due():
            die()

    return reached


def _before_the_intent(death: Death) -> None:
    """Die before intents are written, or when they are written and not committed."""
    if death.half:
        _around(orders, "intend", after=die)
    else:
        _around(orders, "intend", before=die)


def _after_the_intent(death: Death) -> None:
    _around(Broker, "submit", before=_at(death.nth))


def _during_the_post(death: Death) -> None:
    """Die with a request sent in full and no answer read, or with half a request sent."""
    reached = _at(death.nth)
    if not death.half:
        original = http.client.HTTPConnection.getresponse

        def unanswered(self: Any) -> Any:
            if getattr(self, "posting", False):
                reached()
            return original(self)

        http.client.HTTPConnection.getresponse = unanswered  # type: ignore[method-assign]
    send, put = http.client.HTTPConnection.send, http.client.HTTPConnection.putrequest
    halves = _is_due(death.nth)

    def noted(self: Any, method: str, url: str, *rest: Any, **named: Any) -> Any:
        self.posting = method == "POST"
        return put(self, method, url, *rest, **named)

    def torn(self: Any, data: Any) -> Any:
        if death.half and getattr(self, "posting", False) and bytes(data).startswith(b"{") and halves():
            send(self, data[: len(data) // 2])
            die()
        return send(self, data)

    http.client.HTTPConnection.putrequest = noted  # type: ignore[method-assign]
    http.client.HTTPConnection.send = torn  # type: ignore[method-assign]


def _after_acceptance(death: Death) -> None:
    _around(Broker, "submit", after=_at(death.nth))


def _before_the_fill(death: Death) -> None:
    """Die when fills are written and not committed, or when positions are."""
    if death.half:
        _around(positions, "write", after=die)
    else:
        _around(orders, "record_fills", after=die)


_PATCHES: dict[Point, Callable[[Death], None]] = {
    "before the intent": _before_the_intent,
    "after the intent": _after_the_intent,
    "during the post": _during_the_post,
    "after acceptance": _after_acceptance,
    "before the fill": _before_the_fill,
}
