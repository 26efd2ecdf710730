from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import httpx

READS = [
    "/live", "/logs", "/metrics", "/api/accounts", "/api/portfolio", "/api/portfolio/equity", "/api/positions",
    "/api/orders",
    "/api/orders/1", "/api/fills", "/api/signals", "/api/strategies", "/api/strategies/sma_crossover",
    "/api/strategies/schema",
    "/api/backtests", "/api/backtests/1", "/api/research", "/api/research/1", "/api/performance",
    "/api/performance/scopes",
    "/api/trades", "/api/trades/breakdown", "/api/reports", "/api/risk", "/api/risk/decisions", "/api/universe",
    "/api/bars/AAPL",
    "/api/screener", "/api/quality/rules", "/api/quality/issues", "/api/quality/counts", "/api/quality/exclusions",
    "/api/quality/bars/FB/1Day/2012-06-18", "/api/ingestion", "/api/messages", "/api/settings", "/openapi.json",
    "/docs",
]  # fmt: skip

EMPTY = [
    "/logs", "/metrics", "/api/accounts", "/api/portfolio/equity", "/api/positions", "/api/orders", "/api/fills",
    "/api/signals", "/api/strategies", "/api/backtests", "/api/research", "/api/performance/scopes", "/api/trades",
    "/api/trades/breakdown", "/api/reports", "/api/risk", "/api/risk/decisions", "/api/universe", "/api/screener",
    "/api/quality/rules", "/api/quality/issues", "/api/quality/counts", "/api/quality/exclusions", "/api/ingestion",
    "/api/messages",
]  # fmt: skip


@pytest.mark.parametrize("path", READS)
def test_every_read_answers_over_the_seeded_world(api: httpx.Client, path: str) -> None:
    answer = api.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.content not in {b"", b"[]", b'{"items":[],"next":null}'}


def test_every_list_answers_over_an_empty_database(empty_api: httpx.Client) -> None:
    statuses = {path: empty_api.get(path).status_code for path in EMPTY}
    assert set(statuses.values()) == {200}, statuses


def test_an_empty_database_says_what_to_do(empty_api: httpx.Client) -> None:
    portfolio, performance = empty_api.get("/api/portfolio"), empty_api.get("/api/performance")
    assert portfolio.status_code == 404
    assert "trading demo" in portfolio.json()["error"]
    assert performance.status_code == 404
    assert "calculate-performance" in performance.json()["error"]


def test_every_route_documents_itself(api: httpx.Client) -> None:
    paths = api.get("/openapi.json").json()["paths"]
    operations = [operation for path in paths.values() for operation in path.values()]
    assert len(operations) > 40
    assert all(operation.get("description") for operation in operations)


def test_many_readers_at_once_are_all_answered(api: httpx.Client) -> None:
    with ThreadPoolExecutor(60) as pool:
        statuses = list(pool.map(lambda _: api.get("/api/portfolio").status_code, range(120)))
    assert set(statuses) == {200}
