"""Trading API, what the account does: orders and activities."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from simulator.broker_routes import ExchangeDep
from simulator.errors import NotFoundError, UnprocessableError
from simulator.order_request import read_order
from simulator.presentation import activity_json, order_json
from simulator.replacement import read_replacement
from simulator.request_values import read_json, read_time
from simulator.store import instant

if TYPE_CHECKING:
    from simulator.books import Order
    from simulator.exchange import Exchange

router = APIRouter(prefix="/v2", tags=["orders"])

MOST_ORDERS = 500
MOST_ACTIVITIES = 100
TRADES = {"FILL"}
DAY_LENGTH = len("2012-11-30")
Direction = Literal["asc", "desc"]


@router.post("/orders")
async def post_order(exchange: ExchangeDep, request: Request) -> JSONResponse:
    """Accept an order; it is committed before the answer leaves, which says pending_new as Alpaca's does."""
    order = exchange.place(read_order(await read_json(request)))
    return JSONResponse(order_json(order, status="pending_new", legs=exchange.legs(order)))


@router.patch("/orders/{order_id}")
async def patch_order(exchange: ExchangeDep, order_id: str, request: Request) -> JSONResponse:
    """Put a new order in the place of an open one; the answer is the new order, with an id of its own."""
    order = exchange.replace(order_id, read_replacement(await read_json(request)))
    return JSONResponse(order_json(order, legs=exchange.legs(order)))


@router.get("/orders:by_client_order_id")
async def get_order_by_client_id(exchange: ExchangeDep, client_order_id: str) -> JSONResponse:
    """Return the order with a client's own id."""
    order = exchange.store.order(client_order_id=client_order_id)
    if order is None:
        raise NotFoundError(f"order not found for {client_order_id}")
    return JSONResponse(order_json(order, legs=exchange.legs(order)))


class OrderFilter(BaseModel):
    """The query of the order list."""

    status: Literal["open", "closed", "all"] = "open"
    limit: Annotated[int, Field(ge=1, le=MOST_ORDERS)] = 50
    after: str | None = None
    until: str | None = None
    direction: Direction = "desc"
    symbols: str | None = None
    side: Literal["buy", "sell"] | None = None
    before_order_id: str | None = None
    after_order_id: str | None = None
    nested: bool = False


@router.get("/orders")
async def list_orders(exchange: ExchangeDep, asked: Annotated[OrderFilter, Query()]) -> JSONResponse:
    """Return orders by time of submission; both ends of a time range are excluded."""
    conditions: list[tuple[str, object]] = []
    if asked.status != "all":
        conditions.append(("is_open = ?", int(asked.status == "open")))
    if asked.side:
        conditions.append(("side = ?", asked.side))
    if asked.after:
        conditions.append(("submitted_at > ?", instant(read_time(asked.after, "after", UnprocessableError))))
    if asked.until:
        conditions.append(("submitted_at < ?", instant(read_time(asked.until, "until", UnprocessableError))))
    if asked.before_order_id:
        conditions.append(("sequence < ?", exchange.order(asked.before_order_id).sequence))
    if asked.after_order_id:
        conditions.append(("sequence > ?", exchange.order(asked.after_order_id).sequence))
    if asked.nested:
        conditions.append(("json_extract(body, '$.parent_id') IS ?", None))
    wanted = [symbol.strip().upper() for symbol in (asked.symbols or "").split(",") if symbol.strip()]
    where = " AND ".join(["1", *(text for text, _ in conditions)])
    if wanted:
        where += f" AND symbol IN ({', '.join('?' * len(wanted))})"
    values = (*(value for _, value in conditions), *wanted, asked.limit)
    found = exchange.store.orders(where, values, tail=f"ORDER BY sequence {asked.direction} LIMIT ?")
    legs = exchange.legs if asked.nested else _no_legs
    return JSONResponse([order_json(order, legs=legs(order)) for order in found])


def _no_legs(_: Order) -> list[Order]:
    return []


@router.get("/orders/{order_id}")
async def get_order(exchange: ExchangeDep, order_id: str) -> JSONResponse:
    """Return one order, its legs with it."""
    order = exchange.order(order_id)
    return JSONResponse(order_json(order, legs=exchange.legs(order)))


@router.delete("/orders")
async def cancel_orders(exchange: ExchangeDep) -> JSONResponse:
    """Cancel every open order; 207 with one line each."""
    return JSONResponse([{"id": order_id, "status": 200} for order_id in exchange.cancel_all()], status_code=207)


@router.delete("/orders/{order_id}")
async def cancel_order(exchange: ExchangeDep, order_id: str) -> Response:
    """Cancel one order; 204, or 422 when it is final."""
    exchange.cancel(order_id)
    return Response(status_code=204)


@router.get("/account/activities/{activity_type}")
async def list_activities_of(exchange: ExchangeDep, request: Request, activity_type: str) -> JSONResponse:
    """Return the activities of one type."""
    return JSONResponse(_activities(exchange, {**request.query_params, "activity_types": activity_type}))


@router.get("/account/activities")
async def list_activities(exchange: ExchangeDep, request: Request) -> JSONResponse:
    """Return the account's history, newest first unless asked otherwise, 100 a page."""
    return JSONResponse(_activities(exchange, dict(request.query_params)))


def _activities(exchange: Exchange, asked: dict[str, str]) -> list[dict[str, Any]]:
    direction = asked.get("direction") or "desc"
    if direction not in {"asc", "desc"}:
        raise UnprocessableError(f"invalid direction {direction!r}: asc or desc")
    size = asked.get("page_size") or str(MOST_ACTIVITIES)
    if not size.isdecimal() or not 1 <= int(size) <= MOST_ACTIVITIES:
        raise UnprocessableError(f"invalid page_size {size!r}: 1 to {MOST_ACTIVITIES}")
    where, values = _activity_conditions(exchange, asked, direction)
    tail = f"ORDER BY sequence {direction} LIMIT ?"
    return [activity_json(row) for row in exchange.store.activities(where, (*values, int(size)), tail=tail)]


def _activity_conditions(exchange: Exchange, asked: dict[str, str], direction: str) -> tuple[str, list[object]]:
    conditions, values = ["1"], list[object]()
    types = [name.strip().upper() for name in asked.get("activity_types", "").split(",") if name.strip()]
    if asked.get("category"):
        conditions.append("type = 'FILL'" if asked["category"] == "trade_activity" else "type <> 'FILL'")
    elif types:
        conditions.append(f"type IN ({', '.join('?' * len(types))})")
        values += types
    if asked.get("order_id"):
        conditions.append("order_id = ?")
        values.append(asked["order_id"])
    if asked.get("date"):
        day = read_time(asked["date"][:DAY_LENGTH], "date", UnprocessableError)
        conditions.append("at >= ? AND at < ?")
        values += [instant(day), instant(day + timedelta(days=1))]
    for name, sign in (("after", ">"), ("until", "<")):
        if asked.get(name):
            conditions.append(f"at {sign} ?")
            values.append(instant(read_time(asked[name], name, UnprocessableError)))
    if asked.get("page_token"):
        last = exchange.store.activity_sequence(asked["page_token"])
        if last is None:
            raise UnprocessableError(f"unknown page_token {asked['page_token']!r}")
        conditions.append("sequence < ?" if direction == "desc" else "sequence > ?")
        values.append(last)
    return " AND ".join(conditions), values
