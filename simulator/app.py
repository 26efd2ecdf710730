"""The application: market, state file and routes put together."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from simulator import (
    account_routes,
    broker_routes,
    control_routes,
    data_routes,
    fault_routes,
    order_routes,
    stream_routes,
    tick_routes,
    trade_updates,
)
from simulator.access import AccessMiddleware, Budget, Keys, refused
from simulator.data_stream import DataStream
from simulator.errors import AlpacaError, InvalidParameterError, UnprocessableError
from simulator.exchange import Exchange, check_opening
from simulator.faults.requests import SERVER_SEND, FaultMiddleware
from simulator.frictions import Frictions
from simulator.loading import load_market
from simulator.pacing import keep_pace
from simulator.store import Store
from simulator.trade_updates import TradeUpdates

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from simulator.market import Market

DEFAULT_START = date(2012, 11, 30)
DEFAULT_CASH = Decimal(100_000)
DEFAULT_RATE_LIMIT = 100_000
PARTS = (
    order_routes,  # first: a request is held against one route after the other, and most are for orders
    account_routes,
    broker_routes,
    data_routes,
    tick_routes,
    control_routes,
    fault_routes,
    trade_updates,
    stream_routes,
)
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
    frictions: Frictions = field(default_factory=Frictions)
    pace: float = 0.0
    """Seconds of the clock a second of real time; 0 is a clock that is stepped."""


class Simulator(FastAPI):
    """The application; it remembers how the server itself sends, for faults below HTTP."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        scope[SERVER_SEND] = send
        await super().__call__(scope, receive, send)


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

    prices = DataStream(exchange, config.keys)
    updates = TradeUpdates(config.keys, exchange.ledger.faults)
    exchange.ledger.frictions = config.frictions
    exchange.ledger.listeners.append(updates.publish)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        exchange.later = _later
        running = asyncio.create_task(keep_pace(exchange, config.pace, prices.clock_moved)) if config.pace else None
        yield
        if running is not None:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        updates.cut(0)
        store.close()

    app = Simulator(title="Alpaca simulator", lifespan=lifespan, openapi_url=None)
    app.state.exchange, app.state.trade_updates = exchange, updates
    app.state.data_stream = prices
    for part in PARTS:
        app.include_router(part.router)
    app.add_middleware(AccessMiddleware, keys=config.keys, budget=Budget(config.rate_limit))
    app.add_middleware(FaultMiddleware, faults=exchange.ledger.faults)
    app.add_exception_handler(AlpacaError, _refusal)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _unknown)
    return app


def _later(seconds: float, action: Callable[[], None]) -> None:
    asyncio.get_running_loop().call_later(seconds, action)


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
