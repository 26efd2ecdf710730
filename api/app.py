"""The application: routes, errors, the token, metrics, and what lives as long as the process."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastapi import FastAPI, Security
from fastapi.security import HTTPBearer

from api import errors, metrics, security
from api.orchestrator import Orchestrator
from api.routes import ROUTERS
from api.schemas.base import Failure
from db.engine import make_engine
from trading.config import Settings, settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

DESCRIPTION = "Results of the trading system, its health, its deployments; all but /live takes the token."

READERS = 6
"""Reading requests answered at once; the engine's pool of 10 keeps the others for changes."""


def create_app(chosen: Settings | None = None) -> FastAPI:
    """Return the api over the settings given, or over the environment's.

    Raises
    ------
    ConfigurationError
        There is no token, which would leave everything open.
    """
    chosen = chosen or settings()
    app = FastAPI(
        title="trading-system",
        description=DESCRIPTION,
        lifespan=_lifespan,
        dependencies=[Security(HTTPBearer(auto_error=False, description="TRADING_API_TOKEN"))],
        responses={status: {"model": Failure} for status in (401, 404, 409, 422, 503)},
    )
    app.state.settings = chosen
    app.state.measures = metrics.Measures()
    for router in ROUTERS:
        app.include_router(router)
    errors.install(app)
    app.add_middleware(security.TokenRequired, token=security.token(chosen))
    app.add_middleware(metrics.MeasuredRequests, measures=app.state.measures)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    postgres = app.state.settings.postgres
    app.state.engine = make_engine(postgres.url(postgres.trading_db))
    app.state.readers = asyncio.Semaphore(READERS)
    app.state.orchestrator = Orchestrator(app.state.settings)
    try:
        yield
    finally:
        await app.state.orchestrator.close()
        app.state.engine.dispose()
