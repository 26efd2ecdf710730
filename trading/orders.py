"""The life of an order: states, events, what may follow what, and the id that makes it unique."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from trading.errors import InvalidValueError, TradingError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Side = Literal["buy", "sell"]


class OrderState(StrEnum):
    """Alpaca's order states, and two before Alpaca knows the order."""

    INTENT = "intent"
    """Written down, not sent."""
    UNKNOWN = "unknown"
    """Sent without an answer: the broker may or may not have it."""
    PENDING_NEW = "pending_new"
    ACCEPTED = "accepted"
    ACCEPTED_FOR_BIDDING = "accepted_for_bidding"
    NEW = "new"
    HELD = "held"
    PARTIALLY_FILLED = "partially_filled"
    DONE_FOR_DAY = "done_for_day"
    STOPPED = "stopped"
    SUSPENDED = "suspended"
    CALCULATED = "calculated"
    PENDING_CANCEL = "pending_cancel"
    PENDING_REPLACE = "pending_replace"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REPLACED = "replaced"
    REJECTED = "rejected"


class OrderEvent(StrEnum):
    """What can happen to an order: Alpaca's trade updates, and what our own side observes."""

    NO_ANSWER = "no_answer"
    """The call ended in a timeout, a 5xx, a 429 or an unreadable body."""
    ABSENT = "absent"
    """Looked up past the deadline: the broker never had it."""
    WITHDRAWN = "withdrawn"
    """Given up before it was sent."""
    PENDING_NEW = "pending_new"
    ACCEPTED = "accepted"
    ACCEPTED_FOR_BIDDING = "accepted_for_bidding"
    NEW = "new"
    HELD = "held"
    RESTATED = "restated"
    PARTIAL_FILL = "partial_fill"
    FILL = "fill"
    DONE_FOR_DAY = "done_for_day"
    STOPPED = "stopped"
    SUSPENDED = "suspended"
    CALCULATED = "calculated"
    PENDING_CANCEL = "pending_cancel"
    PENDING_REPLACE = "pending_replace"
    CANCEL_REJECTED = "order_cancel_rejected"
    REPLACE_REJECTED = "order_replace_rejected"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REPLACED = "replaced"
    REJECTED = "rejected"


class IllegalTransitionError(TradingError):
    """Raised when an event cannot follow a state: a break to record, never to guess around."""

    def __init__(self, state: OrderState, event: OrderEvent) -> None:
        super().__init__(f"an order in state {state} cannot have event {event}; reconcile it with the broker")
        self.state = state
        self.event = event


S, E = OrderState, OrderEvent

FINAL: frozenset[OrderState] = frozenset({S.FILLED, S.CANCELED, S.EXPIRED, S.REPLACED, S.REJECTED})
"""States that nothing follows, but for late fills of canceled, expired and replaced orders."""

WORKING: frozenset[OrderState] = frozenset(S) - FINAL - {S.INTENT, S.UNKNOWN}
"""States in which the broker has the order and may fill it."""

_ARRIVALS = {
    E.PENDING_NEW: S.PENDING_NEW,
    E.ACCEPTED: S.ACCEPTED,
    E.ACCEPTED_FOR_BIDDING: S.ACCEPTED_FOR_BIDDING,
    E.NEW: S.NEW,
    E.HELD: S.HELD,
}
_PROGRESS = {
    E.PARTIAL_FILL: S.PARTIALLY_FILLED,
    E.FILL: S.FILLED,
    E.DONE_FOR_DAY: S.DONE_FOR_DAY,
    E.STOPPED: S.STOPPED,
    E.SUSPENDED: S.SUSPENDED,
    E.CALCULATED: S.CALCULATED,
    E.PENDING_CANCEL: S.PENDING_CANCEL,
    E.PENDING_REPLACE: S.PENDING_REPLACE,
    E.CANCELED: S.CANCELED,
    E.EXPIRED: S.EXPIRED,
    E.REPLACED: S.REPLACED,
    E.REJECTED: S.REJECTED,
}
_STALE = (*_ARRIVALS, E.RESTATED)  # news that a poll or a reordered stream brings late


def _working(state: OrderState) -> dict[OrderEvent, OrderState]:
    """Allow every step, since polls miss some; news of an earlier step changes nothing."""
    after = {**_ARRIVALS, **_PROGRESS, E.RESTATED: state, E.CANCEL_REJECTED: state, E.REPLACE_REJECTED: state}
    if state is S.PARTIALLY_FILLED:
        after |= dict.fromkeys(_STALE, state)
        del after[E.REJECTED]
    if state is S.NEW:
        after |= {E.PENDING_NEW: state, E.ACCEPTED: state}
    if state is S.PENDING_CANCEL:
        after |= {E.PARTIAL_FILL: state, E.CANCEL_REJECTED: S.NEW, E.PENDING_NEW: state, E.ACCEPTED: state}
    if state is S.PENDING_REPLACE:
        after |= {E.PARTIAL_FILL: state, E.REPLACE_REJECTED: S.NEW, E.PENDING_NEW: state, E.ACCEPTED: state}
    return after


