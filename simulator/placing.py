"""The orders that a request becomes: one, or an entry with its exits, or a pair of exits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from simulator.books import ZERO, Order

if TYPE_CHECKING:
    from datetime import datetime

    from simulator.admission import Admission
    from simulator.books import Status
    from simulator.ledger import Ledger
    from simulator.market import Mark
    from simulator.order_request import OrderRequest

TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the exchange knows of an order besides the request."""

    account_id: str
    sequence: int
    at: datetime
    expires_at: datetime
    status: Status
    mark: Mark | None


def new_orders(request: OrderRequest, admission: Admission, client_order_id: str, terms: Terms) -> list[Order]:
    """Return the order and its legs, the take-profit before the stop-loss."""
    number = str(uuid5(UUID(terms.account_id), f"order {client_order_id}"))
    trailing = request.type == "trailing_stop" and terms.mark is not None
    order = Order(
        id=number,
        client_order_id=client_order_id,
        sequence=terms.sequence,
        symbol=request.symbol,
        side=request.side,
        type=request.type,
        time_in_force=request.time_in_force,
        qty=request.qty,
        notional=request.notional,
        limit_price=request.limit_price,
        stop_price=request.stop_price,
        trail_price=request.trail_price,
        trail_percent=request.trail_percent,
        hwm=terms.mark.price if trailing and terms.mark else None,
        extended_hours=request.extended_hours,
        order_class=request.order_class,
        position_intent=admission.position_intent,
        reserved=admission.reserved,
        status=terms.status,
        submitted_at=terms.at,
        updated_at=terms.at,
        expires_at=terms.expires_at,
    )
    if request.order_class == "simple":
        return [order]
    legs = [_leg(order, number, fields, terms) for number, fields in enumerate(_exits(request), start=1)]
    role = "take_profit" if request.order_class == "oco" else "entry"
    shared = {"role": role, "group_id": order.id, "leg_ids": tuple(leg.id for leg in legs)}
    return [order.model_copy(update=shared), *legs]


def _exits(request: OrderRequest) -> list[dict[str, Any]]:
    """Return type, prices and role of each leg."""
    found: list[dict[str, Any]] = []
    if request.take_profit is not None and request.order_class != "oco":
        found.append({"role": "take_profit", "type": "limit", "limit_price": request.take_profit, "stop_price": None})
    if request.stop_loss is not None:
        kind = "stop" if request.stop_loss_limit is None else "stop_limit"
        prices = {"stop_price": request.stop_loss, "limit_price": request.stop_loss_limit}
        found.append({"role": "stop_loss", "type": kind, **prices})
    return found


def _leg(order: Order, number: int, fields: dict[str, Any], terms: Terms) -> Order:
    """Return a leg; those of an oco work from the start, the others when the entry is filled."""
    account, at = UUID(terms.account_id), order.submitted_at + number * TICK
    pair = order.order_class == "oco"
    side = order.side if pair else "sell" if order.side == "buy" else "buy"
    client_order_id = str(uuid5(account, f"client {order.client_order_id} leg {number}"))
    changed = {
        **fields,
        "id": str(uuid5(account, f"order {client_order_id}")),
        "client_order_id": client_order_id,
        "sequence": order.sequence + number,
        "side": side,
        "position_intent": f"{side}_to_close",
        "reserved": ZERO,
        "status": "held",
        "submitted_at": at,
        "updated_at": at,
        "parent_id": order.id,
        "group_id": order.id,
        "active_at": at if pair else None,
        "hwm": None,
    }
    return order.model_copy(update=changed)


def replace_order(ledger: Ledger, old: Order, new: Order, at: datetime) -> None:
    """Put an order in the place of another, also among those that were sent together with it."""
    ledger.announce("pending_replace", old, at)
    gone = {"status": "replaced", "replaced_at": at, "replaced_by": new.id, "updated_at": at}
    ledger.announce("replaced", ledger.put_order(old.model_copy(update=gone)), at)
    ledger.put_order(new)
    for other in ledger.group(old.group_id) if old.group_id else []:
        if other.parent_id == old.id:
            ledger.put_order(other.model_copy(update={"parent_id": new.id}))
    ledger.announce("new", new, at)
