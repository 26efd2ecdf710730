from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from api.errors import STATUSES, first_problem
from trading.config import Postgres
from trading.errors import TradingError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import httpx

MISSING = {
    "/nowhere": "nothing at /nowhere",
    "/api/orders/999": "no order 999",
    "/api/backtests/999": "no backtest 999",
    "/api/research/999": "no research run 999",
    "/api/reports/999/file": "no report 999",
    "/api/strategies/sma_crosover": "did you mean 'sma_crossover'?",
    "/api/bars/APPL": "did you mean 'AAPL'?",
    "/api/orders?symbol=APPL": "did you mean 'AAPL'?",
    "/api/fills?strategy=momentum": "did you mean 'momentum_rotation'?",
    "/api/orders?status=filed": "did you mean 'filled'?",
    "/api/portfolio?account=SIM0003": "did you mean 'SIM000",
    "/api/portfolio/equity?scope=portfolo": "did you mean 'portfolio'?",
    "/api/performance?scope=portfolo": "did you mean 'portfolio'?",
}

BAD = {
    "/api/orders?limit=0": "limit: Input should be greater than or equal to 1",
    "/api/orders?limit=1001": "limit",
    "/api/orders?limit=ten": "limit",
    "/api/orders/one": "order_id",
    "/api/orders?cursor=nonsense": "the `next` of an earlier page",
    "/api/orders?cursor=WzEsMl0": "the `next` of an earlier page",
    "/api/signals?session=2012-13-01": "session",
    "/api/bars/AAPL?timeframe=2Day": "timeframe",
    "/api/bars/AAPL?start=yesterday": "start",
    "/logs?level=LOUD": "level",
    "/logs?run=42": "run",
    "/api/risk/decisions?verdict=maybe": "verdict",
    "/api/runs/42": "flow_run_id",
}


@pytest.mark.parametrize("path", MISSING)
def test_what_is_not_there_is_404_in_one_line_with_a_suggestion(api: httpx.Client, path: str) -> None:
    answer = api.get(path)
    assert answer.status_code == 404
    _says(answer.json(), MISSING[path])


@pytest.mark.parametrize("path", BAD)
def test_a_bad_parameter_is_422_in_one_line_that_names_it(api: httpx.Client, path: str) -> None:
    answer = api.get(path)
    assert answer.status_code == 422
    _says(answer.json(), BAD[path])


def test_a_wrong_method_is_405_in_one_line(api: httpx.Client) -> None:
    answer = api.delete("/api/orders/1")
    assert answer.status_code == 405
    _says(answer.json(), "DELETE is not possible")


def test_a_body_that_is_no_json_is_422(own_api: httpx.Client) -> None:
    answer = own_api.put("/api/risk/limits/min_price", content=b"{", headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    _says(answer.json(), "JSON")


def test_a_database_that_is_gone_is_503_without_its_password(
    serve: Callable[..., Any], home: Path, settings_for: Callable[..., Any]
) -> None:
    dead = Postgres(host="127.0.0.1", port=9, password=SecretStr("pass word"))
    settings = settings_for(home, 9, "gone").model_copy(update={"postgres": dead})
    with serve(settings) as client:
        answer = client.get("/api/portfolio")
        assert answer.status_code == 503
        _says(answer.json(), "PostgreSQL does not answer")
        assert client.get("/live").status_code == 200
        health = client.get("/health").json()
        metrics = client.get("/metrics")
    failed = next(check for check in health["checks"] if check["name"] == "postgresql")
    assert not failed["ok"]
    assert "pass word" not in str(health)
    assert metrics.status_code == 200
    assert 'trading_component_up{component="postgresql"} 0.0' in metrics.text


def test_an_error_inside_is_500_without_its_text(own_api: httpx.Client, execute_in_own: Callable[[str], None]) -> None:
    execute_in_own("ALTER TABLE execution.fills RENAME COLUMN price TO cost")
    answer = own_api.get("/api/fills")
    assert answer.status_code == 500
    _says(answer.json(), "GET /api/fills failed inside the api")
    assert "column" not in answer.text


def test_every_error_of_the_project_has_a_status() -> None:
    assert STATUSES[-1] == (TradingError, 400)
    assert dict(STATUSES)[UnavailableError] == 503


def test_the_first_problem_names_the_field_and_counts_the_others() -> None:
    problems = [{"loc": ("body", "rule", "fast"), "msg": "Value error, too small"}, {"loc": (), "msg": "x"}]
    assert first_problem(problems) == "rule.fast: too small (and 1 more)"


def _says(body: dict[str, str], part: str) -> None:
    assert list(body) == ["error"]
    assert part in body["error"]
    assert "\n" not in body["error"]
