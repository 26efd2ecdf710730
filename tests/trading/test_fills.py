from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.errors import InvalidValueError
from trading.fills import Fill, Position, apply_fill, excursions, round_trips

if TYPE_CHECKING:
    from trading.orders import Side

START = datetime(2012, 12, 3, 14, 30, tzinfo=UTC)


def fill(side: Side, quantity: str, price: str, *, day: int = 0, fee: str = "0", symbol: str = "IBM") -> Fill:
    return Fill(symbol, side, Decimal(quantity), Decimal(price), START + timedelta(days=day), Decimal(fee))


def book(*fills: Fill) -> Position:
    position = Position("IBM")
    for item in fills:
        position = apply_fill(position, side=item.side, quantity=item.quantity, price=item.price)
    return position


def test_adding_averages_the_cost() -> None:
    held = book(fill("buy", "10", "100"), fill("buy", "30", "120"))
    assert held == Position("IBM", Decimal(40), Decimal(115), Decimal(0))


def test_reducing_realises_profit_and_keeps_the_cost() -> None:
    held = book(fill("buy", "10", "100"), fill("sell", "4", "110"))
    assert held == Position("IBM", Decimal(6), Decimal(100), Decimal(40))
    assert held.unrealised_pnl(Decimal(90)) == -60


def test_closing_forgets_the_cost() -> None:
    assert book(fill("buy", "10", "100"), fill("sell", "10", "90")) == Position(
        "IBM", Decimal(0), Decimal(0), Decimal(-100)
    )


def test_a_flip_opens_the_rest_at_its_own_price() -> None:
    held = book(fill("buy", "10", "100"), fill("sell", "15", "110"))
    assert held == Position("IBM", Decimal(-5), Decimal(110), Decimal(100))


def test_shorts_gain_when_the_price_falls() -> None:
    held = book(fill("sell", "10", "100"), fill("sell", "10", "90"), fill("buy", "5", "85"))
    assert held == Position("IBM", Decimal(-15), Decimal(95), Decimal(50))
    assert held.unrealised_pnl(Decimal(85)) == 150


@pytest.mark.parametrize(
    ("quantity", "price"), [("0", "1"), ("-1", "1"), ("NaN", "1"), ("1", "-1"), ("1", "NaN"), ("1", "Infinity")]
)
def test_impossible_fills_are_refused(quantity: str, price: str) -> None:
    with pytest.raises(InvalidValueError, match="of a fill of IBM"):
        apply_fill(Position("IBM"), side="buy", quantity=Decimal(quantity), price=Decimal(price))


fills = st.lists(
    st.builds(
        fill,
        st.sampled_from(["buy", "sell"]),
        st.decimals("0.001", 1000, places=3).map(str),
        st.decimals("0.01", 900, places=2).map(str),
        day=st.integers(0, 100),
        fee=st.decimals(0, 5, places=2).map(str),
    ),
    max_size=25,
)


@given(fills)
def test_quantity_is_conserved_and_profit_is_cash_flow(done: list[Fill]) -> None:
    held = book(*done)
    bought = sum((item.quantity if item.side == "buy" else -item.quantity for item in done), Decimal(0))
    cash = sum(
        (-item.quantity * item.price if item.side == "buy" else item.quantity * item.price for item in done), Decimal(0)
    )
    assert held.quantity == bought
    last = Decimal("123.45")
    total = held.realised_pnl + held.unrealised_pnl(last)
    assert total == pytest.approx(cash + held.quantity * last, abs=Decimal("1e-12"))


@given(fills)
def test_round_trips_and_what_stays_open_add_up_to_the_cash_flow(done: list[Fill]) -> None:
    ordered = sorted(done, key=lambda item: item.ts)
    last = fill("sell", "1", "50", day=200)
    open_quantity = book(*ordered).quantity
    if open_quantity:
        side: Literal["buy", "sell"] = "sell" if open_quantity > 0 else "buy"
        ordered.append(fill(side, str(abs(open_quantity)), "50", day=last.ts.day))
    trips = round_trips(ordered)
    cash = sum((-f.quantity * f.price if f.side == "buy" else f.quantity * f.price for f in ordered), Decimal(0))
    fees = sum((f.fee for f in ordered), Decimal(0))
    assert sum((trip.pnl for trip in trips), Decimal(0)) == pytest.approx(cash - fees, abs=Decimal("1e-9"))
    assert sum((trip.quantity for trip in trips), Decimal(0)) * 2 == sum((f.quantity for f in ordered), Decimal(0))


def test_lots_close_first_in_first_out() -> None:
    done = [
        fill("buy", "10", "100", day=0, fee="1"),
        fill("buy", "10", "110", day=2),
        fill("sell", "15", "120", day=5, fee="3"),
        fill("buy", "1", "50", day=6, symbol="MSFT"),
    ]
    first, second = round_trips(done)
    assert (first.quantity, first.entry_price, first.pnl) == (Decimal(10), Decimal(100), Decimal(200) - 1 - 2)
    assert (second.quantity, second.entry_price, second.pnl) == (Decimal(5), Decimal(110), Decimal(50) - 1)
    assert first.rate_of_return == Decimal(197) / 1000
    assert second.holding_time == timedelta(days=3)


def test_a_flip_closes_a_long_and_opens_a_short() -> None:
    long, short = round_trips(
        [fill("buy", "10", "100"), fill("sell", "15", "90", day=1), fill("buy", "5", "80", day=2)]
    )
    assert (long.direction, long.pnl) == ("long", Decimal(-100))
    assert (short.direction, short.quantity, short.pnl) == ("short", Decimal(5), Decimal(50))


def daily(*ranges: tuple[float, float]) -> pd.DataFrame:
    stamps = [START.replace(hour=5, minute=0) + timedelta(days=day) for day in range(len(ranges))]
    return pd.DataFrame(ranges, columns=["high", "low"]).assign(ts=pd.DatetimeIndex(stamps))


def test_excursions_count_the_entry_bar_whole_and_the_exit_bar_by_its_price() -> None:
    (trip,) = round_trips([fill("buy", "1", "100", day=1), fill("sell", "1", "105", day=3)])
    found = excursions(trip, daily((500, 1), (110, 95), (120, 90), (900, 2)))
    assert [found.favourable, found.adverse] == pytest.approx([0.2, -0.1])


def test_a_shorts_excursions_are_mirrored() -> None:
    (trip,) = round_trips([fill("sell", "1", "100", day=0), fill("buy", "1", "95", day=1)])
    found = excursions(trip, daily((110, 95), (120, 90)))
    assert [found.favourable, found.adverse] == pytest.approx([0.05, -0.1])


def test_a_trade_inside_one_bar_has_only_its_own_prices() -> None:
    (trip,) = round_trips([fill("buy", "1", "100"), fill("sell", "1", "99")])
    assert excursions(trip, daily((110, 90))) == excursions(trip, daily((101, 98)))