def _over(state: OrderState, event: OrderEvent, *, late_fills: bool) -> dict[OrderEvent, OrderState]:
    after = dict.fromkeys(
        (*_STALE, event, E.PENDING_CANCEL, E.PENDING_REPLACE, E.CANCEL_REJECTED, E.REPLACE_REJECTED), state
    )
    if late_fills:
        after |= {E.PARTIAL_FILL: state, E.FILL: S.FILLED, E.DONE_FOR_DAY: state}
    return after


TRANSITIONS: Mapping[OrderState, Mapping[OrderEvent, OrderState]] = MappingProxyType(
    {
        S.INTENT: {**_ARRIVALS, **_PROGRESS, E.NO_ANSWER: S.UNKNOWN, E.WITHDRAWN: S.CANCELED},
        S.UNKNOWN: {**_ARRIVALS, **_PROGRESS, E.NO_ANSWER: S.UNKNOWN, E.ABSENT: S.REJECTED},
        **{state: _working(state) for state in OrderState if state in WORKING},
        S.FILLED: {**_over(S.FILLED, E.FILL, late_fills=False), E.PARTIAL_FILL: S.FILLED},
        S.CANCELED: _over(S.CANCELED, E.CANCELED, late_fills=True),
        S.EXPIRED: _over(S.EXPIRED, E.EXPIRED, late_fills=True),
        S.REPLACED: _over(S.REPLACED, E.REPLACED, late_fills=True),
        S.REJECTED: _over(S.REJECTED, E.REJECTED, late_fills=False),
    }
)
"""What each event leads to from each state; a pair that is absent is illegal."""


def next_state(state: OrderState, event: OrderEvent) -> OrderState:
    """Return the state after `event`; IllegalTransitionError when the table has no such step.

    A late fill of a canceled order is legal (Alpaca sends them): part of it leaves the order canceled, the
    whole makes it filled. An event delivered twice leaves the state as it is.
    """
    try:
        return TRANSITIONS[state][event]
    except KeyError:
        raise IllegalTransitionError(state, event) from None


def event_of(status: str) -> OrderEvent:
    """Return the event a polled broker status amounts to; UnknownNameError for one Alpaca does not list."""
    fills = {S.FILLED.value: E.FILL, S.PARTIALLY_FILLED.value: E.PARTIAL_FILL}
    if status in fills:
        return fills[status]
    known = [state.value for state in OrderState if state not in {S.INTENT, S.UNKNOWN}]
    if status not in known:
        raise UnknownNameError("order status", status, known)
    return OrderEvent(status)


def reduces(side: Side, quantity: Decimal, held: Decimal) -> bool:
    """Return whether an order only makes a position (shares, signed) smaller or closes it."""
    return held * (1 if side == "buy" else -1) < 0 and quantity <= abs(held)


def client_order_id(
    *, account: str, strategy: str, version: str, bar_ts: datetime, symbol: str, side: Side, sequence: int = 0
) -> str:
    """Return the id under which an order is sent: a readable start and a hash of all arguments.

    The same decision always gives the same id, so an order cannot be placed twice; at most 128
    characters of letters, digits, dots and hyphens, as Alpaca takes them.
    """
    if bar_ts.tzinfo is None:
        raise InvalidValueError("bar_ts", bar_ts.isoformat(), "a time zone, such as +00:00")
    utc = bar_ts.astimezone(UTC)
    content = json.dumps([account, strategy, version, utc.isoformat(), symbol, side, sequence])
    digest = hashlib.sha256(content.encode()).hexdigest()[:24]
    readable = "-".join((strategy[:40], symbol[:16], side, f"{utc:%Y%m%dT%H%M}", str(sequence)))
    return f"{re.sub(r'[^A-Za-z0-9.-]+', '.', readable)[:100]}-{digest}"


def first_parts(
    changes: Sequence[tuple[str, Decimal]], held: Mapping[str, Decimal], under_way: Mapping[str, Decimal]
) -> list[Decimal]:
    """Return how many shares of each order may be sent now, so that none turns a position round.

    A broker takes no order that is larger than the position it closes. One that goes through zero is cut to what
    closes the position; what comes after it on that side waits as a whole, and so does its own rest.

    Parameters
    ----------
    changes
        Symbol and signed shares of each order, in the order they are sent.
    held
        Symbol -> signed shares of the account.
    under_way
        Symbol -> signed shares that open orders may still fill.
    """
    left = {symbol: quantity + under_way.get(symbol, Decimal(0)) for symbol, quantity in held.items()}
    turned = {symbol for symbol, quantity in held.items() if quantity and left[symbol] * quantity <= 0}
    parts: list[Decimal] = []
    for symbol, change in changes:
        against = left.get(symbol, Decimal(0))
        if symbol in turned:
            parts.append(Decimal(0))
        elif against * change < 0 and abs(change) >= abs(against):
            parts.append(abs(against))
            left[symbol] = Decimal(0)
            turned.add(symbol)
        else:
            parts.append(abs(change))
            left[symbol] = against + change
    return parts
