from __future__ import annotations

import time
from typing import TYPE_CHECKING

import httpx
import pytest
from starlette.testclient import TestClient

from simulator.access import Budget, Keys
from simulator.app import SimulatorConfig, create_app
from simulator.errors import RateLimitError

if TYPE_CHECKING:
    from pathlib import Path

    from simulator.market import Market

GOOD = {"APCA-API-KEY-ID": "test-key", "APCA-API-SECRET-KEY": "test-secret"}


@pytest.mark.parametrize("path", ["/v2/account", "/v2/stocks/bars", "/simulator/clock", "/nowhere"])
@pytest.mark.parametrize(
    "headers",
    [{}, {"APCA-API-KEY-ID": "test-key"}, {**GOOD, "APCA-API-SECRET-KEY": "wrong"}, {**GOOD, "APCA-API-KEY-ID": "é"}],
)
def test_without_the_right_keys_everything_is_401_without_a_code(
    server: str, path: str, headers: dict[str, str]
) -> None:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    refused = httpx.get(server + path, headers=raw)
    assert (refused.status_code, refused.json()) == (401, {"message": "unauthorized."})


def test_health_is_open_to_everybody(server: str) -> None:
    assert httpx.get(server + "/health").json() == {"status": "ok", "clock": "2012-11-30T16:00:00-05:00"}


def test_every_answer_tells_the_budget(api: httpx.Client) -> None:
    first, second = api.get("/v2/clock").headers, api.get("/v2/orders/none").headers
    assert first["x-ratelimit-limit"] == "100000"
    assert time.time() < int(first["x-ratelimit-reset"]) <= time.time() + 60
    same_minute = first["x-ratelimit-reset"] == second["x-ratelimit-reset"]
    left = [int(headers["x-ratelimit-remaining"]) for headers in (first, second)]
    assert not same_minute or left[1] == left[0] - 1


def test_a_spent_budget_is_429(market: Market, tmp_path: Path) -> None:
    config = SimulatorConfig(state=tmp_path / "state", keys=Keys("test-key", "test-secret"), rate_limit=2)
    with TestClient(create_app(config, market), headers=GOOD) as client:
        # three requests may straddle two minutes, five cannot stay within two budgets of two
        answers = [client.get("/v2/clock") for _ in range(5)]
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.json()["message"] == "too many requests."
    assert refused.headers["x-ratelimit-remaining"] == "0"


def test_a_new_minute_is_a_new_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    budget = Budget(1)
    monkeypatch.setattr(time, "time", lambda: 600.0)
    budget.spend()
    budget.check()
    budget.spend()
    with pytest.raises(RateLimitError):
        budget.check()
    monkeypatch.setattr(time, "time", lambda: 660.0)
    budget.spend()
    budget.check()
    assert budget.headers()["X-RateLimit-Reset"] == "720"
