from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.books import Order
from simulator.market import Bar
from simulator.matching import fill_quantity, price_at_close, price_at_open

D = Decimal

NOW = datetime(2012, 12, 3, 13, tzinfo=UTC)
BAR = Bar(open=D(100), high=D(105), low=D(95), close=D(102), volume=1000)


def order(**fields: Any) -> Order:
    plain: dict[str, Any] = {
        "id": "1",
        "client_order_id": "c",
        "sequence": 1,
        "symbol": "X",
        "side": "buy",
        "type": "limit" if "limit_price" in fields else "market",
        "time_in_force": "day",
        "qty": D(1),
        "notional": None,
        "limit_price": None,
        "extended_hours": False,
        "position_intent": "buy_to_open",
        "reserved": D(0),
        "status": "accepted",
        "submitted_at": NOW,
        "updated_at": NOW,
        "expires_at": NOW,
    }
    return Order.model_validate({**plain, **fields})


def test_a_market_order_takes_the_open() -> None:
    assert price_at_open(order(), BAR.open) == D(100)


@pytest.mark.parametrize(
    ("side", "limit", "price"),
    [("buy", 101, 100), ("buy", 100, 100), ("buy", 99, None), ("sell", 99, 100), ("sell", 101, None)],
)
def test_a_gap_through_the_limit_fills_at_the_open(side: str, limit: int, price: int | None) -> None:
    assert price_at_open(order(side=side, limit_price=D(limit)), BAR.open) == price


@pytest.mark.parametrize(
    ("side", "limit", "price"),
    [("buy", 96, 96), ("buy", 95, 95), ("buy", 94, None), ("sell", 104, 104), ("sell", 105, 105), ("sell", 106, None)],
)
def test_the_range_of_the_session_reaches_the_limit(side: str, limit: int, price: int | None) -> None:
    assert price_at_close(order(side=side, limit_price=D(limit)), BAR, whole_session=True) == price


@pytest.mark.parametrize(
    ("side", "limit", "price"),
    [("buy", 103, 102), ("buy", 102, 102), ("buy", 101, None), ("sell", 101, 102), ("sell", 103, None)],
)
def test_a_limit_placed_in_the_session_sees_only_the_close(side: str, limit: int, price: int | None) -> None:
    assert price_at_close(order(side=side, limit_price=D(limit)), BAR, whole_session=False) == price


def test_a_market_order_placed_in_the_session_takes_the_close() -> None:
    assert price_at_close(order(), BAR, whole_session=False) == D(102)


def test_auction_orders_take_their_own_auction_only() -> None:
    assert price_at_open(order(time_in_force="cls"), BAR.open) is None
    assert price_at_close(order(time_in_force="cls"), BAR, whole_session=True) == D(102)
    assert price_at_open(order(time_in_force="opg"), BAR.open) == D(100)
    assert price_at_close(order(time_in_force="opg"), BAR, whole_session=True) is None


def test_a_limit_on_close_never_fills_inside_the_range() -> None:
    assert price_at_close(order(time_in_force="cls", limit_price=D(96)), BAR, whole_session=True) is None


def test_a_notional_buys_shares_rounded_down_to_nine_decimals() -> None:
    assert fill_quantity(order(qty=None, notional=D(100)), D(3)) == D("33.333333333")


cents = st.integers(1, 100_000).map(lambda value: D(value) / 100)


@given(st.tuples(cents, cents, cents, cents), cents, st.sampled_from(["buy", "sell"]), st.booleans())
def test_no_fill_is_worse_than_its_limit_or_outside_the_bar(
    prices: tuple[D, D, D, D], limit: D, side: str, whole: bool
) -> None:
    low, *middle, high = sorted(prices)
    bar = Bar(middle[0], high, low, middle[1], 1)
    asked = order(side=side, limit_price=limit)
    for price in (price_at_open(asked, bar.open), price_at_close(asked, bar, whole_session=whole)):
        if price is not None:
            assert low <= price <= high
            assert price <= limit if side == "buy" else price >= limit
