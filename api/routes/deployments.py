"""Deployments and runs: read, start, pause."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.concurrency import run_in_threadpool

from api.dependencies import EngineDep, OrchestratorDep
from api.schemas.runs import Deployment, Pause, Paused, Run, RunRequest, Started
from db.repositories import audit

if TYPE_CHECKING:
    from collections.abc import Mapping

router = APIRouter(prefix="/api", tags=["runs"])

ACTOR = "api"


@router.get("/deployments")
async def deployment_list(orchestrator: OrchestratorDep) -> list[Deployment]:
    """Return every deployment with its parameters' schema, schedules and newest run."""
    return await orchestrator.deployments()


@router.post("/deployments/{flow}/{deployment}/runs", status_code=202)
async def start_run(
    *,
    orchestrator: OrchestratorDep,
    engine: EngineDep,
    flow: str,
    deployment: str,
    body: RunRequest | None = None,
) -> Started:
    """Start a run of a deployment; the same idempotency key starts it once."""
    asked = body or RunRequest()
    started = await orchestrator.start(flow, deployment, asked.parameters, idempotency_key=asked.idempotency_key)
    detail = {"parameters": asked.parameters, "flow_run_id": str(started.flow_run_id)}
    await run_in_threadpool(_record, engine, "deployment.started", f"{flow}/{deployment}", detail)
    return started


@router.post("/deployments/{flow}/{deployment}/paused")
async def set_paused(
    orchestrator: OrchestratorDep, engine: EngineDep, flow: str, deployment: str, body: Pause
) -> Paused:
    """Let a deployment's schedules rest, or run again."""
    name = f"{flow}/{deployment}"
    paused = await orchestrator.pause(flow, deployment, paused=body.paused)
    await run_in_threadpool(_record, engine, "deployment.paused", name, {"paused": paused})
    return Paused(name=name, paused=paused)


@router.get("/runs")
async def run_list(
    orchestrator: OrchestratorDep,
    limit: Annotated[int, Query(ge=1, le=200, description="runs at most")] = 50,
    state: Annotated[str | None, Query(max_length=80, description="a state's type or name")] = None,
    deployment: Annotated[str | None, Query(max_length=200, description="flow/deployment")] = None,
) -> list[Run]:
    """Return flow runs, the one due last first."""
    return await orchestrator.runs(limit=limit, state=state, deployment=deployment)


@router.get("/runs/{flow_run_id}")
async def run_detail(orchestrator: OrchestratorDep, flow_run_id: UUID) -> Run:
    """Return one flow run."""
    return await orchestrator.run(flow_run_id)


def _record(engine: EngineDep, action: str, subject: str, detail: Mapping[str, object]) -> None:
    with engine.begin() as connection:
        audit.record(connection, actor=ACTOR, action=action, subject=subject, detail=detail)
