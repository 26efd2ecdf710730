from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from simulator.books import Position, after_trade

D = Decimal


def trade(position: Position | None, qty: int, price: int) -> Position | None:
    return after_trade(position, symbol="X", qty=D(qty), price=D(price))


def test_buying_more_averages_the_cost() -> None:
    position = trade(trade(None, 10, 100), 30, 120)
    assert position is not None
    assert (position.qty, position.average) == (D(40), D(115))


def test_selling_some_keeps_the_average() -> None:
    position = trade(trade(None, 10, 100), -4, 150)
    assert position is not None
    assert (position.qty, position.cost, position.average) == (D(6), D(600), D(100))


def test_selling_all_is_flat() -> None:
    assert trade(trade(None, 10, 100), -10, 150) is None


def test_a_short_position_has_negative_cost() -> None:
    position = trade(None, -10, 100)
    assert position is not None
    assert (position.qty, position.cost, position.average) == (D(-10), D(-1000), D(100))


def test_going_through_zero_starts_anew() -> None:
    position = trade(trade(None, 10, 100), -15, 150)
    assert position is not None
    assert (position.qty, position.average) == (D(-5), D(150))


@given(st.lists(st.tuples(st.integers(-50, 50).filter(bool), st.integers(1, 500)), max_size=30))
def test_quantities_add_up_whatever_the_order_of_trades(trades: list[tuple[int, int]]) -> None:
    position: Position | None = None
    for qty, price in trades:
        position = trade(position, qty, price)
    held = D(0) if position is None else position.qty
    assert held == sum(qty for qty, _ in trades)
    if position is not None:
        prices = [price for _, price in trades]
        assert min(prices) - D("1e-9") <= position.average <= max(prices) + D("1e-9")
