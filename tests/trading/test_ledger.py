from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.adjustment import share_of_value
from trading.errors import InvalidValueError
from trading.fills import Fill, round_trips
from trading.ledger import Books, Event, received, replay, replay_together
from trading.lots import UNIT, rounded

if TYPE_CHECKING:
    import random

D = Decimal
START = datetime(2014, 6, 2, 13, 30, tzinfo=UTC)
SLACK = D("0.000000000001")


def on(day: int) -> datetime:
    return START + timedelta(days=day)


def trade(shares: str, price: str, *, day: int = 0, strategy: str = "a", key: str | None = None) -> Event:
    name = key or f"{strategy} {shares} {price} {day}"
    return Event("trade", name, on(day), strategy, shares=D(shares), price=D(price))


def split(ratio: str, day: int) -> Event:
    return Event("split", f"split {day}", on(day), ratio=D(ratio))


def dividend(rate: str, day: int) -> Event:
    return Event("dividend", f"dividend {day}", on(day), rate=D(rate))


def in_lieu(shares: str, price: str, day: int) -> Event:
    return Event("cash_in_lieu", f"in lieu {day}", on(day), shares=D(shares), price=D(price))


def quantities(books: Books) -> dict[str, Decimal]:
    return {name: holding.position.quantity for name, holding in books.holdings.items()}


def test_a_forward_split_multiplies_shares_and_divides_their_cost() -> None:
    # AAPL closed at 645.57 on 2014-06-06 and split 7 for 1: a seventh is 92.2242857...
    books = replay("AAPL", [trade("10", "645.57"), split("7", 5), trade("-70", "93.70", day=6)])
    held = books.holdings["a"]
    assert books.effects["a", "split 5"].quantity == 60
    assert held.position.quantity == 0
    assert held.lots == ()
    assert held.fifo_realised == D("103.30")  # 70 * 93.70 - 10 * 645.57
    assert abs(held.position.realised_pnl - D("103.30")) < SLACK


def test_the_fraction_of_a_reverse_split_is_sold_for_cash() -> None:
    # Citigroup, 2011-05-09, 1 for 10: of 125 shares at 4.52 12.5 are left, and the half is paid at 44.16
    books = replay("C", [trade("125", "4.52"), split("0.1", 5), in_lieu("0.5", "44.16", 5)])
    held = books.holdings["a"]
    assert held.position.quantity == 12
    assert held.position.average_cost == D("45.2")
    assert held.position.realised_pnl == D("-0.52")  # 0.5 * (44.16 - 45.20)
    assert books.effects["a", "in lieu 5"].cash == D("22.08")


def test_holders_receive_a_dividend_and_the_short_pay_it() -> None:
    books = replay(
        "IBM", [trade("10", "190"), trade("-4", "190", strategy="b"), dividend("0.85", 3), trade("5", "1", day=3)]
    )
    assert books.holdings["a"].income == D("8.50")
    assert books.holdings["b"].income == D("-3.40")


def test_a_dividend_is_per_share_after_the_split_of_the_same_day() -> None:
    books = replay("X", [trade("10", "100"), dividend("0.5", 3), split("2", 3)])
    assert books.holdings["a"].income == 10


def test_shares_bought_on_the_ex_date_have_no_claim() -> None:
    ex_date = START.replace(hour=4) + timedelta(days=3)  # midnight in New York
    paid = Event("dividend", "d", ex_date, rate=D(1))
    assert replay("X", [trade("10", "100", day=3), paid]).holdings["a"].income == 0
    assert replay("X", [trade("10", "100", day=2), paid]).holdings["a"].income == 10


def test_an_action_on_shares_of_several_strategies_divides_exactly() -> None:
    # 1 for 3 of 10, 10 and 11 shares: 31 / 3 = 10.333333333 in all, of which 3.333333333 1/3 and 3.666666666 2/3
    held = [trade("10", "9", strategy="a"), trade("10", "9", strategy="b"), trade("11", "9", strategy="c")]
    books = replay("X", [*held, split("0.333333333333", 1)])
    assert quantities(books) == {"a": D("3.333333333"), "b": D("3.333333333"), "c": D("3.666666667")}
    assert books.total == D("10.333333333")

    paid = replay("X", [*held, split("0.333333333333", 1), in_lieu("0.333333333", "27", 1)])
    assert paid.total == 10
    # pro rata: 0.333333333 * (10, 10, 11) / 31
    assert quantities(paid) == {"a": D("3.225806451"), "b": D("3.225806452"), "c": D("3.548387097")}


def test_only_the_side_of_the_account_gives_up_fractions() -> None:
    held = [trade("5", "10", strategy="long"), trade("-2", "10", strategy="short"), in_lieu("0.5", "10", 1)]
    assert quantities(replay("X", held)) == {"long": D("4.5"), "short": D(-2)}


