"""How long it takes to compare the books with a broker that has 10,000 orders and fills and 500 positions.

`python -m benchmarks.reconciliation [--json]` serves such an account in Alpaca's form over HTTP from a process of its
own (pages of 500 orders and 100 activities, as Alpaca cuts them), and runs the step of the flow against a PostgreSQL
of its own, fsync on: with books that agree, with every fill missing, and with empty books, as after a disaster.
Every time all orders and fills are listed; a later comparison of a running system lists those since the last one only.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx
from pydantic import SecretStr
from sqlalchemy import create_engine, text

from benchmarks import postgres
from benchmarks.verdicts import Figure, conclude

if TYPE_CHECKING:
    from collections.abc import Iterator

ORDERS, SYMBOLS, SHARES = 10_000, 500, 10
TARGET_SECONDS = 5.0
REPEATS = 3
START = datetime(2012, 12, 3, 14, 30, tzinfo=UTC)
NOW = START + timedelta(hours=7)
OPENING = Decimal(100_000_000)
FRESH = "TRUNCATE execution.reconciliation_runs CASCADE"
NO_FILLS = "TRUNCATE execution.lots, execution.fills, execution.positions, execution.reconciliation_runs CASCADE"
EMPTY = "TRUNCATE execution.orders, execution.positions, execution.book_entries, execution.reconciliation_runs CASCADE"


def price(number: int) -> Decimal:
    """Return what the shares of an order cost each, USD."""
    return Decimal(50) + Decimal(number % 997) / 100


def made_orders() -> list[dict[str, Any]]:
    """Return the account's orders, all filled, as Alpaca lists them."""
    return [
        {
            "id": f"order-{number:05}", "client_order_id": f"ours-{number:05}", "symbol": f"S{number % SYMBOLS:03}",
            "side": "buy", "type": "market", "time_in_force": "day", "qty": str(SHARES), "limit_price": None,
            "status": "filled", "filled_qty": str(SHARES), "filled_avg_price": str(price(number)),
            "submitted_at": moment(number), "updated_at": moment(number), "created_at": moment(number),
            "filled_at": moment(number), "asset_class": "us_equity", "order_class": "simple", "notional": None,
        }
        for number in range(ORDERS)
    ]  # fmt: skip


def made_fills() -> list[dict[str, Any]]:
    """Return the account's executions, one an order, as Alpaca lists them."""
    return [
        {
            "id": f"2012120314300000{number:05}::fill", "activity_type": "FILL", "transaction_time": moment(number),
            "type": "fill", "price": str(price(number)), "qty": str(SHARES), "side": "buy",
            "symbol": f"S{number % SYMBOLS:03}", "leaves_qty": "0", "order_id": f"order-{number:05}",
            "cum_qty": str(SHARES), "order_status": "filled",
        }
        for number in range(ORDERS)
    ]  # fmt: skip


def moment(number: int) -> str:
    """Return when an order was sent and filled."""
    return (START + timedelta(seconds=number)).isoformat()


class Account(BaseHTTPRequestHandler):
    """The account over HTTP, connections kept open; nothing of it changes."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are written apart: 40 ms an answer otherwise
    orders, fills = made_orders(), made_fills()
    held = SHARES * ORDERS // SYMBOLS
    cash = OPENING - sum(SHARES * price(number) for number in range(ORDERS))

    def do_GET(self) -> None:
        """Answer as Alpaca does."""
        address = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(address.query).items()}
        body = json.dumps(self.answer(address.path, asked)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def answer(self, path: str, asked: dict[str, str]) -> Any:
        """Return the JSON of a path."""
        match path.removeprefix("/v2"):
            case "/clock":
                at = {"next_open": NOW + timedelta(hours=17), "next_close": NOW + timedelta(hours=23)}
                return {"timestamp": NOW.isoformat(), "is_open": False} | {k: v.isoformat() for k, v in at.items()}
            case "/account":
                value = SYMBOLS * self.held * 60
                cash = dict.fromkeys(("cash", "buying_power"), str(self.cash))
                values = {"long_market_value": str(value), "short_market_value": "0"}
                return {"account_number": "BENCHMARK", "equity": str(self.cash + value), **cash, **values}
            case "/positions":
                return [{"symbol": f"S{n:03}", "qty": str(self.held), "current_price": "60"} for n in range(SYMBOLS)]
            case "/orders":
                after = datetime.fromisoformat(asked["after"])
                first = max(0, int((after - START).total_seconds()) + 1)
                return self.orders[first : first + int(asked["limit"])]
            case "/account/activities/FILL":
                token = asked.get("page_token")
                first = int(token[16:21]) + 1 if token else 0
                return self.fills[first : first + int(asked["page_size"])]
            case _:
                return []

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def served() -> Iterator[str]:
    """Serve the account from a process of its own; yield its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.reconciliation", "--serve"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        httpx.get(f"{address}/v2/clock").raise_for_status()
        yield address
    finally:
        process.terminate()
        process.wait(10)


