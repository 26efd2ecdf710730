from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.books import Order
from simulator.market import Bar
from simulator.matching.prices import session_path, touch, trailed, wanted

D = Decimal

NOW = datetime(2012, 12, 3, 13, tzinfo=UTC)


def order(**fields: Any) -> Order:
    kind = {(False, False): "market", (True, False): "limit", (False, True): "stop", (True, True): "stop_limit"}
    plain: dict[str, Any] = {
        "id": "1",
        "client_order_id": "c",
        "sequence": 1,
        "symbol": "X",
        "side": "buy",
        "type": kind["limit_price" in fields, "stop_price" in fields],
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


def bar(opened: int, high: int, low: int, close: int) -> Bar:
    return Bar(D(opened), D(high), D(low), D(close), 1000)


@pytest.mark.parametrize(
    ("opened", "high", "low", "path"),
    [(100, 103, 95, (100, 103, 95, 98)), (100, 105, 98, (100, 98, 105, 98)), (100, 102, 98, (100, 102, 98, 98))],
)
def test_the_nearer_extreme_comes_first(opened: int, high: int, low: int, path: tuple[int, ...]) -> None:
    assert [int(price) for price in session_path(bar(opened, high, low, 98))] == list(path)


@pytest.mark.parametrize(
    ("side", "limit", "start", "end", "price"),
    [
        ("buy", 101, 100, 95, 100),
        ("buy", 96, 100, 95, 96),
        ("buy", 95, 100, 95, 95),
        ("buy", 94, 100, 95, None),
        ("buy", 99, 100, 105, None),
        ("sell", 99, 100, 105, 100),
        ("sell", 104, 100, 105, 104),
        ("sell", 106, 100, 105, None),
    ],
)
def test_a_limit_acts_at_the_start_or_where_it_is_reached(
    side: str, limit: int, start: int, end: int, price: int | None
) -> None:
    assert touch(order(side=side, limit_price=D(limit)), D(start), D(end)) == price


@pytest.mark.parametrize(
    ("side", "stop", "start", "end", "price"),
    [
        ("buy", 104, 100, 105, 104),
        ("buy", 99, 100, 105, 100),
        ("buy", 106, 100, 105, None),
        ("sell", 96, 100, 95, 96),
        ("sell", 101, 100, 95, 100),
        ("sell", 94, 100, 95, None),
    ],
)
def test_a_stop_acts_where_it_is_reached_and_a_gap_at_the_start(
    side: str, stop: int, start: int, end: int, price: int | None
) -> None:
    assert touch(order(side=side, stop_price=D(stop)), D(start), D(end)) == price


def test_a_trailing_stop_follows_the_best_price_and_never_goes_back() -> None:
    sell = order(side="sell", type="trailing_stop", trail_percent=D(10), hwm=D(100))
    assert sell.stop == D(90)
    assert trailed(sell, D(110)) == D(110)
    assert trailed(sell, D(95)) == D(100)
    buy = order(side="buy", type="trailing_stop", trail_price=D("2.50"), hwm=D(100))
    assert buy.stop == D("102.50")
    assert trailed(buy, D(95)) == D(95)


def test_a_notional_buys_shares_rounded_down_to_nine_decimals() -> None:
    assert wanted(order(qty=None, notional=D(100)), D(3)) == D("33.333333333")


def test_what_was_filled_is_not_wanted_again() -> None:
    assert wanted(order(qty=D(10), filled_qty=D(4), filled_avg_price=D(3)), D(3)) == D(6)
    partly = order(qty=None, notional=D(100), filled_qty=D(10), filled_avg_price=D(4))
    assert wanted(partly, D(3)) == D(20)


cents = st.integers(1, 100_000).map(lambda value: D(value) / 100)


@given(cents, cents, cents, st.sampled_from(["buy", "sell"]))
def test_a_limit_never_acts_beyond_its_price_or_outside_the_way(start: D, end: D, limit: D, side: str) -> None:
    price = touch(order(side=side, limit_price=limit), start, end)
    if price is not None:
        assert min(start, end) <= price <= max(start, end)
        assert price <= limit if side == "buy" else price >= limit


@given(cents, cents, cents, st.sampled_from(["buy", "sell"]))
def test_a_stop_never_acts_before_its_price_or_outside_the_way(start: D, end: D, stop: D, side: str) -> None:
    price = touch(order(side=side, stop_price=stop), start, end)
    if price is not None:
        assert min(start, end) <= price <= max(start, end)
        assert price >= stop if side == "buy" else price <= stop
