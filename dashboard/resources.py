"""What the pages read from the api and ask of it; reads are cached for seconds, a change forgets them."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import streamlit as st

from dashboard.client import Client, from_environment, segment

Row = dict[str, Any]
SECONDS = 4
LONGER_SECONDS = 60
UNHEALTHY = 503
WHO = "dashboard"


@st.cache_resource(show_spinner=False)
def _client(url: str, token: str) -> Client:
    return Client.connect(url, token)


def client() -> Client:
    """Return the client of the api that the environment names."""
    return _client(*from_environment())


@st.cache_data(ttl=SECONDS, max_entries=256, show_spinner=False)
def _fresh(url: str, path: str, parameters: tuple[tuple[str, Any], ...]) -> Any:  # noqa: ARG001 - url keys the cache
    return client().get(path, accept=(UNHEALTHY,) if path == "/health" else (), **dict(parameters))


@st.cache_data(ttl=LONGER_SECONDS, max_entries=256, show_spinner=False)
def _lasting(url: str, path: str, parameters: tuple[tuple[str, Any], ...]) -> Any:  # noqa: ARG001 - as above
    return client().get(path, **dict(parameters))


def account() -> str | None:
    """Return the account a person chose to look at, or None for the one last seen."""
    chosen: str | None = st.session_state.get("account")
    return chosen


def read(path: str, *, lasting: bool = False, **parameters: Any) -> Any:
    """Return the JSON at `path`, at most 4 seconds old, or 60 when `lasting`."""
    chosen = tuple(sorted((name, value) for name, value in parameters.items() if value not in (None, "")))
    return (_lasting if lasting else _fresh)(client().url, path, chosen)


def rows(path: str, *, lasting: bool = False, **parameters: Any) -> list[Row]:
    """Return the rows at `path`, whether the api answers with a list or with a page of items."""
    answer = read(path, lasting=lasting, **parameters)
    found: list[Row] = answer["items"] if isinstance(answer, dict) else answer
    return found


def changed() -> None:
    """Forget everything read, after something was changed."""
    _fresh.clear()
    _lasting.clear()


def accounts() -> list[Row]:
    """Return the broker accounts that the system has traded in."""
    return rows("/api/accounts")


def portfolio() -> Row:
    """Return equity, cash, returns, trading state and positions of the account."""
    found: Row = read("/api/portfolio", account=account())
    return found


def equity(scope: str = "portfolio") -> list[Row]:
    """Return the equity curve of a scope, one point a session, oldest first."""
    points: list[Row] = read("/api/portfolio/equity", scope=scope, account=account())["points"]
    return points


def orders(*, status: str | None = None, symbol: str | None = None, limit: int = 100) -> list[Row]:
    """Return the newest orders."""
    return rows("/api/orders", status=status, symbol=symbol, limit=limit, account=account())


def order(number: int) -> Row:
    """Return an order with its events, fills and lineage."""
    found: Row = read(f"/api/orders/{number}")
    return found


def trace(reference: str) -> Row:
    """Return the chain behind an order, a fill or a signal, with whether its bars are still the same."""
    found: Row = read(f"/api/trace/{segment(reference)}")
    return found


def fills(*, limit: int = 100) -> list[Row]:
    """Return the newest fills."""
    return rows("/api/fills", limit=limit, account=account())


def signals(*, limit: int = 100) -> list[Row]:
    """Return the newest signals."""
    return rows("/api/signals", limit=limit)


def strategies() -> list[Row]:
    """Return every strategy with its status and current definition."""
    return rows("/api/strategies")


def strategy(name: str) -> Row:
    """Return a strategy and its versions."""
    found: Row = read(f"/api/strategies/{segment(name)}")
    return found


def strategy_schema() -> Row:
    """Return the JSON schema of a strategy's definition."""
    found: Row = read("/api/strategies/schema", lasting=True)
    return found


def save_strategy(name: str, definition: Row) -> Row:
    """Store a definition as the strategy's new version."""
    return _change("put", f"/api/strategies/{segment(name)}", {"definition": definition})


def set_strategy_status(name: str, status: str, *, anyway: str | None = None) -> Row:
    """Make a strategy active, paused or retired; `anyway` is why it trades without a check that it did not fail."""
    reason = {} if anyway is None else {"anyway": anyway}
    return _change("post", f"/api/strategies/{segment(name)}/status", {"status": status, **reason})


def performance(scope: str) -> Row:
    """Return the metric set of a scope."""
    found: Row = read("/api/performance", scope=scope, account=account())
    return found