def serve() -> None:
    """Serve until ended."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Account)
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()


def give_blocks(url: str, address: str) -> None:
    """Give the step its database and its broker without a Prefect server to keep them."""
    from blocks import AlpacaCredentials
    from blocks.catalogue import ALPACA, POSTGRES, connector
    from tasks import resources

    secret = SecretStr("benchmark")
    addresses = {"trading_url": address, "data_url": address}
    kept: dict[str, Any] = {
        POSTGRES: connector(url),
        ALPACA: AlpacaCredentials(api_key=secret, secret_key=secret, kind="simulator", **addresses),
    }
    resources.loaded = lambda _kind, name: kept[name]  # type: ignore[assignment] # of the same names


def measure(url: str) -> dict[str, list[float]]:
    """Return the seconds of each repeat, by what the books were before."""
    from tasks.execution.reconciliation import reconcile_books

    engine = create_engine(url)
    seconds: dict[str, list[float]] = {}
    cases = (("empty books", EMPTY), ("books that agree", FRESH), ("every fill missing", NO_FILLS))
    for name, before in cases:
        for _ in range(REPEATS):
            with engine.begin() as connection:
                connection.execute(text(before))
                opening = {"cash": OPENING, "at": START - timedelta(hours=1)}
                connection.execute(
                    text("UPDATE execution.accounts SET opening_cash = :cash, first_seen_at = :at"), opening
                )
            began = time.perf_counter()
            report = reconcile_books.fn()
            seconds.setdefault(name, []).append(time.perf_counter() - began)
            expected = "corrected" if before is EMPTY else "clean"
            assert report.figures["verdict"] == expected, report.rows[:3]
            assert report.figures["orders_checked"] == report.figures["fills_checked"] == ORDERS
            assert report.figures["positions_checked"] == SYMBOLS
    engine.dispose()
    return seconds


def listed() -> float:
    """Return the median seconds of listing every order and fill, with nothing else done."""
    from tasks.resources import broker

    seconds = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        assert len(broker().orders(since=START - timedelta(hours=1))) == ORDERS
        assert len(broker().fills(since=START - timedelta(hours=1))) == ORDERS
        seconds.append(time.perf_counter() - began)
    return sorted(seconds)[REPEATS // 2]


def first_seen(url: str) -> None:
    """Write the account as one that was first seen before it traded."""
    engine = create_engine(url)
    with engine.begin() as connection:
        values = {"cash": OPENING, "at": START - timedelta(hours=1)}
        connection.execute(
            text(
                "INSERT INTO execution.accounts (account, kind, opening_equity, opening_cash, first_seen_at, "
                "last_seen_at) VALUES ('BENCHMARK', 'simulator', :cash, :cash, :at, :at)"
            ),
            values,
        )
    engine.dispose()


def main() -> int:
    """Measure, print, and return 1 when a comparison takes longer than the target."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--serve", action="store_true", help="only serve the account")
    asked = parser.parse_args()
    if asked.serve:
        serve()
        return 0
    with postgres.server() as url, served() as address:
        postgres.migrate(url)
        first_seen(url)
        give_blocks(url, address)
        seconds = measure(url)
        listing = listed()
    medians = {name: sorted(each)[len(each) // 2] for name, each in seconds.items()}
    figures = [Figure(name, median, "s", most=TARGET_SECONDS) for name, median in medians.items()]
    figures.append(Figure("of it, listing orders and fills", listing, "s"))
    title = f"{ORDERS:,} orders, {ORDERS:,} fills, {SYMBOLS} positions, medians of {REPEATS}"
    return conclude(title, figures, as_json=asked.json)


if __name__ == "__main__":
    sys.exit(main())
