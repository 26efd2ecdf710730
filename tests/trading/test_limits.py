from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from trading.limits import Book, Decision, Limits, ProposedOrder, validate

if TYPE_CHECKING:
    from trading.limits import TradingState
    from trading.orders import Side

WIDE = Limits(
    max_position_weight=4, max_order_notional=1e9, max_participation=1, max_gross_exposure=4, max_net_exposure=4
)


def order(
    side: Side, quantity: float, *, symbol: str = "IBM", price: float = 100.0, volume: float | None = 1e6, key: str = ""
) -> ProposedOrder:
    return ProposedOrder(key or f"{side} {symbol}", "mine", symbol, side, quantity, price, volume)


def book(**changes: Any) -> Book:
    return Book(**{"equity": 100_000.0, "buying_power": 200_000.0, **changes})


def one(proposed: ProposedOrder, held: Book, limits: Limits = WIDE, state: TradingState = "ACTIVE") -> Decision:
    (decision,) = validate([proposed], held, limits, state)
    return decision


def outcome(decision: Decision, name: str) -> str:
    return next(check.outcome for check in decision.checks if check.name == name)


def test_an_order_within_every_limit_is_approved_with_every_check() -> None:
    decision = one(order("buy", 100), book(), Limits())
    assert (decision.key, decision.verdict, decision.approved_quantity) == ("buy IBM", "approved", 100)
    assert {check.name for check in decision.checks} >= {"max_gross_exposure", "max_position_weight", "buying_power"}
    assert {check.outcome for check in decision.checks} == {"pass"}


@pytest.mark.parametrize(
    ("limits", "held", "shares", "decisive"),
    [
        ({"max_order_notional": 5_050.0}, {}, 50, "max_order_notional"),
        ({"max_position_weight": 0.3}, {"positions": {"IBM": 100}, "prices": {"IBM": 100}}, 200, "max_position_weight"),
        ({"max_gross_exposure": 1.0}, {"positions": {"GE": 9_000}, "prices": {"GE": 10}}, 100, "max_gross_exposure"),
        ({"max_net_exposure": 0.5}, {"positions": {"GE": 2_000}, "prices": {"GE": 10}}, 300, "max_net_exposure"),
        ({"max_participation": 0.0001}, {}, 100, "max_participation"),
        ({}, {"buying_power": 1_234.0}, 12, "buying_power"),
    ],
)
def test_an_order_is_cut_to_whole_shares_within_the_limit(
    limits: dict[str, Any], held: dict[str, Any], shares: int, decisive: str
) -> None:
    decision = one(order("buy", 1_000), book(**held), Limits.model_validate({**WIDE.model_dump(), **limits}))
    assert (decision.verdict, decision.approved_quantity) == ("reduced", shares)
    assert outcome(decision, decisive) == "reduce"


@pytest.mark.parametrize(
    ("proposed", "held", "decisive"),
    [
        (order("buy", 10, price=0.99), {}, "min_price"),
        (order("buy", 10, volume=None), {}, "max_participation"),
        (order("sell", 10), {}, "allow_short"),
        (order("buy", 10), {"open_order_count": 200}, "max_open_orders"),
        (order("buy", 10), {"buying_power": 99.0}, "buying_power"),
        (order("buy", math.nan), {}, "sane_figures"),
        (order("buy", 0), {}, "sane_figures"),
        (order("buy", 10, price=-5), {}, "sane_figures"),
        (order("buy", 10), {"equity": 0.0}, "sane_figures"),
        (order("buy", 10), {"positions": {"GE": 5}}, "sane_figures"),
        (order("buy", 10), {"open_orders": {"IBM": "sell"}}, "wash_trade"),
    ],
)
def test_an_order_that_may_not_be_is_rejected_with_a_sentence(
    proposed: ProposedOrder, held: dict[str, Any], decisive: str
) -> None:
    decision = one(proposed, book(**held))
    assert (decision.verdict, decision.approved_quantity) == ("rejected", 0)
    assert outcome(decision, decisive) == "reject"
    assert all(check.sentence for check in decision.checks)
    assert all(check.value is None or math.isfinite(check.value) for check in decision.checks)


@pytest.mark.parametrize("state", ["REDUCING", "HALTED"])
def test_only_reductions_pass_when_trading_is_not_active(state: TradingState) -> None:
    held = book(positions={"IBM": 50.0}, prices={"IBM": 100.0})
    assert one(order("buy", 1), held, WIDE, state).verdict == "rejected"
    assert one(order("sell", 50), held, WIDE, state).verdict == "approved"


