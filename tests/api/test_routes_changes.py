from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx


def crossover(**changes: Any) -> dict[str, Any]:
    return {"rule": {"kind": "sma_crossover", "fast": 10, "slow": 40}, "capital_fraction": 0.3, **changes}


def test_a_definition_becomes_a_new_version_of_the_strategy(
    own_api: httpx.Client, rows_of_own: Callable[[str], list[Any]]
) -> None:
    before = own_api.get("/api/strategies/sma_crossover").json()
    saved = own_api.put("/api/strategies/sma_crossover", json={"definition": crossover()}).json()
    after = own_api.get("/api/strategies/sma_crossover").json()
    assert after["version"] == saved["version"] != before["version"]
    assert after["definition"]["rule"] == {"kind": "sma_crossover", "fast": 10, "slow": 40}
    assert (before["status"], after["status"]) == ("active", "paused"), "the new version was not checked"
    assert after["check"] is None
    assert len(after["versions"]) == len(before["versions"]) + 1
    assert after["updated_by"] == "api"
    assert rows_of_own("SELECT actor, action, subject FROM logging.audit_events") == [
        ("api", "strategy.defined", "sma_crossover")
    ]


def test_a_new_strategy_comes_up_paused(own_api: httpx.Client) -> None:
    assert own_api.put("/api/strategies/slow_cross", json={"definition": crossover()}).status_code == 200
    found = next(row for row in own_api.get("/api/strategies").json() if row["name"] == "slow_cross")
    assert found["status"] == "paused"


@pytest.mark.parametrize(
    ("definition", "line"),
    [
        ({}, "definition.rule"),
        (crossover(capital_fraction=2), "definition.capital_fraction"),
        (crossover(universe=["APPL"]), "did you mean 'AAPL'?"),
        (crossover(name="other"), "the path says 'sma_crossover'"),
        (crossover(color="red"), "definition.color"),
        (crossover(rule={"kind": "sma_crossover", "fast": "x"}), "fast"),
    ],
)
def test_a_definition_that_does_not_fit_is_refused_in_one_line(
    api: httpx.Client, definition: dict[str, Any], line: str
) -> None:
    answer = api.put("/api/strategies/sma_crossover", json={"definition": definition})
    assert answer.status_code == 422
    assert line in answer.json()["error"]
    assert "\n" not in answer.json()["error"]


def test_a_strategy_is_paused_and_activated(own_api: httpx.Client, rows_of_own: Callable[[str], list[Any]]) -> None:
    paused = own_api.post("/api/strategies/sma_crossover/status", json={"status": "paused"})
    assert paused.json()["status"] == "paused"
    unknown = own_api.post("/api/strategies/sma_cross/status", json={"status": "paused"})
    assert unknown.status_code == 404
    assert own_api.post("/api/strategies/sma_crossover/status", json={"status": "on"}).status_code == 422
    refused = own_api.post("/api/strategies/sma_crossover/status", json={"status": "active"})
    assert refused.status_code == 409
    assert "was never checked; run `trading check sma_crossover`" in refused.json()["error"]
    anyway = {"status": "active", "anyway": "a trial on paper"}
    assert own_api.post("/api/strategies/sma_crossover/status", json=anyway).json()["status"] == "active"
    assert rows_of_own("SELECT detail FROM logging.audit_events ORDER BY id DESC LIMIT 1") == [(anyway,)]


def test_a_limit_is_set_and_named_with_who_set_it(own_api: httpx.Client) -> None:
    answer = own_api.put("/api/risk/limits/max_drawdown", json={"value": 0.3}).json()
    limit = next(row for row in own_api.get("/api/risk").json()["limits"] if row["name"] == "max_drawdown")
    assert answer == limit
    assert (limit["value"], limit["default"], limit["updated_by"]) == (0.3, 0.25, "api")


@pytest.mark.parametrize(
    ("name", "value", "status", "line"),
    [
        ("max_drawdwon", 0.3, 404, "did you mean 'max_drawdown'?"),
        ("max_drawdown", -1, 422, "max_drawdown"),
        ("max_drawdown", 0.1, 422, "must not exceed max_drawdown"),
        ("max_open_orders", 1.5, 422, "max_open_orders"),
        ("max_drawdown", "much", 422, "value"),
    ],
)
def test_a_limit_that_does_not_fit_is_refused(
    api: httpx.Client, name: str, value: object, status: int, line: str
) -> None:
    before = api.get("/api/risk").json()["limits"]
    answer = api.put(f"/api/risk/limits/{name}", json={"value": value})
    assert answer.status_code == status
    assert line in answer.json()["error"]
    assert api.get("/api/risk").json()["limits"] == before


def test_trading_is_halted_and_resumed_with_a_reason(own_api: httpx.Client) -> None:
    for state in ("HALTED", "ACTIVE", "HALTED"):
        answer = own_api.post("/api/risk/state", json={"state": state, "reason": f"test of {state}"})
        assert answer.json()["state"] == state
    risk = own_api.get("/api/risk").json()
    assert risk["trading_state"]["reason"] == "test of HALTED"
    assert [change["new"] for change in risk["changes"][:3]] == ["HALTED", "ACTIVE", "HALTED"]
    assert own_api.get("/api/portfolio").json()["trading_state"] == "HALTED"
    # The broker's clock stands in 2012: so do the changes.
    assert all(change["changed_at"].startswith("2012-12-07") for change in risk["changes"])


def test_a_halt_without_prefect_is_written_and_says_what_it_could_not_do(
    own_api: httpx.Client, rows_of_own: Callable[[str], list[Any]]
) -> None:
    body = {"reason": "a fire in the kitchen", "who": "ada"}
    answer = own_api.post("/api/risk/flatten", json=body).json()

    assert (answer["state"], answer["changed_by"], answer["run"]) == ("HALTED", "ada", None)
    assert "open ones are not cancelled" in answer["note"]
    assert "`trading halt`" in answer["note"]
    assert rows_of_own(
        "SELECT actor, action, detail->>'state', detail->>'reason' FROM logging.audit_events ORDER BY id DESC LIMIT 1"
    ) == [("ada", "risk.state", "HALTED", "a fire in the kitchen")]


@pytest.mark.parametrize(
    "body", [{"state": "HALTED"}, {"state": "STOP", "reason": "because"}, {"state": "HALTED", "reason": ""}]
)
def test_a_state_without_reason_or_unknown_is_refused(api: httpx.Client, body: dict[str, str]) -> None:
    assert api.post("/api/risk/state", json=body).status_code == 422


def test_ten_halts_at_once_are_one_change(own_api: httpx.Client) -> None:
    body = {"state": "HALTED", "reason": "everybody pressed it"}
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: own_api.post("/api/risk/state", json=body).status_code, range(10)))
    changes = own_api.get("/api/risk").json()["changes"]
    assert set(answers) <= {200, 409}
    assert [change["new"] for change in changes].count("HALTED") == 1


def test_a_symbol_is_tracked_and_tagged(own_api: httpx.Client) -> None:
    answer = own_api.put("/api/universe/xom", json={"tracked": True, "sector": "Energy", "tags": ["oil"]}).json()
    assert (answer["tracked"], answer["sector"], answer["tags"]) == (True, "Energy", ["oil"])
    untracked = own_api.put("/api/universe/XOM", json={"tracked": False}).json()
    assert (untracked["tracked"], untracked["sector"]) == (False, "Energy")
    assert own_api.put("/api/universe/XO", json={"tracked": True}).status_code == 404
    assert own_api.put("/api/universe/XOM", json={"traced": True}).status_code == 422
