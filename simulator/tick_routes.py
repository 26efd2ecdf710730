"""Market-data API, single prices: past quotes, trades and auctions, and the latest bar.

Of a session two prices are known with their time: the open and the close. Each is a trade, a quote without spread
and an auction.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from simulator.bars import BarQuery, Rows, Sort, Timeframe, answer, page
from simulator.broker_routes import ExchangeDep
from simulator.data_routes import FEEDS, MOST_BARS, TAPES, quote_json, snapshot_json, trade_json
from simulator.errors import InvalidParameterError, NotFoundError
from simulator.market import Mark, exact
from simulator.presentation import asset_exchange, stamp
from simulator.request_values import read_symbols, read_time
from simulator.sessions import exchange_day, midnight

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from simulator.exchange import Exchange

router = APIRouter(prefix="/v2/stocks", tags=["market data"])

Kind = Literal["quotes", "trades"]


class TickParameters(BaseModel):
    """The query of past prices; `asof` and `currency` are accepted and change nothing."""

    symbols: str | None = None
    start: str | None = None
    end: str | None = None
    limit: Annotated[int, Field(ge=1, le=MOST_BARS)] = 1000
    feed: str | None = None
    page_token: str | None = None
    sort: Sort = "asc"

    def span(self, now: datetime) -> tuple[datetime, datetime]:
        """Return the first and last moment asked for: by default the current day up to now."""
        if self.feed and self.feed not in FEEDS:
            raise InvalidParameterError(f"invalid feed: {self.feed}")
        start = read_time(self.start, "start") if self.start else midnight(exchange_day(now))
        end = read_time(self.end, "end") if self.end else now
        if self.start and self.end and start > end:
            raise InvalidParameterError("end should not be before start")
        return start, min(end, now)


TicksDep = Annotated[TickParameters, Query()]


def _marks(exchange: Exchange, symbol: str, start: datetime, end: datetime) -> list[Mark]:
    """Return the opens and closes of a symbol in a span of time, ascending."""
    history, sessions = exchange.market.histories.get(symbol), exchange.market.sessions
    if history is None or start > end:
        return []
    first, last = bisect_left(history.days, exchange_day(start)), bisect_right(history.days, exchange_day(end))
    found: list[Mark] = []
    for number in range(first, last):
        day = history.days[number]
        found.append(Mark(exact(history.open[number]), sessions.open_of(day)))
        found.append(Mark(exact(history.close[number]), sessions.close_of(day)))
    return [mark for mark in found if start <= mark.at <= end]


def _paged(
    exchange: Exchange, asked: TickParameters, symbols: list[str], shown: Callable[[str, Mark], dict[str, Any]]
) -> tuple[list[tuple[str, dict[str, Any]]], str | None]:
    start, end = asked.span(exchange.now)
    step = 1 if asked.sort == "asc" else -1

    def rows(symbol: str) -> Rows:
        return [shown(symbol, mark) for mark in _marks(exchange, symbol, start, end)][::step]

    return page(symbols, rows, limit=asked.limit, sort=asked.sort, token=asked.page_token)


def _grouped(rows: list[tuple[str, dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for symbol, row in rows:
        groups.setdefault(symbol, []).append(row)
    return groups


def _auction(mark: Mark, code: str, *, opening: bool) -> dict[str, Any]:
    condition = "Q" if opening else "M"
    return {"t": stamp(mark.at), "x": code, "p": float(mark.price), "c": condition, "s": 100}


@router.get("/quotes")
async def get_quotes(exchange: ExchangeDep, asked: TicksDep) -> JSONResponse:
    """Return past quotes of several symbols."""
    rows, token = _paged(exchange, asked, read_symbols(asked.symbols), quote_json)
    return JSONResponse({"quotes": _grouped(rows), "next_page_token": token})


@router.get("/trades")
async def get_trades(exchange: ExchangeDep, asked: TicksDep) -> JSONResponse:
    """Return past trades of several symbols."""
    rows, token = _paged(exchange, asked, read_symbols(asked.symbols), trade_json)
    return JSONResponse({"trades": _grouped(rows), "next_page_token": token})


@router.get("/auctions")
async def get_auctions(exchange: ExchangeDep, asked: TicksDep) -> JSONResponse:
    """Return opening and closing auctions by day; a page counts days."""
    names = read_symbols(asked.symbols)

    def shown(symbol: str, mark: Mark) -> dict[str, Any]:
        return {"t": stamp(mark.at), "mark": mark, "symbol": symbol}

    rows, token = _paged(exchange, asked, names, shown)
    days: dict[str, dict[str, dict[str, Any]]] = {}
    for symbol, row in rows:
        mark: Mark = row["mark"]
        day = exchange_day(mark.at)
        opening = exchange.market.sessions.open_of(day) == mark.at
        code, _ = TAPES[asset_exchange(symbol)]
        entry = days.setdefault(symbol, {}).setdefault(day.isoformat(), {"d": day.isoformat(), "o": [], "c": []})
        entry["o" if opening else "c"].append(_auction(mark, code, opening=opening))
    found = {symbol: list(entries.values()) for symbol, entries in days.items()}
    return JSONResponse({"auctions": found, "next_page_token": token})


@router.get("/bars/latest")
async def get_latest_bars(exchange: ExchangeDep, symbols: str | None = None) -> JSONResponse:
    """Return the last complete daily bar of each symbol: there are no finer ones."""
    found = {name: _last_bar(exchange, name) for name in read_symbols(symbols)}
    return JSONResponse({"bars": {name: bar for name, bar in found.items() if bar is not None}})


def _last_bar(exchange: Exchange, symbol: str) -> dict[str, Any] | None:
    market, now = exchange.market, exchange.now
    seen = market.visible(symbol, now)
    if seen == 0:
        return None
    day = market.histories[symbol].days[seen - 1]
    return answer(market, symbol, BarQuery(Timeframe(1, "day"), day, day), now)[0]


@router.get("/{symbol}/bars/latest")
async def get_latest_bar(exchange: ExchangeDep, symbol: str) -> JSONResponse:
    """Return the last complete daily bar of a symbol."""
    (name,) = read_symbols(symbol)
    bar = _last_bar(exchange, name)
    if bar is None:
        raise NotFoundError(f"no bar found for {name}")
    return JSONResponse({"bar": bar, "symbol": name})


@router.get("/{symbol}/{kind}/latest")
async def get_latest(exchange: ExchangeDep, symbol: str, kind: Kind) -> JSONResponse:
    """Return the latest quote or trade of a symbol."""
    name, mark = _marked(exchange, symbol)
    if kind == "quotes":
        return JSONResponse({"quote": quote_json(name, mark), "symbol": name})
    return JSONResponse({"trade": trade_json(name, mark), "symbol": name})


@router.get("/{symbol}/snapshot")
async def get_snapshot(exchange: ExchangeDep, symbol: str) -> JSONResponse:
    """Return the snapshot of a symbol."""
    name, mark = _marked(exchange, symbol)
    return JSONResponse({"symbol": name, **snapshot_json(exchange, name, mark)})


def _marked(exchange: Exchange, symbol: str) -> tuple[str, Mark]:
    (name,) = read_symbols(symbol)
    mark = exchange.market.mark(name, exchange.now)
    if mark is None:
        raise NotFoundError(f"no price found for {name}")
    return name, mark


@router.get("/{symbol}/{kind}")
async def get_symbol_ticks(exchange: ExchangeDep, symbol: str, kind: Kind, asked: TicksDep) -> JSONResponse:
    """Return past quotes or trades of a symbol."""
    (name,) = read_symbols(symbol)
    rows, token = _paged(exchange, asked, [name], quote_json if kind == "quotes" else trade_json)
    return JSONResponse({kind: [row for _, row in rows], "symbol": name, "next_page_token": token})
