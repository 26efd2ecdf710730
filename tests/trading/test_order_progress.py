from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from trading.broker import BrokerOrder
from trading.order_progress import Known, step
from trading.orders import FINAL, OrderState

S = OrderState
START = datetime(2012, 12, 3, 14, 30, tzinfo=UTC)
TEN = Decimal(10)


def report(status: str, filled: int = 0, *, second: int = 0, quantity: Decimal = TEN) -> BrokerOrder:
    at = START + timedelta(seconds=second)
    return BrokerOrder(
        "b1", "c1", "IBM", "buy", "market", "day", quantity, None, status, Decimal(filled), None, START, at
    )


def known(status: OrderState = S.NEW, filled: int = 0, *, second: int | None = None) -> Known:
    at = None if second is None else START + timedelta(seconds=second)
    return Known(status, TEN, Decimal(filled), at)


def test_the_same_report_has_the_same_key_and_another_has_another() -> None:
    one = step(known(), report("partially_filled", 3))

    assert one.key == step(known(S.PARTIALLY_FILLED, 3), report("partially_filled", 3)).key
    assert one.key != step(known(), report("partially_filled", 4)).key


def test_a_report_that_comes_late_moves_nothing_back() -> None:
    late = step(known(S.PARTIALLY_FILLED, 7, second=9), report("partially_filled", 3, second=5))

    assert (late.status, late.filled, late.newest) == (S.PARTIALLY_FILLED, Decimal(7), False)


def test_a_late_report_of_a_working_state_does_not_undo_a_cancel_that_is_under_way() -> None:
    assert step(known(S.PENDING_CANCEL, second=9), report("new", second=5)).status is S.PENDING_CANCEL


def test_a_final_state_counts_however_late_it_is_told() -> None:
    late = step(known(S.PARTIALLY_FILLED, 5, second=9), report("canceled", 3, second=8))

    assert (late.status, late.filled) == (S.CANCELED, Decimal(5))


@pytest.mark.parametrize(
    ("before", "seen", "why"),
    [
        (known(), report("partially_filled", 11), "filled 11 of 10 shares"),
        (known(), report("filled", 9), "calls it filled with 9 of 10"),
        (known(), report("fileld", 1), "unknown order status 'fileld'"),
        (known(S.FILLED, 10), report("canceled", 10), "cannot have event canceled"),
        (known(), replace(report("new"), filled_quantity=Decimal(-1)), "-1 filled shares"),
    ],
)
def test_a_report_that_cannot_be_true_is_a_problem_and_changes_nothing(
    before: Known, seen: BrokerOrder, why: str
) -> None:
    found = step(before, seen)

    assert found.problem is not None
    assert why in found.problem
    assert (found.status, found.filled) == (before.status, before.filled)


def test_an_order_by_amount_is_filled_with_whatever_shares_it_bought() -> None:
    found = step(Known(S.NEW, None, Decimal(0)), report("filled", 3, quantity=Decimal(3)))

    assert (found.status, found.problem) == (S.FILLED, None)


class Delivery(RuleBasedStateMachine):
    """A broker that works an order, and a wire that delivers its reports in any order, any number of times."""

    def __init__(self) -> None:
        super().__init__()
        self.second = 0
        self.status, self.filled = "new", 0
        self.sent: list[BrokerOrder] = [report("new")]
        self.books = Known(S.INTENT, TEN, Decimal(0))
        self.keys: set[str] = set()
        self.applied = 0
        self.ended: OrderState | None = None
        self.most = Decimal(0)

    def tell(self) -> None:
        self.second += 1
        self.sent.append(report(self.status, self.filled, second=self.second))

    def open(self) -> bool:
        return self.status in {"new", "partially_filled", "pending_cancel"}

    @precondition(lambda self: self.status != "filled" and self.filled < 10)
    @rule(shares=st.integers(1, 10))
    def fill(self, shares: int) -> None:
        self.filled = min(10, self.filled + shares)
        if self.filled == 10:
            self.status = "filled"
        elif self.status == "new":
            self.status = "partially_filled"
        self.tell()  # of a cancelled order: a late fill

    @precondition(lambda self: self.open())
    @rule(status=st.sampled_from(["pending_cancel", "canceled", "expired"]))
    def change(self, status: str) -> None:
        self.status = status
        self.tell()

    @rule(data=st.data(), times=st.integers(1, 3))
    def deliver(self, data: Any, times: int) -> None:
        for _ in range(times):
            self.take(data.draw(st.sampled_from(self.sent)))

    def take(self, seen: BrokerOrder) -> None:
        found = step(self.books, seen)
        assert found.problem is None, found.problem
        if found.key in self.keys:
            return  # the books write each report once
        self.keys.add(found.key)
        newest = seen.updated_at if found.newest else self.books.seen_at
        self.books = Known(found.status, TEN, found.filled, newest)
        if self.books.status in FINAL and self.ended is None:
            self.ended = self.books.status

    @invariant()
    def shares_are_never_unfilled_nor_invented(self) -> None:
        assert self.most <= self.books.filled <= self.filled
        self.most = self.books.filled

    @invariant()
    def what_ended_stays_ended(self) -> None:
        if self.ended is not None:
            assert self.books.status in {self.ended, S.FILLED}
            assert self.ended is not S.FILLED or self.books.status is S.FILLED

    def teardown(self) -> None:
        """Once everything was delivered, in whatever order, the books say what the broker says."""
        for seen in self.sent:
            self.take(seen)
        assert self.books.filled == self.filled
        assert self.books.status == self.status


TestDelivery = Delivery.TestCase
TestDelivery.settings = settings(max_examples=150, stateful_step_count=25, deadline=None)
