"""Trading API, what the account's owner sets: configurations and watchlists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import ValidationError

from simulator.broker_routes import ExchangeDep, symbol_of
from simulator.configuration import Configuration
from simulator.errors import UnprocessableError
from simulator.presentation import asset_json, stamp
from simulator.request_values import read_json
from simulator.watchlists import Watchlists

if TYPE_CHECKING:
    from simulator.exchange import Exchange
    from simulator.watchlists import Watchlist

router = APIRouter(prefix="/v2", tags=["settings"])

Name = Annotated[str, Query()]


@router.get("/account/configurations")
async def get_configurations(exchange: ExchangeDep) -> JSONResponse:
    """Return the account's settings."""
    return JSONResponse(exchange.ledger.configuration.model_dump())


@router.patch("/account/configurations")
async def patch_configurations(exchange: ExchangeDep, request: Request) -> JSONResponse:
    """Change some of the account's settings; null and unknown ones are left as they are."""
    body = await read_json(request)
    if not isinstance(body, dict):
        raise UnprocessableError("expected an object of configurations")
    given = {name: value for name, value in body.items() if value is not None}
    try:
        changed = Configuration.model_validate({**exchange.ledger.configuration.model_dump(), **given})
    except ValidationError as error:
        first = error.errors()[0]
        raise UnprocessableError(f"invalid {first['loc'][0]}: {first['msg']}") from None
    with exchange.ledger.transaction():
        exchange.ledger.configure(changed)
    return JSONResponse(changed.model_dump())


def _lists(exchange: Exchange) -> Watchlists:
    return Watchlists(exchange.store, exchange.ledger.account.id)


def _shown(exchange: Exchange, found: Watchlist, *, assets: bool = True) -> dict[str, Any]:
    listed = {"assets": [asset_json(symbol) for symbol in found.symbols]} if assets else {}
    return {
        "id": found.id,
        "account_id": exchange.ledger.account.id,
        "created_at": stamp(found.created_at),
        "updated_at": stamp(found.updated_at),
        "name": found.name,
        **listed,
    }


async def _asked(exchange: Exchange, request: Request) -> tuple[str | None, list[str] | None]:
    """Return name and symbols of a body; an unknown symbol is 422."""
    body = await read_json(request)
    if not isinstance(body, dict):
        raise UnprocessableError("expected an object with name and symbols")
    name, symbols = body.get("name"), body.get("symbols")
    if not isinstance(name, str | None) or (name is not None and not 1 <= len(name) <= Watchlists.LONGEST_NAME):
        raise UnprocessableError(f"watchlist name must be a text of 1 to {Watchlists.LONGEST_NAME} characters")
    if symbols is not None and not (isinstance(symbols, list) and all(isinstance(one, str) for one in symbols)):
        raise UnprocessableError("symbols must be a list of texts")
    return name, None if symbols is None else list(dict.fromkeys(_known(exchange, one) for one in symbols))


async def _asked_symbol(exchange: Exchange, request: Request) -> str:
    body = await read_json(request)
    symbol = body.get("symbol") if isinstance(body, dict) else None
    if not isinstance(symbol, str):
        raise UnprocessableError("symbol is required")
    return _known(exchange, symbol)


def _known(exchange: Exchange, symbol: str) -> str:
    name = symbol.strip().upper()
    if not exchange.market.is_listed(name, exchange.now):
        raise UnprocessableError(f'asset "{symbol}" not found')
    return name


@router.get("/watchlists")
async def list_watchlists(exchange: ExchangeDep) -> JSONResponse:
    """Return every watchlist, without its assets as at Alpaca."""
    return JSONResponse([_shown(exchange, found, assets=False) for found in _lists(exchange).all()])


@router.post("/watchlists")
async def add_watchlist(exchange: ExchangeDep, request: Request) -> JSONResponse:
    """Make a watchlist."""
    name, symbols = await _asked(exchange, request)
    if name is None:
        raise UnprocessableError("name is required")
    return JSONResponse(_shown(exchange, _lists(exchange).add(name, symbols or [], exchange.now)))


@router.get("/watchlists:by_name")
async def get_watchlist_by_name(exchange: ExchangeDep, name: Name) -> JSONResponse:
    """Return the watchlist of a name."""
    return JSONResponse(_shown(exchange, _lists(exchange).named(name)))


@router.put("/watchlists:by_name")
async def put_watchlist_by_name(exchange: ExchangeDep, name: Name, request: Request) -> JSONResponse:
    """Change the watchlist of a name."""
    return await put_watchlist(exchange, _lists(exchange).named(name).id, request)


@router.post("/watchlists:by_name")
async def add_to_watchlist_by_name(exchange: ExchangeDep, name: Name, request: Request) -> JSONResponse:
    """Append a symbol to the watchlist of a name."""
    return await add_to_watchlist(exchange, _lists(exchange).named(name).id, request)


@router.delete("/watchlists:by_name")
async def delete_watchlist_by_name(exchange: ExchangeDep, name: Name) -> Response:
    """Delete the watchlist of a name."""
    return await delete_watchlist(exchange, _lists(exchange).named(name).id)


@router.get("/watchlists/{watchlist_id}")
async def get_watchlist(exchange: ExchangeDep, watchlist_id: str) -> JSONResponse:
    """Return a watchlist."""
    return JSONResponse(_shown(exchange, _lists(exchange).one(watchlist_id)))


@router.put("/watchlists/{watchlist_id}")
async def put_watchlist(exchange: ExchangeDep, watchlist_id: str, request: Request) -> JSONResponse:
    """Change name, symbols or both of a watchlist."""
    name, symbols = await _asked(exchange, request)
    changed = _lists(exchange).change(watchlist_id, exchange.now, name=name, symbols=symbols)
    return JSONResponse(_shown(exchange, changed))


@router.post("/watchlists/{watchlist_id}")
async def add_to_watchlist(exchange: ExchangeDep, watchlist_id: str, request: Request) -> JSONResponse:
    """Append a symbol to a watchlist."""
    symbol, lists = await _asked_symbol(exchange, request), _lists(exchange)
    held = lists.one(watchlist_id).symbols
    if symbol in held:
        raise UnprocessableError(f"duplicate symbol: {symbol}")
    return JSONResponse(_shown(exchange, lists.change(watchlist_id, exchange.now, symbols=[*held, symbol])))


@router.delete("/watchlists/{watchlist_id}")
async def delete_watchlist(exchange: ExchangeDep, watchlist_id: str) -> Response:
    """Delete a watchlist."""
    _lists(exchange).delete(watchlist_id)
    return Response(status_code=204)


@router.delete("/watchlists/{watchlist_id}/{symbol}")
async def remove_from_watchlist(exchange: ExchangeDep, watchlist_id: str, symbol: str) -> JSONResponse:
    """Remove a symbol from a watchlist."""
    lists = _lists(exchange)
    name, held = symbol_of(exchange, symbol), lists.one(watchlist_id).symbols
    kept = [one for one in held if one != name]
    return JSONResponse(_shown(exchange, lists.change(watchlist_id, exchange.now, symbols=kept)))
