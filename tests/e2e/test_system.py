"""What a newcomer does with a running system, in the order of the README."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psutil
import pytest
import yaml

from trading.config import SERVICES

if TYPE_CHECKING:
    from tests.stack import Stack

ROOT = Path(__file__).parents[2]
DEPLOYMENTS = [
    entry["name"] for entry in yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
]
FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
SERVICE_FLOWS = [name for name in DEPLOYMENTS if name not in {"trading-cycle", "close-of-day", "replay"}]


def prefect(stack: Stack, *arguments: str, timeout: float = 180) -> Any:
    return stack.run(sys.executable, "-m", "prefect", *arguments, timeout=timeout)


@pytest.fixture(scope="module")
def demo(stack: Stack) -> str:
    """Run the demonstration once, short; its last session goes through the service deployments."""
    done = stack.trading("demo", "--sessions", "2", timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_demo_ends_with_figures_and_addresses(stack: Stack, demo: str) -> None:
    for word in ("Sessions", "Orders", "Fills", "Final equity", "Return", "Max drawdown", "Sharpe"):
        assert word.lower() in demo.lower()
    assert f":{stack.settings.web.dashboard}" in demo
    assert f":{stack.settings.prefect.port}" in demo


def test_everything_is_verified(stack: Stack, demo: str) -> None:
    done = stack.trading("verify", "--json")

    assert done.returncode == 0, done.stdout + done.stderr
    assert all(check["ok"] for check in json.loads(done.stdout))
    assert demo


def test_the_prefect_command_lists_every_deployment_without_an_environment(stack: Stack) -> None:
    listed = prefect(stack, "deployment", "ls")

    assert listed.returncode == 0, listed.stderr
    for name in DEPLOYMENTS:
        assert name in listed.stdout


@pytest.fixture(scope="module")
def runs(stack: Stack, demo: str) -> dict[str, str]:
    """Return how a run of every service flow with its default parameters ended.

    The demonstration's last session ran most of them; the others are started here, all at once.
    """
    assert demo
    done = {name: stack.api("GET", f"/api/runs?deployment={name}/{name}&limit=1").json() for name in SERVICE_FLOWS}
    started = {
        name: found[0]["id"]
        if found
        else stack.api("POST", f"/api/deployments/{name}/{name}/runs", json={}).json()["flow_run_id"]
        for name, found in done.items()
    }
    assert sum(map(bool, done.values())) >= len(SERVICE_FLOWS) / 2
    ended: dict[str, str] = {}
    deadline = time.monotonic() + 240
    while len(ended) < len(started) and time.monotonic() < deadline:
        for name in started.keys() - ended.keys():
            state = stack.api("GET", f"/api/runs/{started[name]}").json()["state_type"]
            if state in FINAL:
                ended[name] = state
        time.sleep(0.5)
    return ended


@pytest.mark.parametrize("name", SERVICE_FLOWS)
def test_every_flow_completes_with_its_default_parameters(runs: dict[str, str], name: str) -> None:
    assert runs.get(name, "not in time") == "COMPLETED"


def test_a_flow_runs_from_the_prefect_command(stack: Stack, demo: str) -> None:
    done = prefect(stack, "deployment", "run", "update-positions/update-positions", "--watch", "--watch-interval", "1")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "COMPLETED" in done.stdout.upper()
    assert demo


@pytest.mark.parametrize(
    ("name", "parameter", "complaint"),
    [
        ("backtest-strategy", "capital=-5", "less than or equal to the minimum"),
        ("generate-signals", "as_of=yesterday", "does not match"),
        ("fetch-market-data", "start=2012-13-01", "does not match"),
    ],
)
def test_a_run_with_bad_parameters_is_refused_before_it_starts(
    stack: Stack, name: str, parameter: str, complaint: str
) -> None:
    done = prefect(stack, "deployment", "run", f"{name}/{name}", "--param", parameter)

    assert done.returncode == 1
    assert complaint in done.stdout + done.stderr


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_answers_on_its_port(stack: Stack, service: str) -> None:
    answer = httpx.get(f"http://127.0.0.1:{stack.settings.web.service(service)}/health", timeout=10)

    assert answer.status_code == 200


def test_the_api_reports_the_same_facts_as_verify(stack: Stack, demo: str) -> None:
    verified = json.loads(stack.trading("verify", "--json").stdout)
    answer = stack.api("GET", "/health")

    assert answer.status_code == 200, answer.text
    assert {check["name"] for check in answer.json()["checks"]} == {check["name"] for check in verified}
    assert demo


def test_every_order_of_the_demo_can_be_walked_back_to_its_signal(stack: Stack, demo: str) -> None:
    orders = stack.api("GET", "/api/orders").json()["items"]
    lineage = stack.api("GET", f"/api/orders/{orders[0]['id']}").json()["lineage"]

    assert lineage["signal"]["reason"]
    assert lineage["decision"]["verdict"] in {"approved", "reduced"}
    assert demo


def test_the_demo_reaches_every_schema(stack: Stack, demo: str) -> None:
    for table in (
        "data_ingestion.bars",
        "strategy_engine.signals",
        "risk_management.risk_decisions",
        "execution.fills",
        "analytics.performance",
        "analytics.reports",
        "notification.messages",
    ):
        assert stack.scalar(f"SELECT count(*) FROM {table}") > 0, table
    assert demo


def test_starting_twice_is_harmless(stack: Stack) -> None:
    before = stack.trading("status", "--json").stdout
    again = stack.trading("start", "--detach")

    assert again.returncode == 0
    assert pids(stack.trading("status", "--json").stdout) == pids(before)


def pids(status: str) -> list[int]:
    return [int(unit["pid"]) for unit in json.loads(status)["units"] if unit.get("pid")]


def test_no_secret_shows_in_logs_settings_or_process_lists(stack: Stack) -> None:
    secrets = [
        line.split("=", 1)[1].strip().strip("'\"")
        for line in (stack.home / "secrets.env").read_text(encoding="utf-8").splitlines()
        if "=" in line
    ]
    shown = stack.trading("config").stdout + stack.trading("config", "--json").stdout
    logged = "".join(path.read_text(errors="replace") for path in (stack.home / "logs").glob("*.log*"))
    commands = " ".join(
        " ".join(psutil.Process(pid).cmdline()) for pid in pids(stack.trading("status", "--json").stdout)
    )

    assert len(secrets) >= 6
    for secret in secrets:
        assert secret not in shown
        assert secret not in logged
        assert secret not in commands


def test_a_stack_that_was_killed_comes_up_again_with_everything_it_had(stack: Stack, demo: str) -> None:
    before = stack.rows("SELECT id, client_order_id, status FROM execution.orders ORDER BY id")
    killed = json.loads(stack.trading("status", "--json").stdout)
    psutil.Process(killed["pid"]).kill()

    again = stack.trading("start", "--detach", timeout=240)

    assert again.returncode == 0, again.stdout + again.stderr
    assert json.loads(stack.trading("status", "--json").stdout)["pid"] != killed["pid"]
    assert stack.rows("SELECT id, client_order_id, status FROM execution.orders ORDER BY id") == before
    assert all(check["ok"] for check in json.loads(stack.trading("verify", "--json").stdout))
    assert demo