def test_an_adjustment_is_a_trade_without_a_fill() -> None:
    change = Event("adjustment", "k", on(2), "a", shares=D("-0.001"), price=D(100))
    held = replay("X", [trade("1", "100"), change]).holdings["a"]
    assert (held.position.quantity, held.position.realised_pnl, held.lots[0].quantity) == (D("0.999"), D(0), D("0.999"))


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("split", {"ratio": D(0)}),
        ("split", {"ratio": D("NaN")}),
        ("dividend", {"rate": D(-1)}),
        ("cash_in_lieu", {"shares": D(0)}),
        ("trade", {"shares": D(0), "price": D(1)}),
        ("trade", {"shares": D(1), "price": D("Infinity")}),
        ("adjustment", {"shares": D("NaN"), "price": D(1)}),
    ],
)
def test_impossible_events_are_refused(kind: Any, values: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueError, match="k"):
        Event(kind, "k", START, "a", **values)


def test_more_cash_in_lieu_than_shares_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="at most the 2 shares held"):
        replay("X", [trade("2", "1"), in_lieu("3", "1", 1)])


def test_first_in_first_out_by_hand() -> None:
    """Buy 10 at 100, 10 at 110; sell 15 at 120; split 2 for 1; sell 4 at 65; sell 16 at 50 and so 10 short."""
    books = replay(
        "X",
        [
            trade("10", "100", day=0),
            trade("10", "110", day=1),
            trade("-15", "120", day=2),  # 10 * 20 + 5 * 10 = 250; 5 at 110 left
            split("2", 3),  # 10 at 55
            trade("-4", "65", day=4),  # 4 * 10 = 40; 6 at 55 left
            trade("-16", "50", day=5),  # 6 * -5 = -30; 10 short at 50
        ],
    )
    held = books.holdings["a"]
    assert held.fifo_realised == 260
    assert [(lot.quantity, lot.cost) for lot in held.lots] == [(D(-10), D(-500))]
    # at average cost: 15 * (120 - 105) = 225; 5 at 105 are 10 at 52.5; 4 * 12.5 = 50; 6 * -2.5 = -15
    assert held.position.realised_pnl == 260


trades = st.lists(
    st.builds(
        trade,
        st.one_of(st.decimals("0.001", 900, places=3), st.decimals(-900, "-0.001", places=3)).map(str),
        st.decimals("0.01", 900, places=2).map(str),
        day=st.integers(0, 60),
        strategy=st.sampled_from(["a", "b", "c"]),
        key=st.uuids().map(str),
    ),
    max_size=20,
)
actions = st.lists(
    st.one_of(
        st.builds(split, st.sampled_from(["2", "7", "0.1", "0.333333333333", "1.5"]), st.integers(0, 60)),
        st.builds(dividend, st.decimals("0.01", 5, places=2).map(str), st.integers(0, 60)),
    ),
    max_size=4,
    unique_by=lambda event: event.key,
)


