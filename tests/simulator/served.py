"""A simulator on a socket of its own, in a thread."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn

from simulator.__main__ import listen
from simulator.access import Keys
from simulator.app import SimulatorConfig, create_app

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator
    from pathlib import Path

    from simulator.market import Market

KEYS = Keys("test-key", "test-secret")
HEADERS = {"APCA-API-KEY-ID": KEYS.api_key, "APCA-API-SECRET-KEY": KEYS.secret_key}


@contextmanager
def serving(market: Market, state: Path) -> Iterator[str]:
    """Serve a market from a thread and yield its address."""
    config = SimulatorConfig(state=state, keys=KEYS, seed="test")
    listener: socket.socket = listen("127.0.0.1", 0)
    served = uvicorn.Server(uvicorn.Config(create_app(config, market), log_level="warning", access_log=False))
    thread = threading.Thread(target=served.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not served.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        served.should_exit = True
        thread.join(10)
        listener.close()
