"""The routes of the market-data websocket, and the correction of a minute bar, which Alpaca does not have."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Request, WebSocket
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from simulator.broker_routes import ExchangeDep
from simulator.errors import NotFoundError, UnprocessableError
from simulator.minutes import FIGURES
from simulator.presentation import stamp

router = APIRouter(tags=["market data stream"])

FEEDS = {"iex", "sip"}
Price = Annotated[float, Field(gt=0, allow_inf_nan=False)]
HELP = 'expected {"symbol": "IBM", "ts": "<start, ISO time with zone>"} with open, high, low, close and volume'


class _Correction(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    symbol: str
    ts: AwareDatetime
    open: Price
    high: Price
    low: Price
    close: Price
    volume: Annotated[int, Field(ge=0)]


@router.websocket("/v2/{feed}")
async def stream_bars(socket: WebSocket, feed: str) -> None:
    """Serve bars as they are completed; a feed that is not Alpaca's is refused at the door."""
    if feed not in FEEDS:
        await socket.close()
        return
    await socket.app.state.data_stream.serve(socket, feed)


@router.post("/simulator/bars")
async def correct_bar(exchange: ExchangeDep, request: Request) -> JSONResponse:
    """Give a minute bar that is complete other figures, until the simulator ends, and send it as an updated bar."""
    try:
        wanted = _Correction.model_validate_json(await request.body() or b"{}")
    except ValidationError:
        raise UnprocessableError(HELP) from None
    minutes = exchange.market.minutes.get(wanted.symbol)
    row = None if minutes is None else minutes.place(wanted.ts)
    if minutes is None or row is None or row >= minutes.seen(exchange.now):
        raise NotFoundError(f"{wanted.symbol} has no complete minute bar at {stamp(wanted.ts)}")
    minutes.replace(row, {name: getattr(wanted, name) for name in FIGURES})
    request.app.state.data_stream.corrected(wanted.symbol, row)
    shown: dict[str, Any] = json.loads(json.dumps(minutes.message(row), default=stamp))
    return JSONResponse({"symbol": wanted.symbol, **shown})
