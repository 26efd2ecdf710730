"""Liveness, health, metrics, effective settings."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST

from api.components import examine
from api.dependencies import EngineDep, SettingsDep
from api.metrics import exposition
from api.schemas.system import Health, HealthCheck, Liveness, Setting

router = APIRouter(tags=["system"])


@router.get("/live")
async def live() -> Liveness:
    """Say that the process answers; needs no token."""
    return Liveness()


@router.get("/health", responses={503: {"model": Health}})
async def health(settings: SettingsDep) -> Response:
    """Examine every component: 200 when all are well, 503 when one is not."""
    found = await examine(settings)
    checks = [
        HealthCheck(name=check.name, ok=check.ok, latency_ms=round(check.latency * 1000, 1), detail=check.detail)
        for check in found
    ]
    healthy = all(check.ok for check in checks)
    body = Health(status="healthy" if healthy else "unhealthy", checks=checks)
    return JSONResponse(body.model_dump(), status_code=200 if healthy else 503)


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(request: Request, settings: SettingsDep, engine: EngineDep) -> Response:
    """Return the figures of the system in Prometheus' text format."""
    checks = await examine(settings)
    text = await run_in_threadpool(exposition, request.app.state.measures, checks, engine)
    return Response(text, media_type=CONTENT_TYPE_LATEST)


@router.get("/api/settings")
def settings_in_force(settings: SettingsDep) -> list[Setting]:
    """Return every setting with its effective value; secrets are masked."""
    return [Setting(name=name, value=value, description=text) for name, value, text in settings.masked()]
