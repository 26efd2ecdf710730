from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect.client.schemas.schedules import CronSchedule
from prefect.flows import Flow, load_flow_from_entrypoint

from flows.orchestration import CLOSE, CYCLE
from trading.config import SERVICES

DECLARATION = yaml.safe_load((Path(__file__).parents[2] / "prefect.yaml").read_text(encoding="utf-8"))
DEPLOYMENTS: list[dict[str, Any]] = DECLARATION["deployments"]
NAMES = [entry["name"] for entry in DEPLOYMENTS]

MISSION = {
    "data_ingestion": ["fetch_market_data", "validate_data_quality", "archive_old_data"],
    "strategy_engine": ["run_strategy", "calculate_indicators", "generate_signals", "backtest_strategy"],
    "execution": ["execute_trades", "manage_orders", "update_positions", "reconcile_trades"],
    "risk_management": [
        "calculate_position_size",
        "validate_risk_limits",
        "monitor_portfolio_risk",
        "generate_risk_alerts",
    ],
    "analytics": ["calculate_performance", "generate_reports", "run_backtest", "analyze_trades"],
    "notification": ["send_trade_alerts", "monitor_system_health", "aggregate_logs", "send_daily_summary"],
}
TOP_LEVEL = {"name", "prefect-version", "pull", "definitions", "deployments"}
KEYS = {"name", "description", "entrypoint", "tags", "work_pool", "concurrency_limit", "schedules", "parameters"}
SCHEDULE_KEYS = {"cron", "timezone", "active", "parameters"}


@pytest.fixture(params=DEPLOYMENTS, ids=NAMES)
def entry(request: pytest.FixtureRequest) -> dict[str, Any]:
    declared: dict[str, Any] = request.param
    return declared


def load(entry: dict[str, Any]) -> Flow[Any, Any]:
    found: Flow[Any, Any] = load_flow_from_entrypoint(entry["entrypoint"], use_placeholder_flow=False)
    return found


def test_every_flow_of_the_mission_document_is_deployed_from_its_service_to_its_pool() -> None:
    declared = {entry["entrypoint"]: entry["work_pool"]["name"] for entry in DEPLOYMENTS}

    for service, flows in MISSION.items():
        for name in flows:
            assert declared[f"flows.{service}.{name}"] == service.replace("_", "-")
    assert sum(len(flows) for flows in MISSION.values()) == 23
    assert len(DEPLOYMENTS) == 28


def test_no_key_is_misspelt_for_prefect_would_drop_it_silently(entry: dict[str, Any]) -> None:
    assert set(DECLARATION) <= TOP_LEVEL
    assert set(entry) <= KEYS
    for schedule in entry.get("schedules", []):
        assert set(schedule) <= SCHEDULE_KEYS
        CronSchedule(cron=schedule["cron"], timezone=schedule["timezone"])
    assert set(entry.get("concurrency_limit", {})) <= {"limit", "collision_strategy"}


def test_a_deployment_is_named_as_its_flow_and_says_what_it_does(entry: dict[str, Any]) -> None:
    flow = load(entry)

    assert flow.name == entry["name"]
    assert entry["description"]
    assert flow.description
    assert entry["work_pool"]["name"] in {service.replace("_", "-") for service in SERVICES}


def test_every_parameter_is_documented_and_has_a_default(entry: dict[str, Any]) -> None:
    flow = load(entry)
    properties = flow.parameters.properties

    assert not flow.parameters.required
    for name, field in properties.items():
        assert field.get("description") or field.get("title"), f"{entry['name']}.{name}"
    for schedule in entry.get("schedules", []):
        flow.validate_parameters(schedule.get("parameters") or {})


def test_what_trades_never_runs_twice_and_comes_up_quiet(entry: dict[str, Any]) -> None:
    if "trades" not in entry["tags"]:
        return
    assert entry["concurrency_limit"] == {"limit": 1, "collision_strategy": "CANCEL_NEW"}
    assert not any(schedule["active"] for schedule in entry.get("schedules", []))


def test_flows_that_trade_are_asynchronous() -> None:
    assert all(load(entry).isasync for entry in DEPLOYMENTS)


def test_the_steps_of_the_orchestrating_flows_are_deployments() -> None:
    flat = {name for step in (*CYCLE, *CLOSE) for name in ([step] if isinstance(step, str) else step)}
    assert flat <= set(NAMES)
