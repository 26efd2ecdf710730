"""Prefect, asked over its API: deployments, their runs, starting and pausing them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator  # noqa: TC003 - contextmanager's return type
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx

from api.errors import MissingError, RefusedError
from api.schemas.runs import Deployment, Run, Schedule, Started
from trading.errors import UnavailableError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import ModuleType

    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import DeploymentSchedule, FlowRun
    from prefect.client.schemas.responses import DeploymentResponse

    from trading.config import Settings

PAGE = 200
"""Rows that Prefect hands out at most in one answer."""

SECONDS = 10.0
"""How long one call may take."""


class Orchestrator:
    """The Prefect server of the settings; connects at first use, because importing Prefect takes seconds."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: PrefectClient | None = None
        self._connecting = asyncio.Lock()

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.__aexit__(None, None, None)

    async def deployments(self) -> list[Deployment]:
        """Return every deployment with its newest run, by name."""
        client = await self._connected()
        with _explained():
            found, flows = await asyncio.gather(self._all_deployments(client), self._flows(client))
            newest = await self._newest_runs(client, [deployment.id for deployment in found])
        names = {deployment.id: f"{flows.get(deployment.flow_id, '?')}/{deployment.name}" for deployment in found}
        listed = [
            self._deployment(deployment, names[deployment.id], self._run(newest.get(deployment.id), names))
            for deployment in found
        ]
        return sorted(listed, key=lambda deployment: deployment.name)

    async def start(
        self, flow: str, deployment: str, parameters: Mapping[str, Any], *, idempotency_key: str | None
    ) -> Started:
        """Start a run of a deployment; the same key starts it once.

        Raises
        ------
        UnknownNameError
            There is no such deployment.
        RefusedError
            The parameters do not fit its schema.
        """
        client = await self._connected()
        found = await self._named(client, flow, deployment)
        _check_names(parameters, found)
        with _explained():
            run = await client.create_flow_run_from_deployment(
                found.id, parameters=dict(parameters), idempotency_key=idempotency_key, tags=["api"]
            )
        return Started(flow_run_id=run.id, name=run.name, url=self._url("runs/flow-run", run.id))

    async def pause(self, flow: str, deployment: str, *, paused: bool) -> bool:
        """Let a deployment's schedules rest, or run again; return what now holds.

        Resuming a deployment of which every schedule is inactive activates them: else nothing would happen.
        """
        client = await self._connected()
        found = await self._named(client, flow, deployment)
        with _explained():
            if paused:
                await client.pause_deployment(found.id)
                return True
            await client.resume_deployment(found.id)
            if not any(schedule.active for schedule in found.schedules):
                for schedule in found.schedules:
                    await client.update_deployment_schedule(found.id, schedule.id, active=True)
        return False

    async def runs(self, *, limit: int, state: str | None, deployment: str | None) -> list[Run]:
        """Return flow runs, the one due last first; `state` is a type or name, `deployment` is flow/name."""
        client = await self._connected()
        prefect = _filters()
        chosen: dict[str, Any] = {}
        if state is not None:
            chosen["state"] = _state_filter(prefect, state)
        if deployment is not None:
            flow, _, name = deployment.partition("/")
            found = await self._named(client, flow, name or flow)
            chosen["deployment_id"] = prefect.FlowRunFilterDeploymentId(any_=[found.id])
        with _explained():
            rows, names = await asyncio.gather(
                self._flow_runs(client, prefect.FlowRunFilter(**chosen), limit), self._names(client)
            )
        return [run for row in rows if (run := self._run(row, names)) is not None]

    async def run(self, flow_run_id: UUID) -> Run:
        """Return one flow run.

        Raises
        ------
        MissingError
            There is none.
        """
        client = await self._connected()
        with _explained(missing=f"no flow run {flow_run_id}; GET /api/runs lists them"):
            row, names = await asyncio.gather(client.read_flow_run(flow_run_id), self._names(client))
        run = self._run(row, names)
        if run is None:
            raise MissingError(f"no flow run {flow_run_id}; GET /api/runs lists them")
        return run

    async def _connected(self) -> PrefectClient:
        async with self._connecting:
            if self._client is None:
                kind = await asyncio.to_thread(_client_class)
                client = kind(
                    api=self._settings.prefect.url,
                    auth_string=self._settings.prefect.auth.get_secret_value() or None,
                    httpx_settings={"timeout": SECONDS},
                )
                self._client = await client.__aenter__()
            return self._client

    async def _named(self, client: PrefectClient, flow: str, deployment: str) -> DeploymentResponse:
        from prefect.exceptions import ObjectNotFound

        with _explained():
            try:
                return await client.read_deployment_by_name(f"{flow}/{deployment}")
            except ObjectNotFound:
                names = await self._names(client)
        raise UnknownNameError("deployment", f"{flow}/{deployment}", names.values())

    async def _names(self, client: PrefectClient) -> dict[UUID, str]:
        found, flows = await asyncio.gather(self._all_deployments(client), self._flows(client))
        return {deployment.id: f"{flows.get(deployment.flow_id, '?')}/{deployment.name}" for deployment in found}

    @staticmethod
    async def _all_deployments(client: PrefectClient) -> list[DeploymentResponse]:
        found = await client.read_deployments(limit=PAGE)
        while len(found) % PAGE == 0 and (more := await client.read_deployments(limit=PAGE, offset=len(found))):
            found += more
        return found

    @staticmethod
    async def _flows(client: PrefectClient) -> dict[UUID, str]:
        return {flow.id: flow.name for flow in await client.read_flows(limit=PAGE)}

    @staticmethod
    async def _flow_runs(client: PrefectClient, chosen: Any, limit: int) -> list[FlowRun]:
        from prefect.client.schemas.sorting import FlowRunSort

        return await client.read_flow_runs(
            flow_run_filter=chosen, sort=FlowRunSort.EXPECTED_START_TIME_DESC, limit=min(limit, PAGE)
        )

    async def _newest_runs(self, client: PrefectClient, deployments: list[UUID]) -> dict[UUID, FlowRun]:
        """Return each deployment's newest started run, asking again for those a busy one crowds out."""
        prefect, newest, wanted = _filters(), dict[UUID, Any](), list(deployments)
        while wanted:
            chosen = prefect.FlowRunFilter(
                deployment_id=prefect.FlowRunFilterDeploymentId(any_=wanted),
                state=prefect.FlowRunFilterState(
                    type=prefect.FlowRunFilterStateType(not_any_=["SCHEDULED", "PENDING"])
                ),
            )
            rows = await self._flow_runs(client, chosen, PAGE)
            for row in rows:
                if row.deployment_id is not None:
                    newest.setdefault(row.deployment_id, row)
            wanted = [key for key in wanted if key not in newest] if len(rows) == PAGE else []
        return newest

    def _deployment(self, found: DeploymentResponse, name: str, last_run: Run | None) -> Deployment:
        return Deployment(
            name=name,
            flow=name.partition("/")[0],
            pool=found.work_pool_name,
            description=found.description,
            tags=sorted(found.tags),
            parameters=found.parameters,
            parameter_schema=found.parameter_openapi_schema or {},
            schedules=[_schedule(schedule) for schedule in found.schedules],
            paused=found.paused,
            last_run=last_run,
            url=self._url("deployments/deployment", found.id),
        )

    def _run(self, row: FlowRun | None, names: Mapping[UUID, str]) -> Run | None:
        if row is None:
            return None
        deployment = names.get(row.deployment_id) if row.deployment_id else None
        return Run(
            id=row.id,
            name=row.name,
            flow=deployment.partition("/")[0] if deployment else None,
            deployment=deployment,
            state=row.state_name,
            state_type=row.state_type.value if row.state_type else None,
            message=row.state.message if row.state else None,
            parameters=row.parameters,
            tags=sorted(row.tags),
            expected_start_at=row.expected_start_time,
            started_at=row.start_time,
            ended_at=row.end_time,
            seconds=(row.total_run_time or row.estimated_run_time).total_seconds(),
            url=self._url("runs/flow-run", row.id),
        )

    def _url(self, place: str, key: UUID) -> str:
        return f"{self._settings.prefect.ui_url}/{place}/{key}"


