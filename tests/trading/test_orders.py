from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from trading.errors import InvalidValueError, UnknownNameError
from trading.orders import (
    FINAL,
    TRANSITIONS,
    WORKING,
    IllegalTransitionError,
    OrderEvent,
    OrderState,
    client_order_id,
    event_of,
    first_parts,
    next_state,
)

S, E = OrderState, OrderEvent
BAR = datetime(2012, 12, 3, 5, tzinfo=UTC)


def follow(*events: OrderEvent) -> OrderState:
    state = S.INTENT
    for event in events:
        state = next_state(state, event)
    return state


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ((E.ACCEPTED, E.NEW, E.PARTIAL_FILL, E.FILL), S.FILLED),
        ((E.PENDING_NEW, E.NEW, E.PENDING_CANCEL, E.CANCELED), S.CANCELED),
        ((E.NO_ANSWER, E.NO_ANSWER, E.FILL), S.FILLED),
        ((E.NO_ANSWER, E.ABSENT), S.REJECTED),
        ((E.WITHDRAWN,), S.CANCELED),
        ((E.REJECTED,), S.REJECTED),
        ((E.NEW, E.PENDING_CANCEL, E.PARTIAL_FILL), S.PENDING_CANCEL),
        ((E.NEW, E.PENDING_CANCEL, E.CANCEL_REJECTED), S.NEW),
        ((E.NEW, E.CANCELED, E.PARTIAL_FILL), S.CANCELED),
        ((E.NEW, E.CANCELED, E.FILL), S.FILLED),
        ((E.NEW, E.EXPIRED, E.FILL), S.FILLED),
        ((E.NEW, E.PARTIAL_FILL, E.NEW), S.PARTIALLY_FILLED),
        ((E.NEW, E.FILL, E.FILL, E.PARTIAL_FILL, E.NEW), S.FILLED),
        ((E.NEW, E.PENDING_REPLACE, E.REPLACED), S.REPLACED),
        ((E.NEW, E.DONE_FOR_DAY, E.NEW), S.NEW),
    ],
)
def test_lives_of_orders(events: tuple[OrderEvent, ...], state: OrderState) -> None:
    assert follow(*events) is state


@pytest.mark.parametrize(
    ("events", "illegal"),
    [
        ((E.NEW, E.FILL), E.CANCELED),
        ((E.NEW, E.CANCELED), E.EXPIRED),
        ((E.REJECTED,), E.FILL),
        ((E.NEW, E.PARTIAL_FILL), E.REJECTED),
        ((E.NEW,), E.WITHDRAWN),
        ((E.NEW,), E.NO_ANSWER),
        ((E.NEW,), E.ABSENT),
    ],
)
def test_what_cannot_be_is_refused(events: tuple[OrderEvent, ...], illegal: OrderEvent) -> None:
    with pytest.raises(IllegalTransitionError, match=f"cannot have event {illegal}"):
        next_state(follow(*events), illegal)


def test_the_table_covers_every_state_of_alpaca() -> None:
    assert set(TRANSITIONS) == set(OrderState)
    assert len(set(OrderState) - {S.INTENT, S.UNKNOWN}) == 17
    assert FINAL.isdisjoint(WORKING)


@given(st.sampled_from(OrderState), st.sampled_from(OrderEvent))
def test_an_event_twice_is_an_event_once(state: OrderState, event: OrderEvent) -> None:
    if event not in TRANSITIONS[state]:
        return
    after = next_state(state, event)
    if event in TRANSITIONS[after]:
        assert next_state(after, event) is after


def test_every_polled_status_has_an_event() -> None:
    for state in set(OrderState) - {S.INTENT, S.UNKNOWN}:
        assert follow(event_of(state.value)) is state
    with pytest.raises(UnknownNameError, match="unknown order status 'fileld'; did you mean 'filled'"):
        event_of("fileld")
    with pytest.raises(UnknownNameError):
        event_of("intent")


