"""What Alpaca does not have: stepping the clock and starting again."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from simulator.broker_routes import ExchangeDep, clock_json
from simulator.errors import UnprocessableError
from trading.errors import InvalidValueError

if TYPE_CHECKING:
    from simulator.exchange import Exchange

router = APIRouter(tags=["control"])


class _To(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    to: AwareDatetime


class _Advance(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    advance: Literal["open", "close", "session"]


class _Reset(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    start: date | None = None
    cash: Annotated[Decimal, Field(gt=0, lt=10**12)] | None = None


_MOVE: TypeAdapter[_To | _Advance] = TypeAdapter(_To | _Advance)
MOVE_HELP = 'expected {"to": "<ISO time with zone>"} or {"advance": "open" | "close" | "session"}'
RESET_HELP = 'expected {"start": "YYYY-MM-DD", "cash": dollars}, both optional'


async def read_body(request: Request, expected: str) -> Any:
    """Return the decoded body, an empty one as an empty object; 422 with what was expected when it is no JSON."""
    try:
        return json.loads(await request.body() or b"{}")
    except (ValueError, RecursionError):
        raise UnprocessableError(f"the body is not JSON; {expected}") from None


def _state(exchange: Exchange) -> dict[str, Any]:
    """Return the clock with the session whose bar is the last complete one, and the span of the data."""
    market, account = exchange.market, exchange.ledger.account
    return {
        **clock_json(exchange),
        "session": market.sessions.last_closed(exchange.now).isoformat(),
        "first_session": market.first.isoformat(),
        "last_session": market.last.isoformat(),
        "account_id": account.id,
        "account_number": account.number,
    }


@router.get("/health")
async def health(exchange: ExchangeDep) -> JSONResponse:
    """Tell that the simulator serves; open to everybody."""
    return JSONResponse({"status": "ok", "clock": clock_json(exchange)["timestamp"]})


@router.get("/simulator/clock")
async def get_clock(exchange: ExchangeDep) -> JSONResponse:
    """Return where the clock stands."""
    return JSONResponse(_state(exchange))


@router.post("/simulator/clock")
async def move_clock(exchange: ExchangeDep, request: Request) -> JSONResponse:
    """Move the clock forward; every open and close on the way takes place, in order."""
    try:
        move = _MOVE.validate_python(await read_body(request, MOVE_HELP))
    except ValidationError:
        raise UnprocessableError(MOVE_HELP) from None
    before = exchange.now
    if isinstance(move, _To):
        exchange.advance_to(move.to)
    else:
        exchange.advance(move.advance)
    request.app.state.data_stream.clock_moved(before)
    return JSONResponse(_state(exchange))


@router.post("/simulator/reset")
async def reset(exchange: ExchangeDep, request: Request) -> JSONResponse:
    """Open a new account with an empty history and a number of its own."""
    try:
        wanted = _Reset.model_validate(await read_body(request, RESET_HELP))
        exchange.reset(start=wanted.start, cash=wanted.cash)
    except ValidationError:
        raise UnprocessableError(RESET_HELP) from None
    except InvalidValueError as error:
        raise UnprocessableError(str(error)) from None
    return JSONResponse({**_state(exchange), "cash": float(exchange.ledger.account.cash)})
