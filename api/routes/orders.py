"""Orders and fills."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query

from api.dependencies import AccountDep, ConnectionDep, Cursor, Limit, StrategyFilter, SymbolFilter
from api.errors import MissingError
from api.schemas.base import Listing
from api.schemas.orders import (
    Fill,
    Lineage,
    Order,
    OrderDetail,
    OrderEvent,
    RiskDecision,
    SizedTarget,
    StrategyVersion,
)
from api.schemas.signals import Signal
from db.results import orders
from trading.errors import UnknownNameError
from trading.orders import OrderState

if TYPE_CHECKING:
    from db.results.orders import Lineage as Chain

router = APIRouter(prefix="/api", tags=["orders"])


@router.get("/orders")
def order_list(
    *,
    connection: ConnectionDep,
    account: AccountDep,
    symbol: SymbolFilter,
    strategy: StrategyFilter,
    status: Annotated[str | None, Query(description="one status, or `open` for all that are not final")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Listing[Order]:
    """Return orders, newest first."""
    known = [orders.OPEN, *(state.value for state in OrderState)]
    if status is not None and status not in known:
        raise UnknownNameError("order status", status, known)
    found = orders.orders(
        connection, account, status=status, symbol=symbol, strategy=strategy, limit=limit, cursor=cursor
    )
    return Listing[Order].page(Order, found)


@router.get("/orders/{order_id}")
def order_detail(connection: ConnectionDep, order_id: int) -> OrderDetail:
    """Return an order, its events and fills, and the decisions that led to it."""
    chain = orders.lineage(connection, order_id)
    if chain is None:
        raise MissingError(f"no order {order_id}; GET /api/orders lists them")
    return OrderDetail(
        order=Order.of(chain.order),
        events=OrderEvent.each(chain.events),
        fills=Fill.each(chain.fills),
        lineage=_lineage(chain),
    )


def _lineage(chain: Chain) -> Lineage:
    return Lineage(
        decision=RiskDecision.of(chain.decision) if chain.decision else None,
        target=SizedTarget.of(chain.target) if chain.target else None,
        signal=Signal.of(chain.signal) if chain.signal else None,
        strategy_version=StrategyVersion.of(chain.strategy_version) if chain.strategy_version else None,
        bar_ts=chain.order.bar_ts,
    )


@router.get("/fills")
def fill_list(
    *,
    connection: ConnectionDep,
    account: AccountDep,
    symbol: SymbolFilter,
    strategy: StrategyFilter,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Listing[Fill]:
    """Return fills, newest first."""
    found = orders.fills(connection, account, symbol=symbol, strategy=strategy, limit=limit, cursor=cursor)
    return Listing[Fill].page(Fill, found)
