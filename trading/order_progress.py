"""What a report of the broker makes of an order we know: reports may come twice, late and out of order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trading.errors import UnknownNameError
from trading.orders import FINAL, IllegalTransitionError, OrderEvent, OrderState, event_of, next_state

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from trading.broker import BrokerOrder


@dataclass(frozen=True, slots=True)
class Known:
    """What the books have of an order.

    Attributes
    ----------
    status
        Its state.
    quantity
        Shares it is for; None for an order by amount.
    filled
        Shares filled so far.
    seen_at
        The broker's time of the newest report, None before the first.
    """

    status: OrderState
    quantity: Decimal | None
    filled: Decimal
    seen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What to write down of a report.

    Attributes
    ----------
    event
        What it amounts to.
    key
        The same for the same report, however often it comes.
    status, filled
        The order's after it.
    newest
        Whether no newer report was known: only then its other figures count.
    problem
        Why the report cannot be true, in words: then nothing but the problem changes.
    """

    event: OrderEvent
    key: str
    status: OrderState
    filled: Decimal
    newest: bool
    problem: str | None = None


def step(known: Known, seen: BrokerOrder) -> Step:
    """Return what a report makes of an order.

    The state moves by the table of `trading.orders`; an older report than the newest known moves it only to a
    final state, or not at all.
    Filled shares never become fewer. A report the table does not allow, of more shares than were
    ordered, or of a filled order with fewer, is a problem for a person: it changes no state.
    """
    key = f"{seen.status}:{seen.filled_quantity.normalize():f}:{seen.updated_at.isoformat()}"
    newest = known.seen_at is None or seen.updated_at >= known.seen_at
    try:
        event = event_of(seen.status)
        status = next_state(known.status, event)
        problem = _impossible(known, seen, status)
    except UnknownNameError as error:
        event, status, problem = OrderEvent.RESTATED, known.status, str(error)
    except IllegalTransitionError as error:
        # an older report than the newest known may well not fit any more: that is no contradiction
        status, problem = known.status, str(error) if newest else None
    if problem is not None:
        return Step(event, key, known.status, known.filled, newest, problem)
    if not newest and status not in FINAL:
        status = known.status
    return Step(event, key, status, max(known.filled, seen.filled_quantity), newest)


def _impossible(known: Known, seen: BrokerOrder, status: OrderState) -> str | None:
    if seen.filled_quantity < 0:
        return f"the broker tells of {seen.filled_quantity} filled shares"
    if known.quantity is None:
        return None
    if seen.filled_quantity > known.quantity:
        return f"the broker filled {seen.filled_quantity:f} of {known.quantity:f} shares ordered"
    if status is OrderState.FILLED and seen.filled_quantity < known.quantity and seen.status == "filled":
        return f"the broker calls it filled with {seen.filled_quantity:f} of {known.quantity:f} shares"
    return None
