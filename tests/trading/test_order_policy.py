from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.broker import Clock
from trading.order_policy import StalePolicy, Waiting, due
from trading.order_terms import on_grid
from trading.orders import OrderState

OPEN, CLOSE = datetime(2012, 12, 3, 14, 30, tzinfo=UTC), datetime(2012, 12, 3, 21, tzinfo=UTC)
CANCEL = StalePolicy(after_minutes=10)
REPRICE = StalePolicy(after_minutes=10, action="reprice", reprice_bps=50, most_reprices=2)


def clock(minutes: float, *, is_open: bool = True) -> Clock:
    """Return the clock so many minutes after the open."""
    return Clock(OPEN + timedelta(minutes=minutes), is_open, OPEN + timedelta(days=1), CLOSE)


def waiting(**changes: Any) -> Waiting:
    fields: dict[str, Any] = {
        "type": "limit", "side": "buy", "status": OrderState.NEW, "limit_price": Decimal("190.00"),
        "since": OPEN - timedelta(hours=1), "reprices": 0,
    }  # fmt: skip
    return Waiting(**{**fields, **changes})


@pytest.mark.parametrize(
    ("order", "policy", "now", "action", "limit"),
    [
        (waiting(), StalePolicy(), clock(300), None, None),
        (waiting(), CANCEL, clock(9.9), None, None),  # the hour before the open does not count
        (waiting(), CANCEL, clock(10), "cancel", None),
        (waiting(since=OPEN + timedelta(minutes=5)), CANCEL, clock(14), None, None),
        (waiting(), CANCEL, clock(10, is_open=False), None, None),
        (waiting(status=OrderState.PENDING_CANCEL), CANCEL, clock(10), None, None),
        (waiting(type="market", limit_price=None), CANCEL, clock(10), None, None),
        (waiting(type="stop", limit_price=None), CANCEL, clock(100), None, None),
        (waiting(), REPRICE, clock(10), "reprice", Decimal("190.95")),  # 190 x 1.005
        (waiting(side="sell"), REPRICE, clock(10), "reprice", Decimal("189.05")),
        (waiting(reprices=2), REPRICE, clock(10), "cancel", None),
        (waiting(), StalePolicy(remainder="market"), clock(385), "market", None),
        (waiting(), StalePolicy(remainder="cancel"), clock(384), None, None),
        (waiting(status=OrderState.PARTIALLY_FILLED), StalePolicy(remainder="cancel"), clock(386), "cancel", None),
    ],
)
def test_what_is_due_of_a_waiting_order(
    order: Waiting, policy: StalePolicy, now: Clock, action: str | None, limit: Decimal | None
) -> None:
    found = due(order, policy, now)

    assert (found.action if found else None) == action
    assert (found.limit_price if found else None) == limit


@given(st.decimals("0.01", "5000", places=2), st.sampled_from(["buy", "sell"]), st.floats(0.1, 1000))
def test_a_new_limit_is_a_tick_nearer_at_least_and_on_the_grid(price: Decimal, side: Any, bps: float) -> None:
    policy = StalePolicy(after_minutes=1, action="reprice", reprice_bps=bps)
    found = due(waiting(side=side, limit_price=price), policy, clock(5))

    assert found is not None
    assert found.limit_price is not None
    assert on_grid(found.limit_price)
    assert found.limit_price > price if side == "buy" else found.limit_price < price
