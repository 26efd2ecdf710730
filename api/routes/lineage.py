"""The chain from the bars to the fills, from any of its ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter

from api.dependencies import ConnectionDep
from api.schemas.lineage import Step, Trace
from api.schemas.orders import Fill, Order, OrderEvent
from db.results import lineage

if TYPE_CHECKING:
    from db.results.lineage import Step as Found

PARTS = ("asked", "own", "evaluated", "run", "strategy_version", "signal")
router = APIRouter(prefix="/api", tags=["orders"])


@router.get("/trace/{reference:path}")
def trace(connection: ConnectionDep, reference: str) -> Trace:
    """Return the bars, signal, size, risk decision, order, events and fills behind an order, a fill or a signal.

    `order:12`, `fill:3`, `signal:7`, a client_order_id, the broker's id of an order or fill; a bare number is an
    order's.
    """
    found = lineage.trace(connection, reference)
    return Trace.model_validate(
        {
            **{
                name: getattr(found, name)
                for name in ("asked", "own", "evaluated", "run", "strategy_version", "signal")
            },
            "steps": [_step(step) for step in found.steps],
        }
    )


def _step(step: Found) -> Step:
    chain = step.order
    return Step.model_validate(
        {
            "target": step.target,
            "decision": step.decision,
            "order": Order.of(chain.order) if chain else None,
            "events": OrderEvent.each(chain.events) if chain else [],
            "fills": Fill.each(chain.fills) if chain else [],
        }
    )
