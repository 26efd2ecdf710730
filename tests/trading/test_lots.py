from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.lots import UNIT, Lot, apportion, exact, rounded, split_lots, trade_lots

D = Decimal
AT = datetime(2014, 6, 9, 13, 30, tzinfo=UTC)


def lot(quantity: str, price: str) -> Lot:
    return Lot(AT, D(quantity), D(quantity) * D(price))


def test_the_oldest_shares_are_sold_first() -> None:
    # 15 of 10 at 100 and 10 at 110 are sold at 120: 10 * 20 + 5 * 10 = 250
    lots, realised = trade_lots((lot("10", "100"), lot("10", "110")), lot("-15", "120"))
    assert lots == (Lot(AT, D(5), D(550)),)
    assert realised == 250


def test_a_short_lot_gains_what_it_brought_less_what_it_costs_to_buy_back() -> None:
    lots, realised = trade_lots((lot("-10", "100"),), lot("4", "90"))
    assert lots == (Lot(AT, D(-6), D(-600)),)
    assert realised == 40


def test_what_goes_through_zero_opens_a_lot_the_other_way() -> None:
    lots, realised = trade_lots((lot("10", "100"),), lot("-15", "90"))
    assert lots == (Lot(AT, D(-5), D(-450)),)
    assert realised == -100


def test_a_split_leaves_the_cost_alone() -> None:
    # AAPL, 2014-06-09, 7 for 1
    lots, lost = split_lots((lot("10", "645.57"), lot("1", "600")), D(7), D(77))
    assert [(one.quantity, one.cost) for one in lots] == [(D(70), D("6455.70")), (D(7), D(600))]
    assert lost == 0


def test_the_cost_of_a_lot_that_vanishes_goes_to_the_next_one() -> None:
    lots, lost = split_lots((lot("0.000000001", "1000000000"), lot("10", "5")), D("0.1"), D(1))
    assert [(one.quantity, one.cost) for one in lots] == [(D(1), D(51))]
    assert lost == 0
    assert split_lots((lot("0.000000001", "1000000000"),), D("0.1"), D(0)) == ((), D(1))


@pytest.mark.parametrize(
    ("stored", "shares", "new"),
    [("0.333333333333", 300, "100"), ("0.1", 25, "2.5"), ("1.5", 7, "10.5"), ("0.035714285714", 28, "1")],
)
def test_a_ratio_that_was_stored_rounded_is_the_fraction_it_means(stored: str, shares: int, new: str) -> None:
    assert exact(D(shares), D(stored)) == D(new)


@given(st.lists(st.decimals(-1000, 1000, places=12), min_size=1, max_size=8))
def test_parts_are_rounded_by_less_than_a_unit_and_add_up_to_the_rounded_sum(parts: list[Decimal]) -> None:
    found = apportion(parts)
    assert sum(found) == rounded(sum(parts, D(0)))
    assert all(abs(new - old) < UNIT for new, old in zip(found, parts, strict=True))
