from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from pydantic import SecretStr

from tests.ports import free_port
from tests.prefect_server import LOGIN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import httpx

    from tests.prefect_server import PrefectServer

NAME = "fetch-market-data/fetch-market-data"
RUNS = f"/api/deployments/{NAME}/runs"
SCHEMA = {
    "type": "object",
    "title": "Parameters",
    "properties": {"timeframe": {"type": "string", "enum": ["1Day", "1Min"], "default": "1Day"},
    "days": {"type": "integer"}},
}  # fmt: skip


@pytest.fixture(scope="module")
def deployed(prefect_server: PrefectServer) -> str:
    """Return the address of the server after two deployments were registered."""
    asyncio.run(_deploy(prefect_server.url))
    return prefect_server.url


async def _deploy(url: str) -> None:
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.actions import DeploymentScheduleCreate
    from prefect.client.schemas.schedules import CronSchedule

    cron = CronSchedule(cron="20 9 * * 1-5", timezone="America/New_York")
    async with PrefectClient(api=url, auth_string=LOGIN) as client:
        for name in ("fetch-market-data", "trading-cycle"):
            flow = await client.create_flow_from_name(name)
            await client.create_deployment(
                flow_id=flow,
                name=name,
                parameters={"timeframe": "1Day"},
                parameter_openapi_schema=SCHEMA,
                enforce_parameter_schema=True,
                description=f"{name} in words",
                tags=["service"],
                paused=True,
                schedules=[DeploymentScheduleCreate(schedule=cron, active=name != "trading-cycle")],
            )


@pytest.fixture(scope="module")
def api(
    *,
    deployed: str,
    serve: Callable[..., Any],
    settings_for: Callable[..., Any],
    postgres: int,
    home: Path,
    orchestrated: str,
) -> Iterator[httpx.Client]:
    """Yield a client of the api over the Prefect server."""
    settings = settings_for(home, postgres, orchestrated, api_url=deployed, auth=SecretStr(LOGIN))
    with serve(settings) as client:
        yield client


def test_deployments_are_listed_with_what_a_form_needs(api: httpx.Client) -> None:
    listed = {row["name"]: row for row in api.get("/api/deployments").json()}
    found = listed[NAME]
    assert sorted(listed) == [NAME, "trading-cycle/trading-cycle"]
    assert (found["flow"], found["description"], found["tags"]) == (
        "fetch-market-data",
        "fetch-market-data in words",
        ["service"],
    )
    assert found["parameter_schema"]["properties"]["timeframe"]["enum"] == ["1Day", "1Min"]
    assert found["parameters"] == {"timeframe": "1Day"}
    assert found["schedules"] == [{"schedule": "20 9 * * 1-5", "timezone": "America/New_York", "active": True}]
    assert found["paused"]


def test_a_run_is_started_once_per_idempotency_key(api: httpx.Client) -> None:
    body = {"parameters": {"timeframe": "1Min"}, "idempotency_key": uuid4().hex}
    first, second = api.post(RUNS, json=body), api.post(RUNS, json=body)
    assert first.status_code == second.status_code == 202
    assert first.json() == second.json()
    run = api.get(f"/api/runs/{first.json()['flow_run_id']}").json()
    assert run["deployment"] == NAME
    assert run["parameters"] == {"timeframe": "1Min"}
    assert run["state_type"] == "SCHEDULED"
    assert run["url"] == first.json()["url"]
    assert run["url"].endswith(f"/runs/flow-run/{run['id']}")


def test_a_run_without_a_body_takes_the_default_parameters(api: httpx.Client) -> None:
    started = api.post(RUNS).json()
    assert api.get(f"/api/runs/{started['flow_run_id']}").json()["parameters"] == {"timeframe": "1Day"}


@pytest.mark.parametrize(
    ("parameters", "line"),
    [
        ({"timeframe": "2Day"}, "'2Day' is not one of"),
        ({"days": "many"}, "field 'days'"),
        ({"timefame": "1Day"}, "did you mean 'timeframe'?"),
    ],
)
def test_bad_parameters_are_refused_before_a_run_starts(
    api: httpx.Client, parameters: dict[str, Any], line: str
) -> None:
    before = len(api.get("/api/runs").json())
    answer = api.post(RUNS, json={"parameters": parameters})
    assert answer.status_code == 422
    assert line in answer.json()["error"]
    assert "\n" not in answer.json()["error"]
    assert len(api.get("/api/runs").json()) == before


def test_an_unknown_deployment_is_404_with_a_suggestion(api: httpx.Client) -> None:
    for answer in (
        api.post("/api/deployments/fetch-market/fetch-market-data/runs"),
        api.post("/api/deployments/fetch-market/fetch-market-data/paused", json={"paused": True}),
        api.get("/api/runs", params={"deployment": "fetch-market/fetch-market-data"}),
    ):
        assert answer.status_code == 404
        assert f"did you mean '{NAME}'?" in answer.json()["error"]


def test_an_unknown_run_is_404(api: httpx.Client) -> None:
    answer = api.get(f"/api/runs/{uuid4()}")
    assert answer.status_code == 404
    assert "no flow run" in answer.json()["error"]


def test_runs_are_filtered_by_deployment_and_state(api: httpx.Client) -> None:
    api.post(RUNS)
    runs = api.get("/api/runs", params={"deployment": NAME, "state": "scheduled", "limit": 1}).json()
    assert [run["deployment"] for run in runs] == [NAME]
    assert api.get("/api/runs", params={"state": "COMPLETED"}).json() == []
    assert api.get("/api/runs", params={"deployment": "trading-cycle/trading-cycle"}).json() == []


def test_a_deployment_is_paused_and_resumed(api: httpx.Client) -> None:
    path = "/api/deployments/trading-cycle/trading-cycle"
    resumed = api.post(f"{path}/paused", json={"paused": False}).json()
    listed = {row["name"]: row for row in api.get("/api/deployments").json()}
    assert resumed == {"name": "trading-cycle/trading-cycle", "paused": False}
    assert not listed["trading-cycle/trading-cycle"]["paused"]
    assert listed["trading-cycle/trading-cycle"]["schedules"][0]["active"]  # else resuming would do nothing
    assert api.post(f"{path}/paused", json={"paused": True}).json()["paused"]


def test_a_prefect_server_that_is_down_is_503(
    *,
    serve: Callable[..., Any],
    settings_for: Callable[..., Any],
    postgres: int,
    home: Path,
    orchestrated: str,
) -> None:
    settings = settings_for(home, postgres, orchestrated, api_url=f"http://127.0.0.1:{free_port()}/api")
    with serve(settings) as client:
        answer = client.get("/api/deployments")
    assert answer.status_code == 503
    assert "Prefect server does not answer" in answer.json()["error"]


def test_a_login_that_prefect_refuses_is_503(
    *,
    deployed: str,
    serve: Callable[..., Any],
    settings_for: Callable[..., Any],
    postgres: int,
    home: Path,
    orchestrated: str,
) -> None:
    settings = settings_for(home, postgres, orchestrated, api_url=deployed, auth=SecretStr("admin:wrong"))
    with serve(settings) as client:
        answer = client.get("/api/runs")
    assert answer.status_code == 503
    assert "PREFECT_API_AUTH_STRING" in answer.json()["error"]