class OrderLife(RuleBasedStateMachine):
    """Random events, duplicated and out of order, against what must hold of every order."""

    def __init__(self) -> None:
        super().__init__()
        self.state = S.INTENT
        self.seen_final: OrderState | None = None

    @rule(event=st.sampled_from(OrderEvent), times=st.integers(1, 3))
    def happen(self, event: OrderEvent, times: int) -> None:
        for _ in range(times):
            try:
                self.state = next_state(self.state, event)
            except IllegalTransitionError:
                assert event not in TRANSITIONS[self.state]
        if self.state in FINAL and self.seen_final is None:
            self.seen_final = self.state

    @invariant()
    def final_is_final_but_for_late_fills(self) -> None:
        if self.seen_final in {S.FILLED, S.REJECTED}:
            assert self.state is self.seen_final
        elif self.seen_final is not None:
            assert self.state in {self.seen_final, S.FILLED}

    @invariant()
    def an_intent_never_comes_back(self) -> None:
        if self.seen_final:
            assert self.state in FINAL


TestOrderLife = OrderLife.TestCase


def identity(**changes: Any) -> str:
    arguments: dict[str, Any] = {
        "account": "PA1",
        "strategy": "sma_crossover",
        "version": "0051bee92df9",
        "bar_ts": BAR,
        "symbol": "BRK.B",
        "side": "buy",
    }
    return client_order_id(**{**arguments, **changes})


def test_an_order_id_is_readable_and_the_same_every_time() -> None:
    found = identity()
    assert found.startswith("sma.crossover-BRK.B-buy-20121203T0500-0-")
    assert found == identity(bar_ts=BAR.astimezone(timezone(timedelta(hours=-5))))


@pytest.mark.parametrize(
    "change",
    [
        {"account": "PA2"},
        {"strategy": "sma-crossover"},
        {"version": "1"},
        {"bar_ts": BAR + timedelta(seconds=1)},
        {"symbol": "BRK.A"},
        {"side": "sell"},
        {"sequence": 1},
    ],
)
def test_every_part_of_a_decision_makes_another_id(change: dict[str, Any]) -> None:
    assert identity(**change) != identity()


@given(st.text(max_size=300), st.text(max_size=50), st.integers(0, 10**6))
def test_any_names_make_an_id_that_alpaca_takes(strategy: str, symbol: str, sequence: int) -> None:
    found = identity(strategy=strategy, symbol=symbol, sequence=sequence)
    assert len(found) <= 128
    assert all(letter.isascii() and (letter.isalnum() or letter in ".-") for letter in found)


def test_a_bar_without_a_zone_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="bar_ts"):
        identity(bar_ts=BAR.replace(tzinfo=None))


@pytest.mark.parametrize(
    ("held", "under_way", "changes", "parts"),
    [
        (100, 0, [-150], [100]),
        (-30, 0, [80], [30]),
        (100, 0, [-40], [40]),
        (100, 0, [50], [50]),
        (0, 0, [-50], [50]),
        (100, 0, [-100, -50], [100, 0]),  # another strategy's short sale waits for the first one's exit
        (150, 0, [-100, -100], [100, 50]),
        (100, -100, [-50], [0]),  # the exit is under way
        (100, -30, [-120], [70]),
    ],
)
def test_no_order_is_larger_than_the_position_it_closes(
    held: int, under_way: int, changes: list[int], parts: list[int]
) -> None:
    asked = [("A", Decimal(change)) for change in changes]
    found = first_parts(asked, {"A": Decimal(held)}, {"A": Decimal(under_way)})
    assert found == [Decimal(part) for part in parts]


@given(st.integers(-500, 500), st.lists(st.integers(1, 400), max_size=6), st.sampled_from([1, -1]))
def test_orders_of_one_side_together_never_go_through_zero(held: int, sizes: list[int], sign: int) -> None:
    changes = [("A", Decimal(sign * size)) for size in sizes]
    parts = first_parts(changes, {"A": Decimal(held)}, {})
    assert all(0 <= part <= abs(change) for part, (_, change) in zip(parts, changes, strict=True))
    if held * sign < 0:
        assert sum(parts) == min(abs(held), sum(sizes))
    else:
        assert sum(parts) == sum(sizes)