def scopes() -> list[str]:
    """Return the scopes with a metric set: the portfolio and the strategies."""
    answer = read("/api/performance/scopes", account=account())
    return [str(scope) for scope in answer]


def round_trips(strategy_name: str | None = None) -> list[Row]:
    """Return round trips, newest first."""
    return rows("/api/trades", strategy=strategy_name, limit=1000, account=account())


def breakdown(scope: str, dimension: str) -> list[Row]:
    """Return round trips summed over symbol, weekday, hour or exit reason."""
    return rows("/api/trades/breakdown", scope=scope, dimension=dimension, account=account())


def risk() -> Row:
    """Return the risk snapshot, its history, limits, breaches and the trading state."""
    found: Row = read("/api/risk", account=account())
    return found


def set_limit(name: str, value: float) -> Row:
    """Set a risk limit."""
    return _change("put", f"/api/risk/limits/{segment(name)}", {"value": value})


def set_trading_state(state: str, reason: str) -> Row:
    """Halt, reduce or resume trading of the account."""
    body = {"state": state, "reason": reason, "who": WHO}
    return _change("post", "/api/risk/state", body, account=account())


def flatten(reason: str) -> Row:
    """Halt trading and close every position of the account."""
    return _change("post", "/api/risk/flatten", {"reason": reason, "who": WHO}, account=account())


def bars(symbol: str, *, timeframe: str = "1Day", limit: int = 250, adjustment: str = "split") -> list[Row]:
    """Return the newest bars of a symbol, oldest first; adjusted for nothing (raw), splits (split) or all."""
    place = f"/api/bars/{segment(symbol)}"
    found = rows(place, lasting=True, timeframe=timeframe, limit=limit, adjustment=adjustment)
    return sorted(found, key=lambda bar: str(bar["ts"]))


def update_asset(symbol: str, change: Row) -> Row:
    """Change a symbol's tracked flag, sector or tags."""
    return _change("put", f"/api/universe/{segment(symbol)}", change)


def quality_counts(**asked: Any) -> list[Row]:
    """Return how often each rule complained."""
    return rows("/api/quality/counts", **asked)


def quality_issues(**asked: Any) -> Row:
    """Return a page of what the rules complained about, newest bar first."""
    found: Row = read("/api/quality/issues", **asked)
    return found


def bar_record(symbol: str, timeframe: str, ts: str) -> Row:
    """Return a bar with its issues, revisions, decisions and neighbours."""
    found: Row = read(_bar(symbol, timeframe, ts))
    return found


def release_bar(record: Row, *, who: str, why: str) -> Row:
    """Make a bar count as good although rules complain."""
    path = _bar(record["symbol"], record["timeframe"], record["ts"])
    return _change("post", f"{path}/release", {"who": who, "why": why})


def correct_bar(record: Row, figures: Row, *, who: str, why: str) -> Row:
    """Give a bar other figures."""
    path = _bar(record["symbol"], record["timeframe"], record["ts"])
    return _change("post", f"{path}/correct", {**figures, "who": who, "why": why})


def deployments() -> list[Row]:
    """Return the Prefect deployments."""
    return rows("/api/deployments")


def start_run(deployment: str, parameters: Row) -> Row:
    """Start a run of a deployment (`flow/deployment`); a repeated send of the call starts it once."""
    body = {"parameters": parameters, "idempotency_key": uuid4().hex}
    return _change("post", f"/api/deployments/{_pair(deployment)}/runs", body)


def set_paused(deployment: str, *, paused: bool) -> Row:
    """Pause or resume a deployment's schedules."""
    return _change("post", f"/api/deployments/{_pair(deployment)}/paused", {"paused": paused})


def run(flow_run_id: str) -> Row:
    """Return a flow run as it is now."""
    found: Row = client().get(f"/api/runs/{segment(flow_run_id)}")
    return found


def report_file(number: int) -> bytes:
    """Return a report's file."""
    return client().download(f"/api/reports/{segment(number)}/file")


def _bar(symbol: str, timeframe: str, ts: str) -> str:
    return f"/api/quality/bars/{segment(symbol)}/{segment(timeframe)}/{segment(ts)}"


def _pair(deployment: str) -> str:
    return "/".join(segment(part) for part in deployment.split("/", 1))


def _change(method: str, path: str, body: Row, **parameters: Any) -> Row:
    chosen = {name: value for name, value in parameters.items() if value is not None}
    answer: Row = getattr(client(), method)(path, body, **chosen)
    changed()
    return answer
