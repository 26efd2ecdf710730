"""Trading API, what the account is and holds: account, assets, clock, calendar, positions, history."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse

from simulator.errors import AlpacaError, NotFoundError, UnprocessableError
from simulator.exchange import Exchange
from simulator.faults.models import ClockSkew
from simulator.presentation import (
    account_json,
    asset_exchange,
    asset_id,
    asset_json,
    order_json,
    position_json,
)
from simulator.request_values import read_day, read_time
from simulator.sessions import NEW_YORK, exchange_day, midnight

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulator.books import EquityPoint

router = APIRouter(prefix="/v2", tags=["account"])

PERIOD = re.compile(r"(\d{1,3})([DWMA])")
PERIOD_DAYS = {"D": 1, "W": 7, "M": 31, "A": 366}
SETTLEMENT = ((date(2024, 5, 28), 1), (date(2017, 9, 5), 2), (date(1995, 6, 7), 3))
"""First trade day of each settlement cycle in sessions: T+1, T+2, T+3 (SEC rule 15c6-1)."""
OLD_SETTLEMENT = 5


async def exchange_of(request: Request) -> Exchange:
    """Return the broker that the application serves."""
    exchange: Exchange = request.app.state.exchange
    return exchange


ExchangeDep = Annotated[Exchange, Depends(exchange_of)]
"""The broker, for a route's signature."""


def symbol_of(exchange: Exchange, symbol_or_id: str) -> str:
    """Return the symbol that a listed asset's symbol or id names.

    Raises
    ------
    NotFoundError
        No asset listed so far has it.
    """
    for symbol in exchange.market.listed(exchange.now):
        if symbol_or_id.upper() == symbol or symbol_or_id.lower() == asset_id(symbol):
            return symbol
    raise NotFoundError(f"asset not found for {symbol_or_id}")


@router.get("/account")
async def get_account(exchange: ExchangeDep) -> JSONResponse:
    """Return the account marked at the latest prices."""
    return JSONResponse(account_json(exchange))


@router.get("/assets")
async def list_assets(
    exchange: ExchangeDep,
    status: str | None = None,
    asset_class: str | None = None,
    asset_exchange_: Annotated[str | None, Query(alias="exchange")] = None,
    attributes: str | None = None,
) -> JSONResponse:
    """Return every symbol listed so far; a company not yet listed is not known."""
    if status not in {None, "", "active"} or asset_class not in {None, "", "us_equity"} or attributes:
        return JSONResponse([])
    symbols = exchange.market.listed(exchange.now)
    wanted = [name for name in symbols if asset_exchange_ in {None, "", asset_exchange(name)}]
    return JSONResponse([asset_json(symbol) for symbol in wanted])


@router.get("/assets/{symbol_or_id:path}")
async def get_asset(exchange: ExchangeDep, symbol_or_id: str) -> JSONResponse:
    """Return one asset."""
    return JSONResponse(asset_json(symbol_of(exchange, symbol_or_id)))


@router.get("/clock")
async def get_clock(exchange: ExchangeDep) -> JSONResponse:
    """Return the exchange's clock, in New York's time as Alpaca does."""
    skew = exchange.ledger.faults.first(ClockSkew)
    return JSONResponse(clock_json(exchange, skew=timedelta(seconds=skew.seconds if skew else 0)))


def clock_json(exchange: Exchange, *, skew: timedelta = timedelta()) -> dict[str, Any]:
    """Return what Alpaca's clock shows, at a moment that much off."""
    now, sessions = exchange.now + skew, exchange.market.sessions

    def local(at: datetime) -> str:
        return at.astimezone(NEW_YORK).isoformat()

    return {
        "timestamp": local(now),
        "is_open": sessions.is_open(now),
        "next_open": local(sessions.next_open(now)),
        "next_close": local(sessions.next_close(now)),
    }


@router.get("/calendar")
async def get_calendar(exchange: ExchangeDep, start: str | None = None, end: str | None = None) -> JSONResponse:
    """Return the sessions between two days, both included, with early closes."""
    sessions = exchange.market.sessions
    first = read_day(start, "start", UnprocessableError) if start else None
    last = read_day(end, "end", UnprocessableError) if end else None
    return JSONResponse([_calendar_day(exchange, day) for day in sessions.between(first, last)])


