"""Measures how many orders a second the simulator accepts over HTTP.

Starts `python -m simulator` in a process of its own with its state in a temporary directory, and sends it limit orders
over kept-alive connections, each from a thread. Run it with `uv run python -m benchmarks.simulator [--orders N]
[--connections N] [--json]`.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.verdicts import Figure, conclude

KEY, SECRET = "benchmark-key", "benchmark-secret"
HEADERS = {"APCA-API-KEY-ID": KEY, "APCA-API-SECRET-KEY": SECRET, "Content-Type": "application/json"}
ORDER = {"symbol": "AAPL", "side": "buy", "type": "limit", "time_in_force": "gtc", "qty": "1", "limit_price": "0.01"}
PAGE = 500
"""The most orders of a page."""
TARGET = 500
"""Orders a second that are asked for."""


def send(port: int, numbers: range, waits: list[float]) -> None:
    """Send one connection's orders and note how long each answer took, seconds."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for number in numbers:
        body = json.dumps({**ORDER, "client_order_id": f"order {number}"})
        begun = time.perf_counter()
        connection.request("POST", "/v2/orders", body, HEADERS)
        answer = connection.getresponse()
        text = answer.read()
        waits.append(time.perf_counter() - begun)
        assert answer.status == http.client.OK, text
    connection.close()


def measure(port: int, orders: int, connections: int) -> dict[str, float]:
    """Return orders a second and the waits of the clients in milliseconds."""
    waits: list[list[float]] = [[] for _ in range(connections)]
    shares = [range(start, orders, connections) for start in range(connections)]
    threads = [
        threading.Thread(target=send, args=(port, share, mine)) for share, mine in zip(shares, waits, strict=True)
    ]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lasted = time.perf_counter() - begun
    every = sorted(wait for mine in waits for wait in mine)
    assert len(every) == orders, "an order was not answered"
    return {
        "orders": orders,
        "connections": connections,
        "orders_a_second": orders / lasted,
        "median_ms": statistics.median(every) * 1000,
        "p99_ms": every[int(len(every) * 0.99)] * 1000,
    }


def listed(port: int, orders: int) -> float:
    """Return the seconds that listing every order takes, in the pages a client gets."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    found: dict[str, str] = {}
    after = "2000-01-01T00:00:00Z"
    begun = time.perf_counter()
    while True:
        query = urlencode({"status": "all", "limit": PAGE, "direction": "asc", "after": after})
        connection.request("GET", f"/v2/orders?{query}", headers=HEADERS)
        page = json.loads(connection.getresponse().read())
        found |= {order["id"]: order["submitted_at"] for order in page}
        if len(page) < PAGE:
            break
        after = page[-1]["submitted_at"]
    lasted = time.perf_counter() - begun
    connection.close()
    assert len(found) == orders, "not every order was listed"
    return lasted


def main() -> int:
    """Start a simulator, measure, print; the exit code is 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=3000)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    environment = {**os.environ, "SIMULATOR_API_KEY": KEY, "SIMULATOR_SECRET_KEY": SECRET}
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state.sqlite"
        command = [sys.executable, "-m", "simulator", "--port", "0", "--state", str(state), "--rate-limit", "10000000"]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            port = int(server.stdout.readline().split(":")[3].split(",")[0])
            try:
                figures = measure(port, options.orders, options.connections)
                figures["listed_seconds"] = listed(port, options.orders)
            finally:
                server.terminate()
    shown = [
        Figure("orders accepted", figures["orders_a_second"], "a second", least=TARGET),
        Figure("an answer takes", figures["median_ms"], "ms"),
        Figure("the slowest hundredth", figures["p99_ms"], "ms"),
        Figure("all orders listed, 500 a page", figures["listed_seconds"], "s"),
    ]
    return conclude(f"{options.orders:,} orders over {options.connections} connections", shown, as_json=options.json)


if __name__ == "__main__":
    sys.exit(main())