def _client_class() -> type[PrefectClient]:
    from prefect.client.orchestration import PrefectClient

    return PrefectClient


def _filters() -> ModuleType:
    from prefect.client.schemas import filters

    return filters


def _state_filter(prefect: ModuleType, state: str) -> Any:
    from prefect.client.schemas.objects import StateType

    if state.upper() in StateType.__members__:
        return prefect.FlowRunFilterState(type=prefect.FlowRunFilterStateType(any_=[state.upper()]))
    return prefect.FlowRunFilterState(name=prefect.FlowRunFilterStateName(any_=[state]))


def _schedule(found: DeploymentSchedule) -> Schedule:
    schedule = found.schedule
    words = getattr(schedule, "cron", None) or getattr(schedule, "rrule", None)
    interval = getattr(schedule, "interval", None)
    return Schedule(
        schedule=str(words) if words else f"every {interval}",
        timezone=getattr(schedule, "timezone", None),
        active=found.active,
    )


def _check_names(parameters: Iterable[str], found: DeploymentResponse) -> None:
    # Prefect's schema lets unknown names pass; the run would crash on them later.
    known = (found.parameter_openapi_schema or {}).get("properties", {})
    for name in parameters:
        if name not in known:
            raise RefusedError(str(UnknownNameError("parameter", name, known)))


@contextmanager
def _explained(
    *, missing: str = "Prefect has no such object; GET /api/deployments lists what there is"
) -> Iterator[None]:
    """Turn the ways in which a call to Prefect fails into errors for a person."""
    from prefect.exceptions import ObjectNotFound

    try:
        yield
    except ObjectNotFound:
        raise MissingError(missing) from None
    except httpx.HTTPStatusError as error:
        raise _refusal(error.response) from None
    except httpx.HTTPError as error:
        raise UnavailableError(
            f"the Prefect server does not answer ({type(error).__name__}); see `trading status`"
        ) from None


def _refusal(response: httpx.Response) -> Exception:
    if response.status_code in {401, 403}:
        return UnavailableError("the Prefect server refuses the api's login; check PREFECT_API_AUTH_STRING")
    if response.is_server_error:
        return UnavailableError(f"the Prefect server answered {response.status_code}; see its log")
    return RefusedError(_detail(response).removeprefix("Error creating flow run: "))


def _detail(response: httpx.Response) -> str:
    try:
        body = response.json()
    except ValueError:
        body = None
    detail = body.get("detail", body.get("exception_detail")) if isinstance(body, dict) else None
    return str(detail) if detail else f"the Prefect server answered {response.status_code}"
