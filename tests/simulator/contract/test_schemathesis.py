"""Requests generated out of Alpaca's own OpenAPI documents: no 5xx, and documented answers fit their schema."""

from __future__ import annotations

import importlib.resources
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import response_schema_conformance

from tests.simulator.served import HEADERS, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator.market import Market

SPECS = importlib.resources.files("alpaca_mcp_server") / "specs"
ACCOUNT = r"^/v2/(account|assets|calendar|clock|orders|positions|watchlists)"
PRICES = r"^/(v2/stocks/(?!meta)|v1/corporate-actions)"
OPTIONS = "exercise|contract"
FEW = settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def document(name: str) -> Any:
    return schemathesis.openapi.from_dict(json.loads((SPECS / f"{name}-api.json").read_text("utf-8")))


trading = document("trading").include(path_regex=ACCOUNT).exclude(path_regex=OPTIONS)
market_data = document("market-data").include(path_regex=PRICES)


@pytest.fixture(scope="module")
def address(market: Market, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(market, tmp_path_factory.mktemp("contract") / "state.sqlite") as found:
        yield found


def disagreements(case: Any, response: Any) -> list[str]:
    """Return what is wrong with an answer by the checks of the document, in words; nothing when they agree."""
    try:
        case.validate_response(response, checks=(not_a_server_error, response_schema_conformance))
    except FailureGroup as found:
        return [str(one) for one in found.exceptions]
    return []


@trading.parametrize()  # type: ignore[untyped-decorator] # of schemathesis
@FEW
def test_the_trading_api(case: Any, address: str) -> None:
    assert disagreements(case, case.call(base_url=address, headers=HEADERS)) == []


@market_data.parametrize()  # type: ignore[untyped-decorator] # of schemathesis
@FEW
def test_the_market_data_api(case: Any, address: str) -> None:
    assert disagreements(case, case.call(base_url=address, headers=HEADERS)) == []


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (500, b"{}", "Server error"),
        (200, b'{"timestamp": 5, "is_open": true}', "violates schema"),
    ],
)
def test_an_answer_that_is_not_the_documents_is_a_disagreement(status: int, body: bytes, words: str) -> None:
    case = trading["/v2/clock"]["GET"].Case()
    request = httpx.Request("GET", "http://127.0.0.1/v2/clock")
    response = httpx.Response(status, content=body, headers={"Content-Type": "application/json"}, request=request)
    response.elapsed = timedelta()

    found = disagreements(case, response)

    assert any(words in one for one in found), found