@given(trades, actions, st.randoms())
def test_the_books_depend_on_neither_order_nor_repetition(
    done: list[Event], known: list[Event], chance: random.Random
) -> None:
    events = [*done, *known]
    again = events + chance.sample(events, len(events) // 2)
    chance.shuffle(again)
    assert replay("X", again) == replay("X", events)


@given(trades, actions)
def test_lots_add_up_to_positions_and_profit_to_cash_flow_and_value(done: list[Event], known: list[Event]) -> None:
    books = replay("X", [*done, *known])
    price = D("123.45")
    for name, held in books.holdings.items():
        assert sum((lot.quantity for lot in held.lots), D(0)) == held.position.quantity
        cash = sum((effect.cash for (who, _), effect in books.effects.items() if who == name), D(0))
        worth = cash + held.position.quantity * price
        fifo = held.fifo_realised + sum((lot.quantity * price - lot.cost for lot in held.lots), D(0))
        average = held.position.realised_pnl + held.position.unrealised_pnl(price)
        assert abs(fifo + held.income - worth) < D("1e-12")
        assert abs(average + held.income - worth) < D("1e-12")


@given(trades, st.sampled_from(["2", "7", "0.1", "0.333333333333", "1.5"]))
def test_a_split_of_the_whole_is_the_sum_of_the_splits_of_the_parts(done: list[Event], ratio: str) -> None:
    before = replay("X", done).total
    after = replay("X", [*done, split(ratio, 100)]).total
    meant = {"0.333333333333": before / 3}.get(ratio, before * D(ratio))
    assert after == rounded(meant)
    assert abs(after - meant) <= UNIT / 2


@given(trades)
def test_first_in_first_out_is_what_round_trips_say(done: list[Event]) -> None:
    own = [event for event in done if event.strategy == "a"]
    ordered = sorted(own, key=lambda event: (event.at, event.key))
    fills = [
        Fill("X", "buy" if event.shares > 0 else "sell", abs(event.shares), event.price, event.at) for event in ordered
    ]
    pnl = sum((trip.pnl for trip in round_trips(fills)), D(0))
    held = replay("X", own).holdings.get("a")
    assert abs((held.fifo_realised if held else D(0)) - pnl) < D("1e-12")


def spin_off(ratio: str, share: str, day: int = 30) -> Event:
    return Event("spin_off", "off", on(day), ratio=D(ratio), share=D(share), new_symbol="Y")


def rename(day: int, new: str = "Y") -> Event:
    return Event("rename", f"to {new}", on(day), new_symbol=new)


def test_a_spin_off_divides_the_cost_by_what_the_shares_are_worth() -> None:
    # half a share at 32 beside a parent at 84: 16 of 100, so that 16 % of what 10 + 20 shares cost is Y's
    share = D(str(share_of_value(84.0, 32.0, 0.5)))
    events = [trade("10", "90"), trade("20", "75", day=1), spin_off("0.5", str(share), 2)]
    books = replay_together({"X": events, "Y": [trade("-5", "40", day=3)]})

    parent, new = books["X"].holdings["a"], books["Y"].holdings["a"]
    assert (parent.position.quantity, parent.position.average_cost) == (D(30), D("67.2"))  # 84 % of 80
    assert [(lot.quantity, lot.cost) for lot in parent.lots] == [(D(10), D(756)), (D(20), D(1260))]
    assert (new.position.quantity, new.position.average_cost) == (D(10), D("25.6"))  # 384 over 15
    assert new.position.realised_pnl == 5 * (D(40) - D("25.6"))
    assert [(lot.quantity, lot.cost) for lot in new.lots] == [(D(10), D(240))]  # 144 for the first five, sold at 200
    assert new.fifo_realised == 200 - 144
    assert books["Y"].effects["a", received("off", "Y")].quantity == 15


def test_a_rename_takes_shares_and_cost_along() -> None:
    books = replay_together(
        {"X": [trade("10", "90"), trade("-4", "100", day=1), rename(2)], "Y": [trade("-6", "120", day=3)]}
    )
    assert (books["X"].holdings["a"].position.quantity, books["X"].holdings["a"].lots) == (D(0), ())
    assert (books["X"].holdings["a"].position.realised_pnl, books["X"].holdings["a"].fifo_realised) == (D(40), D(40))
    assert (books["Y"].holdings["a"].position.quantity, books["Y"].holdings["a"].position.realised_pnl) == (
        D(0),
        D(180),
    )


def test_fractions_of_a_spin_off_are_sold_for_cash() -> None:
    events = {"X": [trade("5", "100"), spin_off("0.5", "0.2", 1)], "Y": [in_lieu("0.5", "44", 1)]}
    new = replay_together(events)["Y"].holdings["a"]
    assert (new.position.quantity, new.position.average_cost) == (D(2), D(40))  # 100 of 500 over 2.5
    assert new.position.realised_pnl == D("0.5") * (44 - 40)


def test_two_names_that_were_exchanged_and_a_chain_of_actions() -> None:
    swapped = {"X": [trade("10", "5"), rename(3)], "Y": [trade("7", "9", day=1), rename(2, "Z")]}
    books = replay_together(swapped)
    held = {name: quantities(one)["a"] for name, one in books.items()}
    assert held == {"X": 0, "Y": 10, "Z": 7}
    chain = {"X": [trade("10", "5"), rename(1)], "Y": [split("2", 2), Event("rename", "on", on(3), new_symbol="Z")]}
    assert quantities(replay_together(chain)["Z"]) == {"a": 20}


@pytest.mark.parametrize("values", [{"ratio": D(0)}, {"new_symbol": ""}, {"share": D(1)}, {"share": D(-1)}])
def test_impossible_spin_offs_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueError):
        Event("spin_off", "off", on(1), **{"ratio": D(1), "share": D("0.1"), "new_symbol": "Y", **values})


def basis(books: dict[str, Books]) -> tuple[Decimal, Decimal]:
    """Return what all that is held cost, at average cost and by lots."""
    held = [holding for one in books.values() for holding in one.holdings.values()]
    return (
        sum((one.position.quantity * one.position.average_cost for one in held), D(0)),
        sum((lot.cost for one in held for lot in one.lots), D(0)),
    )


@given(
    trades,
    st.decimals("0.001", 20, places=3),
    st.decimals(0, "0.999", places=3),
    st.sampled_from(["spin_off", "rename"]),
)
def test_the_cost_of_what_is_held_is_conserved_and_so_are_shares(
    done: list[Event], ratio: Decimal, share: Decimal, kind: str
) -> None:
    action = spin_off(str(ratio), str(share), 100) if kind == "spin_off" else rename(100)
    before, after = replay_together({"X": done}), replay_together({"X": [*done, action]})

    for ours, theirs in zip(basis(before), basis(after), strict=True):
        assert abs(ours - theirs) < SLACK
    new = after.get("Y", Books("Y"))
    if kind == "rename":
        assert (after["X"].total, new.total) == (D(0), before["X"].total)
    else:
        assert quantities(after["X"]) == quantities(before["X"])
        assert abs(new.total - before["X"].total * ratio) <= UNIT / 2
    for one in after.values():
        for holding in one.holdings.values():
            assert sum((lot.quantity for lot in holding.lots), D(0)) == holding.position.quantity