def test_a_reduction_passes_limits_that_are_already_broken() -> None:
    held = book(positions={"IBM": 5_000.0}, prices={"IBM": 100.0}, buying_power=0.0)
    decision = one(order("sell", 4_000, volume=None, price=0.5), held, Limits(max_order_notional=1.0))
    assert decision.verdict == "approved"


def test_a_sale_beyond_the_position_closes_it_and_no_more() -> None:
    held = book(positions={"IBM": 30.0}, prices={"IBM": 100.0})
    decision = one(order("sell", 50), held)
    assert (decision.verdict, decision.approved_quantity) == ("reduced", 30)
    assert outcome(decision, "allow_short") == "reject"
    allowed = one(order("sell", 50), held, WIDE.model_copy(update={"allow_short": True}))
    assert allowed.approved_quantity == 50


def test_sales_are_decided_first_and_make_room() -> None:
    held = book(positions={"GE": 1_000.0}, prices={"GE": 100.0})
    tight = Limits(max_position_weight=1)
    bought, sold = validate([order("buy", 500), order("sell", 1_000, symbol="GE")], held, tight, "ACTIVE")
    assert (bought.verdict, bought.approved_quantity, sold.verdict) == ("approved", 500, "approved")


def test_orders_count_against_limits_one_after_another() -> None:
    decisions = validate([order("buy", 600, symbol=name) for name in ("A", "B", "C")], book(), Limits(), "ACTIVE")
    assert [decision.approved_quantity for decision in decisions] == [600, 400, 0]
    assert [decision.verdict for decision in decisions] == ["approved", "reduced", "rejected"]


def test_what_open_orders_may_still_fill_counts() -> None:
    decision = one(order("buy", 600), book(pending={"IBM": 500.0}, open_orders={"IBM": "buy"}), Limits())
    assert decision.approved_quantity == 100


def test_two_strategies_may_not_trade_with_each_other() -> None:
    held = book(positions={"IBM": 50.0}, prices={"IBM": 100.0})
    bought, sold = validate([order("buy", 10), order("sell", 20)], held, WIDE, "ACTIVE")
    assert (sold.verdict, bought.verdict) == ("approved", "rejected")
    assert "trade with ourselves" in bought.checks[0].sentence


def test_limits_out_of_order_are_refused() -> None:
    with pytest.raises(ValidationError, match="must not exceed max_drawdown"):
        Limits(reduce_drawdown=0.3, max_drawdown=0.2)


symbols = st.sampled_from(["A", "B", "C"])
orders = st.lists(
    st.builds(
        order,
        st.sampled_from(["buy", "sell"]),
        st.integers(1, 5_000),
        symbol=symbols,
        price=st.floats(0.5, 500),
        volume=st.none() | st.floats(0, 1e6),
    ),
    max_size=12,
)


@given(
    proposed=orders,
    positions=st.dictionaries(symbols, st.integers(-500, 500)),
    equity=st.floats(1_000, 1e6),
    buying_power=st.floats(0, 2e6),
)
def test_no_set_of_approvals_breaks_a_limit(
    proposed: list[ProposedOrder], positions: dict[str, int], equity: float, buying_power: float
) -> None:
    prices = {"A": 100.0, "B": 100.0, "C": 100.0}
    same_prices = [
        ProposedOrder(index, o.strategy, o.symbol, o.side, o.quantity, 100.0, o.average_volume)
        for index, o in enumerate(proposed)
    ]
    limits = Limits()
    decisions = validate(same_prices, Book(equity, buying_power, positions, prices), limits, "ACTIVE")
    assert [decision.key for decision in decisions] == list(range(len(proposed)))
    after = {name: float(positions.get(name, 0)) for name in prices}
    for item, decision in zip(same_prices, decisions, strict=True):
        assert 0 <= decision.approved_quantity <= item.quantity
        assert decision.approved_quantity == int(decision.approved_quantity)
        assert (decision.verdict == "rejected") == (decision.approved_quantity == 0)
        after[item.symbol] += decision.approved_quantity * (1 if item.side == "buy" else -1)
    for name, quantity in after.items():
        before = positions.get(name, 0)
        grew = abs(quantity) > abs(before) or quantity * before < 0
        assert not grew or (quantity >= 0 and quantity * 100 <= limits.max_position_weight * equity + 1e-6)
    gross_before = sum(abs(quantity) * 100 for quantity in positions.values())
    gross = sum(abs(quantity) * 100 for quantity in after.values())
    assert gross <= max(gross_before, limits.max_gross_exposure * equity) + 1e-6
