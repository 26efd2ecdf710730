"""The application: market, state file and routes put together."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from simulator import broker_routes, control_routes, data_routes, order_routes, stream_routes
from simulator.access import AccessMiddleware, Budget, Keys, refused
from simulator.data_stream import DataStream
from simulator.errors import AlpacaError, InvalidParameterError, UnprocessableError
from simulator.exchange import Exchange, check_opening
from simulator.loading import load_market
from simulator.store import Store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from starlette.requests import Request

    from simulator.market import Market

DEFAULT_START = date(2012, 11, 30)
DEFAULT_CASH = Decimal(100_000)
DEFAULT_RATE_LIMIT = 100_000
DATA_PATHS = ("/v2/stocks/", "/v1/")


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorConfig:
    """What a simulator is told at its start; `start`, `cash` and `seed` count for a new state file only."""

    state: Path
    keys: Keys
    data: Path | None = None
    minutes: Path | None = None
    start: date = DEFAULT_START
    cash: Decimal = DEFAULT_CASH
    seed: str | None = None
    rate_limit: int = DEFAULT_RATE_LIMIT


def create_app(config: SimulatorConfig, market: Market | None = None) -> FastAPI:
    """Return the application, its state file open; `market` spares reading the data again.

    Raises
    ------
    trading.errors.TradingError
        The data or the state file cannot be used; the message says why in one line.
    """
    market = market or load_market(config.data, config.minutes)
    if not config.state.exists():
        check_opening(market, config.start, config.cash)
    store = Store(config.state)
    try:
        exchange = Exchange(market, store, start=config.start, cash=config.cash, seed=config.seed)
    except BaseException:
        store.close()
        raise

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        store.close()

    app = FastAPI(title="Alpaca simulator", lifespan=lifespan, openapi_url=None)
    app.state.exchange = exchange
    app.state.data_stream = DataStream(exchange, config.keys)
    for part in (broker_routes, order_routes, data_routes, control_routes, stream_routes):
        app.include_router(part.router)
    app.add_middleware(AccessMiddleware, keys=config.keys, budget=Budget(config.rate_limit))
    app.add_exception_handler(AlpacaError, _refusal)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _unknown)
    return app


async def _refusal(_: Request, error: Exception) -> JSONResponse:
    return refused(error) if isinstance(error, AlpacaError) else JSONResponse({}, status_code=500)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    """Answer a query parameter that FastAPI refused in the words of the API it belongs to."""
    first = error.errors()[0] if isinstance(error, RequestValidationError) else {"loc": ("",), "msg": str(error)}
    message = f"invalid {first['loc'][-1]}: {first['msg']}"
    data = request.url.path.startswith(DATA_PATHS)
    return refused(InvalidParameterError(message) if data else UnprocessableError(message))


async def _unknown(request: Request, error: Exception) -> JSONResponse:
    status = error.status_code if isinstance(error, HTTPException) else 500
    message = f"{request.method} {request.url.path} is not part of this simulator"
    return JSONResponse({"code": status * 100_000, "message": message}, status_code=status)
