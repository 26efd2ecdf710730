"""What goes wrong between a client and a server: a TCP proxy that cuts and freezes, a websocket that garbles frames."""

from __future__ import annotations

import contextlib
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.sync.server import serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from websockets.sync.server import ServerConnection

SIZE = 65_536


class Proxy:
    """Passes bytes on to a port of this machine, for as long as it is told to."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._flowing = threading.Event()
        self._flowing.set()
        self.down = False
        self.accepted = 0
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    def cut(self) -> None:
        """End every connection and take no other until `mend`."""
        self.down = True
        for pair in self._pairs:
            for end in pair:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
        self._pairs.clear()

    def mend(self) -> None:
        self.down = False

    def freeze(self) -> None:
        """Let the present connections stand and carry nothing; new ones are as ever."""
        self._flowing.clear()
        self._flowing = threading.Event()
        self._flowing.set()

    def close(self) -> None:
        self.cut()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.down:
                client.close()
                continue
            self.accepted += 1
            server = socket.create_connection(("127.0.0.1", self._target))
            self._pairs.append((client, server))
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(source, sink, self._flowing), daemon=True).start()

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket, flowing: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(SIZE):
                if flowing.is_set():
                    sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@contextmanager
def proxied(target: int) -> Iterator[Proxy]:
    proxy = Proxy(target)
    yield proxy
    proxy.close()


@contextmanager
def garbled(upstream: str, change: Callable[[str | bytes], list[Any]]) -> Iterator[str]:
    """Serve a websocket before another one; `change` says what becomes of each of its frames."""

    def relay(client: ServerConnection) -> None:
        with connect(upstream, additional_headers={"Content-Type": "application/msgpack"}, close_timeout=1) as server:
            threading.Thread(target=forward, args=(client, server), daemon=True).start()
            with contextlib.suppress(ConnectionClosed):
                for frame in server:
                    for sent in change(frame):
                        client.send(sent)

    def forward(client: ServerConnection, server: Any) -> None:
        with contextlib.suppress(ConnectionClosed):
            for frame in client:
                server.send(frame)
        server.close()

    with serve(relay, "127.0.0.1", 0) as listening:
        thread = threading.Thread(target=listening.serve_forever, daemon=True)
        thread.start()
        yield f"ws://127.0.0.1:{listening.socket.getsockname()[1]}"
        listening.shutdown()
        thread.join(10)
