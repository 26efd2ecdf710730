"""Prometheus metrics: requests as they are counted, the system's figures as they are at the scrape."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

from db.results import gauges, portfolio, risk

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection, Engine
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from trading.health import Check

STATES = ("ACTIVE", "REDUCING", "HALTED")


class Measures:
    """The request metrics of one app."""

    def __init__(self) -> None:
        # They double the number of series, and nobody reads them.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the library leaves its type out
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "trading_http_requests",
            "Requests answered",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "trading_http_request_seconds",
            "Seconds to answer a request",
            ("method", "route"),
            registry=self.registry,
        )


class MeasuredRequests:
    """Middleware that counts and times every request under its route's template."""

    def __init__(self, app: ASGIApp, measures: Measures) -> None:
        self._app = app
        self._measures = measures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and measure the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, began = 500, time.perf_counter()

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            self._count(scope, status, time.perf_counter() - began)

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        # The template, never the path: a label per order would grow without end.
        route = getattr(scope.get("route"), "path", "none")
        method = scope["method"] if scope["method"] in {"GET", "PUT", "POST", "HEAD", "OPTIONS"} else "other"
        self._measures.requests.labels(method, route, str(status)).inc()
        self._measures.seconds.labels(method, route).observe(seconds)


def exposition(measures: Measures, checks: Iterable[Check], engine: Engine) -> bytes:
    """Return all metrics in Prometheus' text format; the books' are left out while PostgreSQL is down."""
    registry = CollectorRegistry()
    checks = list(checks)
    _components(registry, checks)
    if all(check.ok for check in checks if check.name == "postgresql"):
        with engine.connect() as connection:
            _books(registry, connection)
            _flow(registry, connection)
    return generate_latest(measures.registry) + generate_latest(registry)


def _components(registry: CollectorRegistry, checks: Iterable[Check]) -> None:
    up = _gauge(registry, "component_up", "Whether a component is as it should be", "component")
    latency = _gauge(registry, "component_latency_seconds", "Seconds its examination took", "component")
    for check in checks:
        up.labels(check.name).set(check.ok)
        latency.labels(check.name).set(check.latency)


def _books(registry: CollectorRegistry, connection: Connection) -> None:
    account = portfolio.account(connection, None)
    if account is None:
        return
    newest = portfolio.snapshots(connection, account, limit=1)
    for name, text in (
        ("equity", "Equity, USD"),
        ("cash", "Cash, USD"),
        ("buying_power", "Buying power, USD"),
    ):
        if newest:
            _gauge(registry, name, text, "account").labels(account).set(float(getattr(newest[0], name)))
    for name, text, number in (
        ("positions", "Positions that hold shares", gauges.open_positions(connection, account)),
        ("open_orders", "Orders that are not final", gauges.open_orders(connection, account)),
        ("fills", "Fills so far", gauges.fills(connection, account)),
        ("limit_breaches", "Limit breaches so far", gauges.breaches(connection, account)),
    ):
        _gauge(registry, name, text, "account").labels(account).set(number)
    orders = _gauge(registry, "orders", "Orders by status", "account", "status")
    for status, number in gauges.orders_by_status(connection, account).items():
        orders.labels(account, status).set(number)
    row = risk.trading_state(connection, account)
    state = _gauge(registry, "trading_state", "1 for the state the account is in", "account", "state")
    for name in STATES:
        state.labels(account, name).set(name == (row.state if row else "ACTIVE"))


def _flow(registry: CollectorRegistry, connection: Connection) -> None:
    _gauge(registry, "signals", "Signals so far").set(gauges.signals(connection))
    _gauge(registry, "messages_undelivered", "Deliveries pending or failed").set(gauges.undelivered(connection))
    now = gauges.last_seen(connection)
    if now is None:
        return
    age = _gauge(registry, "last_bar_age_seconds", "Broker's time since the newest bar's start", "timeframe")
    for timeframe, ts in gauges.last_bars(connection).items():
        age.labels(timeframe).set((now - ts).total_seconds())


def _gauge(registry: CollectorRegistry, name: str, text: str, *labels: str) -> Any:
    return Gauge(f"trading_{name}", text, labels, registry=registry)
