"""Control routes of the faults and of the market's frictions."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import ValidationError

from simulator.broker_routes import ExchangeDep
from simulator.control_routes import read_body
from simulator.errors import NotFoundError, UnprocessableError
from simulator.faults.models import FAULT, StreamCut
from simulator.frictions import Frictions

router = APIRouter(prefix="/simulator", tags=["control"])

FAULT_HELP = 'expected a fault such as {"kind": "reset", "count": 1}, or a list of them'
FRICTION_HELP = 'expected frictions such as {"slippage": {"kind": "basis_points", "bps": 5}}'


@router.get("/faults")
async def list_faults(exchange: ExchangeDep) -> JSONResponse:
    """Return every armed fault with its hits, spent ones too."""
    return JSONResponse(exchange.ledger.faults.listed())


@router.post("/faults")
async def arm_faults(exchange: ExchangeDep, request: Request) -> JSONResponse:
    """Arm a fault or a list of faults: all of them, or none when one cannot be read."""
    body = await read_body(request, FAULT_HELP)
    try:
        faults = [FAULT.validate_python(item) for item in (body if isinstance(body, list) else [body])]
    except ValidationError as error:
        raise UnprocessableError(f"{_reason(error)}; {FAULT_HELP}") from None
    armed = [exchange.ledger.faults.arm(fault).number for fault in faults]
    cut = exchange.ledger.faults.first(StreamCut, lambda fault: fault.at == "now")
    if cut is not None:
        request.app.state.trade_updates.cut(cut.seconds)
    listed = {row["id"]: row for row in exchange.ledger.faults.listed()}
    return JSONResponse([listed[number] for number in armed])


@router.delete("/faults")
async def disarm_faults(exchange: ExchangeDep) -> JSONResponse:
    """Disarm everything."""
    return JSONResponse({"disarmed": exchange.ledger.faults.disarm()})


@router.delete("/faults/{number}")
async def disarm_fault(exchange: ExchangeDep, number: int) -> JSONResponse:
    """Disarm one fault."""
    if not exchange.ledger.faults.disarm(number):
        raise NotFoundError(f"no fault has id {number}")
    return JSONResponse({"disarmed": 1})


@router.get("/frictions")
async def get_frictions(exchange: ExchangeDep) -> JSONResponse:
    """Return slippage, commission, volume share and the way of matching."""
    return JSONResponse(exchange.ledger.frictions.model_dump(mode="json"))


@router.put("/frictions")
async def put_frictions(exchange: ExchangeDep, request: Request) -> JSONResponse:
    """Replace the frictions for all fills to come; what is not given is the default. A restart forgets them."""
    try:
        exchange.ledger.frictions = Frictions.model_validate(await read_body(request, FRICTION_HELP))
    except ValidationError as error:
        raise UnprocessableError(f"{_reason(error)}; {FRICTION_HELP}") from None
    return JSONResponse(exchange.ledger.frictions.model_dump(mode="json"))


def _reason(error: ValidationError) -> str:
    first: dict[str, Any] = dict(error.errors()[0])
    place = ".".join(str(part) for part in first["loc"]) or "body"
    return f"invalid {place}: {first['msg']}"
