"""Market-data API: bars, latest quotes and trades, snapshots, corporate actions, all up to the clock."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from simulator.bars import BarQuery, Rows, Sort, Timeframe, answer, page, read_adjustment, read_page_token
from simulator.broker_routes import ExchangeDep
from simulator.corporate_actions import action_id
from simulator.errors import InvalidParameterError
from simulator.faults.corruption import corrupted
from simulator.faults.models import CorruptBars
from simulator.presentation import asset_exchange, stamp
from simulator.request_values import first_label, last_label, read_day, read_symbols, read_time
from simulator.sessions import exchange_day, midnight
from trading.adjustment import Split

if TYPE_CHECKING:
    from datetime import date, datetime

    from simulator.exchange import Exchange
    from simulator.market import Mark
    from trading.adjustment import DerivedAction

SymbolRows = list[tuple[str, dict[str, Any]]]
"""Bars with their symbols."""

router = APIRouter(tags=["market data"])

MOST_BARS = 10_000
MOST_ACTIONS = 1_000
FEEDS = {"iex", "sip", "otc", "boats", "overnight", "delayed_sip"}
TAPES = {"NASDAQ": ("Q", "C"), "NYSE": ("N", "A")}
"""Exchange to its code and tape."""


class BarParameters(BaseModel):
    """The query of both bar routes; `asof` and `currency` are accepted and change nothing."""

    timeframe: str
    symbols: str | None = None
    start: str | None = None
    end: str | None = None
    limit: Annotated[int, Field(ge=1, le=MOST_BARS)] = 1000
    adjustment: str = "raw"
    feed: str | None = None
    page_token: str | None = None
    sort: Sort = "asc"

    def query(self, now: datetime) -> BarQuery:
        """Return the question these parameters ask: by default about the current day.

        Raises
        ------
        InvalidParameterError
            A parameter makes no sense.
        """
        if self.feed and self.feed not in FEEDS:
            raise InvalidParameterError(f"invalid feed: {self.feed}")
        splits, dividends = read_adjustment(self.adjustment)
        start = read_time(self.start, "start") if self.start else midnight(exchange_day(now))
        end = read_time(self.end, "end") if self.end else now
        if self.start and self.end and start > end:
            raise InvalidParameterError("end should not be before start")
        timeframe = Timeframe.read(self.timeframe)
        return BarQuery(timeframe, first_label(start), last_label(end), splits, dividends, start, end)


BarParametersDep = Annotated[BarParameters, Query()]


def _page(exchange: Exchange, symbols: list[str], asked: BarParameters) -> tuple[SymbolRows, str | None]:
    now, step = exchange.now, 1 if asked.sort == "asc" else -1
    query, after = asked.query(now), read_page_token(asked.page_token)

    def rows(symbol: str) -> Rows:
        if step < 0:
            return answer(exchange.market, symbol, query, now)[::step]
        start = read_time(after[1], "page_token") if after and after[0] == symbol else query.start
        return answer(exchange.market, symbol, replace(query, start=start, most=asked.limit + 2), now)

    chosen, token = page(symbols, rows, limit=asked.limit, sort=asked.sort, token=asked.page_token)
    faults = exchange.ledger.faults.draw(CorruptBars) if chosen else []
    for fault in faults:
        chosen = corrupted(chosen, fault)
    return chosen, token


@router.get("/v2/stocks/bars")
async def get_bars(exchange: ExchangeDep, asked: BarParametersDep) -> JSONResponse:
    """Return bars of several symbols, by symbol and time."""
    chosen, token = _page(exchange, read_symbols(asked.symbols), asked)
    bars: dict[str, list[dict[str, Any]]] = {}
    for symbol, row in chosen:
        bars.setdefault(symbol, []).append(row)
    return JSONResponse({"bars": bars, "next_page_token": token})


@router.get("/v2/stocks/{symbol}/bars")
async def get_symbol_bars(exchange: ExchangeDep, symbol: str, asked: BarParametersDep) -> JSONResponse:
    """Return bars of one symbol."""
    (name,) = read_symbols(symbol)
    chosen, token = _page(exchange, [name], asked)
    return JSONResponse({"bars": [row for _, row in chosen], "symbol": name, "next_page_token": token})


@router.get("/v2/stocks/quotes/latest")
async def get_latest_quotes(exchange: ExchangeDep, symbols: str | None = None) -> JSONResponse:
    """Return the latest price as both bid and ask: daily data have no spread."""
    return JSONResponse({"quotes": {name: quote_json(name, mark) for name, mark in _marks(exchange, symbols)}})


@router.get("/v2/stocks/trades/latest")
async def get_latest_trades(exchange: ExchangeDep, symbols: str | None = None) -> JSONResponse:
    """Return the latest price as a trade: the open during a session, else the last close."""
    return JSONResponse({"trades": {name: trade_json(name, mark) for name, mark in _marks(exchange, symbols)}})


@router.get("/v2/stocks/snapshots")
async def get_snapshots(exchange: ExchangeDep, symbols: str | None = None) -> JSONResponse:
    """Return latest trade and quote and the last two complete daily bars of each symbol."""
    return JSONResponse({name: snapshot_json(exchange, name, mark) for name, mark in _marks(exchange, symbols)})


def _marks(exchange: Exchange, symbols: str | None) -> list[tuple[str, Mark]]:
    found = [(symbol, exchange.market.mark(symbol, exchange.now)) for symbol in read_symbols(symbols)]
    return [(symbol, mark) for symbol, mark in found if mark is not None]


def quote_json(symbol: str, mark: Mark) -> dict[str, Any]:
    """Return a price as both bid and ask."""
    code, tape = TAPES[asset_exchange(symbol)]
    price = float(mark.price)
    sides = {"ap": price, "as": 100, "ax": code, "bp": price, "bs": 100, "bx": code}
    return {"t": stamp(mark.at), **sides, "c": ["R"], "z": tape}


def trade_json(symbol: str, mark: Mark) -> dict[str, Any]:
    """Return a price as a trade of a hundred shares."""
    code, tape = TAPES[asset_exchange(symbol)]
    number = int(mark.at.timestamp())
    return {
        "t": stamp(mark.at),
        "x": code,
        "p": float(mark.price),
        "s": 100,
        "c": ["@"],
        "i": number,
        "z": tape,
    }


def snapshot_json(exchange: Exchange, symbol: str, mark: Mark) -> dict[str, Any]:
    """Return latest trade and quote and the last two complete daily bars."""
    market, now = exchange.market, exchange.now
    seen = market.visible(symbol, now)
    days = market.histories[symbol].days[max(seen - 2, 0) : seen]
    daily = answer(market, symbol, BarQuery(Timeframe(1, "day"), days[0], days[-1]), now) if days else []
    names = ("dailyBar", "prevDailyBar")
    bars = dict(zip(names, reversed(daily), strict=False))
    return {"latestTrade": trade_json(symbol, mark), "latestQuote": quote_json(symbol, mark), **bars}


class ActionParameters(BaseModel):
    """The query of the corporate actions; without days it is about today."""

    symbols: str | None = None
    types: str | None = None
    start: str | None = None
    end: str | None = None
    ids: str | None = None
    limit: Annotated[int, Field(ge=1, le=MOST_ACTIONS)] = 100
    page_token: str | None = None
    sort: Sort = "asc"

    def choose(self, known: list[DerivedAction], today: date) -> list[DerivedAction]:
        """Return the actions asked for, by ex-date."""
        first = read_day(self.start, "start") if self.start else today
        last = read_day(self.end, "end") if self.end else today
        wanted = {word.strip() for word in (self.types or "").split(",") if word.strip()}
        if self.ids:
            chosen = [action for action in known if str(action_id(action)) in self.ids.split(",")]
        else:
            in_time = [action for action in known if first <= action.ex_date <= last]
            chosen = [action for action in in_time if not wanted or _kind(action) in wanted]
        backwards = self.sort == "desc"
        return sorted(chosen, key=lambda action: (action.ex_date, action.symbol, _kind(action)), reverse=backwards)


@router.get("/v1/corporate-actions")
async def get_corporate_actions(exchange: ExchangeDep, asked: Annotated[ActionParameters, Query()]) -> JSONResponse:
    """Return splits and cash dividends by ex-date; one whose ex-date is yet to come is not known."""
    now = exchange.now
    names = read_symbols(asked.symbols) if asked.symbols else exchange.market.listed(now)
    known = [action for name in names for action in exchange.market.actions(name, now)]
    chosen = asked.choose(known, exchange_day(now))
    return JSONResponse(_actions_page(chosen, limit=asked.limit, token=asked.page_token))


def _kind(action: DerivedAction) -> str:
    if isinstance(action, Split):
        return "forward_split" if action.new_rate > action.old_rate else "reverse_split"
    return "cash_dividend"


def _actions_page(actions: list[DerivedAction], *, limit: int, token: str | None) -> dict[str, Any]:
    """Return a page; its token is the id of the page's last action."""
    places = {str(action_id(action)): number for number, action in enumerate(actions)}
    if token and token not in places:
        raise InvalidParameterError("invalid page_token")
    start = places[token] + 1 if token else 0
    chosen = actions[start : start + limit]
    groups: dict[str, list[dict[str, Any]]] = {}
    for action in chosen:
        groups.setdefault(f"{_kind(action)}s", []).append(_action_json(action))
    more = start + limit < len(actions)
    return {"corporate_actions": groups, "next_page_token": str(action_id(chosen[-1])) if more else None}


def _action_json(action: DerivedAction) -> dict[str, Any]:
    """Return an action; the data have no CUSIP and only the ex-date, which stands for the process date."""
    day = action.ex_date.isoformat()
    common = {"id": str(action_id(action)), "symbol": action.symbol, "ex_date": day, "process_date": day}
    if isinstance(action, Split):
        rates = {"new_rate": float(action.new_rate), "old_rate": float(action.old_rate)}
        forward = action.new_rate > action.old_rate
        return {**common, **rates, **({"cusip": ""} if forward else {"old_cusip": "", "new_cusip": ""})}
    return {**common, "cusip": "", "rate": float(action.rate), "special": action.special, "foreign": False}
