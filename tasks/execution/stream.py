"""Alpaca's stream of trade updates, as a signal that something happened; the broker's lists stay the truth.

alpaca-py's TradingStream is not used: it tells nobody of a reconnect, after which everything has to be asked for
again since nothing is replayed, it swallows every error, and it cannot be told that its socket is deaf.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Self

from tasks.broker import order_of
from trading.errors import UnavailableError

if TYPE_CHECKING:
    from websockets.sync.connection import Connection

    from blocks import AlpacaCredentials
    from trading.broker import BrokerOrder

LOG = logging.getLogger(__name__)
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds between two tries to connect: doubled from one to the next."""
PING_SECONDS = 10.0
"""How often the socket is pinged, and how long the answer may take before it counts as dead."""
TOGETHER = 0.25
"""Seconds in which updates are collected before they are handed over."""


SILENCE = 30.0
"""Seconds after which orders are asked for although the stream says nothing."""


@dataclass(frozen=True, slots=True)
class News:
    """What came: orders as the stream told of them, and whether everything has to be asked for again."""

    orders: tuple[BrokerOrder, ...] = ()
    ask_again: bool = False


class TradeStream:
    """A connection to trade_updates that is made again whenever it breaks; use it in a `with`."""

    def __init__(self, login: AlpacaCredentials) -> None:
        self._login = login
        self._heard: SimpleQueue[News] = SimpleQueue()
        self._stop = threading.Event()
        self._socket: Connection | None = None
        self._thread = threading.Thread(target=self._run, name="trade-updates", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self.reconnect()
        self._thread.join(LONGEST_PAUSE)

    def reconnect(self) -> None:
        """Give the present connection up; another is made at once."""
        if (socket := self._socket) is not None:
            socket.close()

    def news(self, seconds: float) -> News:
        """Return what came since the last time; wait `seconds` at most for something to come."""
        try:
            heard = [self._heard.get(timeout=seconds)]
        except Empty:
            return News()
        time.sleep(TOGETHER)
        while not self._heard.empty():
            heard.append(self._heard.get())
        told = tuple(order for each in heard for order in each.orders)
        return News(told, any(each.ask_again for each in heard))

    def _run(self) -> None:
        from websockets.exceptions import WebSocketException

        pause = FIRST_PAUSE
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                self._listen()
            except (WebSocketException, OSError, UnavailableError, ValueError) as error:
                LOG.warning("trade updates: %s (%s); connecting again", type(error).__name__, error)
            if time.monotonic() - began > LONGEST_PAUSE:
                pause = FIRST_PAUSE
            self._stop.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _listen(self) -> None:
        """Log in and hand on what comes, until the connection ends.

        Raises
        ------
        UnavailableError
            The login is refused, or what is said makes no sense.
        """
        from websockets.sync.client import connect

        with connect(
            self._login.stream_url, open_timeout=PING_SECONDS, ping_interval=PING_SECONDS, ping_timeout=PING_SECONDS
        ) as socket:
            self._socket = socket
            try:
                if self._stop.is_set():
                    return
                keys = self._login.stream_login()
                self._ask(socket, {"action": "authenticate", "data": keys}, "authorization", "status", "authorized")
                streams = ["trade_updates"]
                self._ask(socket, {"action": "listen", "data": {"streams": streams}}, "listening", "streams", streams)
                self._heard.put(News(ask_again=True))  # nothing is replayed: what was missed has to be asked for
                for message in socket:
                    self._take(message)
            finally:
                self._socket = None

    def _ask(self, socket: Connection, question: dict[str, Any], stream: str, name: str, wanted: Any) -> None:
        socket.send(json.dumps(question))
        answer = json.loads(socket.recv(timeout=PING_SECONDS))
        if answer.get("stream") != stream or (answer.get("data") or {}).get(name) != wanted:
            raise UnavailableError(f"the broker's stream answered {str(answer)[:200]}; expected {stream} {wanted}")

    def _take(self, message: str | bytes) -> None:
        """Hand an update on; one that cannot be read means that everything is asked for again."""
        try:
            document = json.loads(message)
            if document.get("stream") == "trade_updates":
                self._heard.put(News((order_of(document["data"]["order"], "trade update"),)))
        except (ValueError, KeyError, TypeError, AttributeError, UnavailableError) as error:
            LOG.warning("trade updates: an unreadable message (%s); everything is asked for again", error)
            self._heard.put(News(ask_again=True))


class Watch:
    """Decides when to look for itself, and when a stream that says nothing is deaf."""

    def __init__(self, stream: TradeStream) -> None:
        self._stream = stream
        self._looked = -1.0  # never
        self._told = False

    def must_look(self, news: News) -> bool:
        """Return whether everything has to be asked for now: after a connect, and after a silence."""
        self._told = self._told or bool(news.orders)
        return news.ask_again or self._looked < 0 or time.monotonic() - self._looked >= SILENCE

    def looked(self, *, found: int) -> None:
        """Note what a look found: what the stream should have told and did not makes it be connected anew."""
        deaf = found and not self._told and self._looked >= 0
        self._looked, self._told = time.monotonic(), False
        if deaf:
            LOG.warning("trade updates: %d changes were found that the stream did not tell; connecting again", found)
            self._stream.reconnect()