def _calendar_day(exchange: Exchange, day: date) -> dict[str, str]:
    sessions = exchange.market.sessions
    cycle = next((count for since, count in SETTLEMENT if day >= since), OLD_SETTLEMENT)
    return {
        "date": day.isoformat(),
        "open": f"{sessions.open_of(day).astimezone(NEW_YORK):%H:%M}",
        "close": f"{sessions.close_of(day).astimezone(NEW_YORK):%H:%M}",
        "session_open": "0400",
        "session_close": "2000",
        "settlement_date": sessions.later(day, cycle).isoformat(),
    }


@router.get("/positions")
async def list_positions(exchange: ExchangeDep) -> JSONResponse:
    """Return every open position."""
    positions = exchange.ledger.positions
    return JSONResponse([position_json(exchange, positions[symbol]) for symbol in sorted(positions)])


@router.get("/positions/{symbol_or_id:path}")
async def get_position(exchange: ExchangeDep, symbol_or_id: str) -> JSONResponse:
    """Return one open position."""
    symbol = symbol_of(exchange, symbol_or_id)
    return JSONResponse(position_json(exchange, exchange.position(symbol)))


@router.delete("/positions")
async def close_positions(exchange: ExchangeDep, *, cancel_orders: bool = False) -> JSONResponse:
    """Place a market order against every position; 207 with one answer each."""
    if cancel_orders:
        exchange.cancel_all()
    return JSONResponse([_closed(exchange, symbol) for symbol in sorted(exchange.ledger.positions)], status_code=207)


def _closed(exchange: Exchange, symbol: str) -> dict[str, Any]:
    try:
        order = exchange.close_position(symbol)
    except AlpacaError as refusal:
        return {"symbol": symbol, "status": refusal.status, "body": refusal.body()}
    return {"symbol": symbol, "status": 200, "order_id": order.id, "body": order_json(order)}


@router.delete("/positions/{symbol_or_id:path}")
async def close_position(
    exchange: ExchangeDep, symbol_or_id: str, qty: str | None = None, percentage: str | None = None
) -> JSONResponse:
    """Place the market order that closes a position or part of it."""
    symbol = symbol_of(exchange, symbol_or_id)
    try:
        parts = [None if text is None else Decimal(text) for text in (qty, percentage)]
    except InvalidOperation:
        raise UnprocessableError("qty and percentage must be numbers") from None
    if any(part is not None and not part.is_finite() for part in parts):
        raise UnprocessableError("qty and percentage must be numbers")
    order = exchange.close_position(symbol, qty=parts[0], percentage=parts[1])
    return JSONResponse(order_json(order, status="pending_new"))


@router.get("/account/portfolio/history")
async def get_portfolio_history(
    exchange: ExchangeDep,
    period: str | None = None,
    timeframe: str | None = None,
    start: str | None = None,
    end: str | None = None,
) -> JSONResponse:
    """Return the equity at each session's close; the timestamp is the session's daily bar's."""
    if timeframe not in {None, "", "1D"}:
        raise UnprocessableError(f"timeframe {timeframe} is not kept by this simulator of daily bars: use 1D")
    points = exchange.store.equity()
    first, last = _window(exchange.now, period, start, end)
    chosen = [point for point in points if first <= point.day <= last]
    before = [point for point in points if point.day < first]
    base = before[-1].equity if before else exchange.ledger.account.opening_cash
    return JSONResponse(_history(chosen, base, before[-1].day if before else None))


def _window(now: datetime, period: str | None, start: str | None, end: str | None) -> tuple[date, date]:
    """Return the first and last day that period, start and end describe; without any, the last month."""
    last = exchange_day(read_time(end, "end", UnprocessableError)) if end else exchange_day(now)
    if start and period and end:
        raise UnprocessableError("only two of start, end and period may be given")
    if period == "all":
        return date.min, last
    match = PERIOD.fullmatch(period or "1M")
    if match is None:
        raise UnprocessableError(f"invalid period {period!r}: a number and one of D, W, M, A")
    length = timedelta(days=int(match[1]) * PERIOD_DAYS[match[2]])
    if start:
        first = exchange_day(read_time(start, "start", UnprocessableError))
        return first, (first + length if period else last)
    return last - length, last


def _history(points: Sequence[EquityPoint], base: Decimal, base_day: date | None) -> dict[str, Any]:
    equity = [round(float(point.equity), 2) for point in points]
    gains = [round(float(point.equity - base), 2) for point in points]
    known = {} if base_day is None else {"base_value_asof": base_day.isoformat()}
    return {
        "timestamp": [int(midnight(point.day).timestamp()) for point in points],
        "equity": equity,
        "profit_loss": gains,
        "profit_loss_pct": [round(float(point.equity / base - 1), 8) for point in points],
        "base_value": round(float(base), 2),
        "timeframe": "1D",
        **known,
    }
