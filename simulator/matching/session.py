"""A session's open and close: which orders meet which prices, in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.execution import act, end, trail
from simulator.matching.prices import session_path, touch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime
    from decimal import Decimal

    from simulator.books import Order
    from simulator.ledger import Ledger
    from simulator.market import Bar
    from simulator.sessions import Event

NEVER_RESTING = frozenset({"ioc", "fok"})


def match_open(ledger: Ledger, event: Event) -> None:
    """Let every order meet the opening price; those of the auction and of the moment end unless filled."""
    for order in list(ledger.open_orders.values()):
        if order.status == "accepted":
            ledger.announce("new", _routed(ledger, order, event.at), event.at)
    for symbol in _symbols(ledger):
        bar = ledger.market.session_bar(symbol, event.day)
        if bar is not None:
            _auction(ledger, symbol, bar.open, event, lambda order: order.time_in_force != "cls")
    for order in list(ledger.open_orders.values()):
        if order.id in ledger.open_orders and order.time_in_force == "opg":
            end(ledger, ledger.open_orders[order.id], "expired", event.at)
        elif order.id in ledger.open_orders and order.time_in_force in NEVER_RESTING:
            end(ledger, ledger.open_orders[order.id], "canceled", event.at)


def match_close(ledger: Ledger, event: Event) -> None:
    """Walk the session's path, meet the closing price, then end what ends with the session."""
    opened = ledger.market.sessions.open_of(event.day)
    for symbol in _symbols(ledger):
        bar = ledger.market.session_bar(symbol, event.day)
        if bar is not None:
            _walk(ledger, symbol, bar, event, opened)
            _auction(ledger, symbol, bar.close, event, lambda order: order.time_in_force != "opg")
    for known in list(ledger.open_orders.values()):
        order = ledger.open_orders.get(known.id)
        if order is None:
            continue
        if order.status == "pending_cancel":
            end(ledger, order, "canceled", event.at)
        elif order.time_in_force != "gtc" or order.expires_at <= event.at:
            end(ledger, order, "expired", event.at)


def _routed(ledger: Ledger, order: Order, at: datetime) -> Order:
    return ledger.put_order(order.model_copy(update={"status": "new", "updated_at": at}))


def _symbols(ledger: Ledger) -> list[str]:
    return list(dict.fromkeys(order.symbol for order in ledger.open_orders.values()))


def _active(ledger: Ledger, symbol: str, meant: Callable[[Order], bool]) -> Iterable[Order]:
    return [order for order in ledger.orders_in(symbol) if order.is_active and meant(order)]


def _auction(ledger: Ledger, symbol: str, price: Decimal, event: Event, meant: Callable[[Order], bool]) -> None:
    """Let the orders of a symbol meet one price, oldest first; exits whose entry fills here take part."""
    met: set[str] = set()
    while waiting := [order for order in _active(ledger, symbol, meant) if order.id not in met]:
        for order in waiting:
            met.add(order.id)
            current = ledger.open_orders.get(order.id)
            if current is not None and not act(ledger, current, price, day=event.day, at=event.at):
                trail(ledger, current, price, event.at)


def _walk(ledger: Ledger, symbol: str, bar: Bar, event: Event, opened: datetime) -> None:
    """Move the price along the session's path; market orders wait for the close, auction orders for theirs."""
    path = session_path(bar)
    here, idle = path[0], set[str]()

    def meant(order: Order) -> bool:
        resting = order.works_as != "market" and order.time_in_force not in {"opg", "cls"}
        # an exit belongs to the path from its entry's fill on: in here that is stamped with the close
        since = order.active_at or order.submitted_at
        whole = since <= opened if order.active_at else since < opened
        return resting and order.id not in idle and (whole or order.active_at == event.at)

    for corner in path[1:]:
        while met := _next(_active(ledger, symbol, meant), here, corner):
            order, here = met
            if not act(ledger, order, here, day=event.day, at=event.at):
                idle.add(order.id)
        here = corner
        for order in _active(ledger, symbol, meant):
            trail(ledger, order, here, event.at)


def _next(orders: Iterable[Order], here: Decimal, corner: Decimal) -> tuple[Order, Decimal] | None:
    """Return the order that acts first on the way to the corner, with the price; the older of two at once."""
    touches = ((order, touch(order, here, corner)) for order in orders)
    met = [(order, price) for order, price in touches if price is not None]
    return min(met, key=lambda pair: (abs(pair[1] - here), pair[0].sequence), default=None)
