"""Whole sessions against orders of every kind; the prices are worked out by hand from the path of the bar."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator.frictions import Frictions
from simulator.order_request import read_order
from trading.costs import BasisPoints, FixedSpread, PerShare

if TYPE_CHECKING:
    from simulator.books import Order
    from simulator.exchange import Exchange

D = Decimal
DAYS = [date(2012, 12, day) for day in (3, 4, 5, 6)]
Row = tuple[float, float, float, float]
Play = Callable[..., "Exchange"]


@pytest.fixture
def play(make_market: Callable[..., Any], open_exchange: Callable[..., Any]) -> Play:
    """Return a builder of exchanges at the close of a flat session at 100, with the given sessions to come."""

    def build(*rows: Row, cash: str = "100000") -> Exchange:
        bars = dict(zip(DAYS, [(100.0, 100.0, 100.0, 100.0), *rows, *[(100.0,) * 4] * 3], strict=False))
        exchange: Exchange = open_exchange(make_market({"X": bars}), start=DAYS[0], cash=cash)
        return exchange

    return build


def send(exchange: Exchange, side: str = "buy", qty: object = 10, **fields: Any) -> Order:
    body = {"symbol": "X", "side": side, "type": "market", "time_in_force": "day", "qty": qty, **fields}
    return exchange.place(read_order(body))


def outcome(exchange: Exchange, order: Order) -> tuple[str, Decimal | None]:
    now = exchange.order(order.id)
    return now.status, now.filled_avg_price


def bought(exchange: Exchange, qty: int = 10) -> Exchange:
    """Hold shares without a session having gone by: filled at the quote."""
    exchange.ledger.frictions = Frictions(matching="quote")
    exchange.advance("open")
    send(exchange, qty=qty)
    exchange.ledger.frictions = Frictions()
    exchange.advance("close")
    assert exchange.position("X").qty == qty
    return exchange


FLAT = (100.0, 100.0, 100.0, 100.0)


@pytest.mark.parametrize(
    ("row", "fields", "expected"),
    [
        # open 100, up to 103 first, then down to 95, close 98
        ((100, 103, 95, 98), {"type": "stop", "stop_price": 102}, ("filled", D(102))),
        ((100, 103, 95, 98), {"type": "stop", "stop_price": 104}, ("expired", None)),
        ((105, 106, 95, 98), {"type": "stop", "stop_price": 102}, ("filled", D(105))),
        ((100, 103, 95, 98), {"type": "stop_limit", "stop_price": 102, "limit_price": 102.5}, ("filled", D(102))),
        # triggered at 102, its limit 99 is met on the way down
        ((100, 103, 95, 98), {"type": "stop_limit", "stop_price": 102, "limit_price": 99}, ("filled", D(99))),
        # low 98 first, then up to 105 through the stop: the limit is not met any more
        ((100, 105, 98, 104), {"type": "stop_limit", "stop_price": 102, "limit_price": 99}, ("expired", None)),
        # a gap beyond stop and limit waits for the limit
        ((105, 106, 95, 98), {"type": "stop_limit", "stop_price": 102, "limit_price": 103}, ("filled", D(103))),
        ((105, 106, 104, 105), {"type": "stop_limit", "stop_price": 102, "limit_price": 103}, ("expired", None)),
        ((100, 103, 95, 98), {"type": "trailing_stop", "trail_price": 2}, ("filled", D(102))),
        # down to 95 first: the stop follows to 97 and is reached on the way up
        ((96, 105, 95, 98), {"type": "trailing_stop", "trail_price": 2}, ("filled", D(97))),
        ((100, 103, 95, 98), {"type": "trailing_stop", "trail_percent": 2}, ("filled", D(102))),
        ((103, 104, 95, 98), {"type": "trailing_stop", "trail_price": 2}, ("filled", D(103))),
        ((99, 100, 90, 90), {"type": "trailing_stop", "trail_price": 2}, ("expired", None)),
        ((100, 103, 95, 98), {"time_in_force": "opg"}, ("filled", D(100))),
        ((100, 103, 95, 98), {"time_in_force": "cls"}, ("filled", D(98))),
        ((100, 103, 95, 98), {"time_in_force": "ioc"}, ("filled", D(100))),
        ((100, 103, 95, 98), {"time_in_force": "ioc", "type": "limit", "limit_price": 99}, ("canceled", None)),
        ((100, 103, 95, 98), {"time_in_force": "opg", "type": "limit", "limit_price": 99}, ("expired", None)),
    ],
)
def test_a_buy_before_the_open(play: Play, row: Row, fields: dict[str, Any], expected: tuple[str, D | None]) -> None:
    exchange = play(row)
    exchange.advance_to(datetime(2012, 12, 4, 1, tzinfo=UTC))  # auctions take orders from 19:00 on
    placed = send(exchange, **fields)
    exchange.advance("session")
    assert outcome(exchange, placed) == expected


@pytest.mark.parametrize(
    ("row", "fields", "expected"),
    [
        ((100, 103, 95, 98), {"type": "stop", "stop_price": 97}, ("filled", D(97))),
        ((94, 96, 93, 95), {"type": "stop", "stop_price": 97}, ("filled", D(94))),
        # up to 103 first: the stop follows to 101 and is reached on the way down
        ((100, 103, 95, 98), {"type": "trailing_stop", "trail_price": 2}, ("filled", D(101))),
        # down to 98 first, where the stop of 98 is reached
        ((100, 105, 98, 104), {"type": "trailing_stop", "trail_price": 2}, ("filled", D(98))),
    ],
)
def test_a_sell_of_a_position(play: Play, row: Row, fields: dict[str, Any], expected: tuple[str, D | None]) -> None:
    exchange = bought(play(FLAT, row))
    placed = send(exchange, "sell", **fields)
    exchange.advance("session")
    assert outcome(exchange, placed) == expected


def test_a_trailing_stop_follows_over_several_sessions(play: Play) -> None:
    exchange = bought(play(FLAT, (101, 110, 100.5, 109), (108, 109, 104, 104)))
    placed = send(exchange, "sell", type="trailing_stop", trail_price=5, time_in_force="gtc")
    exchange.advance("session")
    # down to 100.5 first, then 110
    assert (exchange.order(placed.id).hwm, exchange.order(placed.id).stop) == (D(110), D(105))
    exchange.advance("session")
    assert outcome(exchange, placed) == ("filled", D(105))


def test_a_stop_sent_in_the_session_meets_the_close_only(play: Play) -> None:
    exchange = play((100, 103, 95, 98), (99, 99, 99, 99))
    exchange.advance("open")
    below, above = send(exchange, type="stop", stop_price=97.5), send(exchange, type="stop", stop_price=102)
    exchange.advance("close")
    assert outcome(exchange, below) == ("filled", D(98))
    assert outcome(exchange, above) == ("expired", None)


@pytest.mark.parametrize("lasting", ["ioc", "fok"])
def test_an_order_of_the_moment_fills_at_the_quote_or_not_at_all(play: Play, lasting: str) -> None:
    exchange = play((100, 103, 95, 98))
    exchange.advance("open")
    assert outcome(exchange, send(exchange, time_in_force=lasting)) == ("filled", D(100))
    missed = send(exchange, time_in_force=lasting, type="limit", limit_price=99)
    assert outcome(exchange, missed) == ("canceled", None)


def test_matching_at_the_quote_fills_at_once(play: Play) -> None:
    exchange = play((100, 103, 95, 98), (99, 99, 99, 99))
    exchange.ledger.frictions = Frictions(matching="quote")
    exchange.advance("open")
    assert outcome(exchange, send(exchange)) == ("filled", D(100))
    waiting = send(exchange, type="limit", limit_price=98)
    assert outcome(exchange, waiting) == ("new", None)
    exchange.advance("close")
    assert outcome(exchange, waiting) == ("filled", D(98))
    after = send(exchange, type="limit", limit_price=98, extended_hours=True)
    assert outcome(exchange, after) == ("filled", D(98))


EXITS: dict[str, Any] = {"take_profit": {"limit_price": 104}, "stop_loss": {"stop_price": 96}}


def statuses(exchange: Exchange, parent: Order) -> list[tuple[str, Decimal | None]]:
    return [outcome(exchange, order) for order in (parent, *exchange.legs(parent))]


@pytest.mark.parametrize(
    ("row", "profit", "loss"),
    [
        # up first: the take-profit
        ((100, 105, 94, 99), ("filled", D(104)), ("canceled", None)),
        # down first: the stop-loss
        ((100, 107, 94, 99), ("canceled", None), ("filled", D(96))),
        ((100, 103, 97, 99), ("expired", None), ("expired", None)),
    ],
)
def test_the_path_decides_between_the_exits_of_a_bracket(play: Play, row: Row, profit: Any, loss: Any) -> None:
    exchange = play(row)
    entry = send(exchange, order_class="bracket", **EXITS)
    assert [leg.status for leg in exchange.legs(entry)] == ["held", "held"]
    exchange.advance("open")
    assert [leg.status for leg in exchange.legs(entry)] == ["new", "held"]
    exchange.advance("close")
    # 100 to 105 is nearer than 100 to 94; 100 to 107 is not
    assert statuses(exchange, entry) == [("filled", D(100)), profit, loss]


def test_exits_see_only_what_comes_after_their_entry(play: Play) -> None:
    # down to 94 first, through stop and entry, then up to 107: the entry at 95 comes after 96 was passed
    exchange = play((100, 107, 94, 99))
    exits: dict[str, Any] = {**EXITS, "stop_loss": {"stop_price": 94.5}}
    entry = send(exchange, type="limit", limit_price=95, order_class="bracket", **exits)
    exchange.advance("session")
    assert statuses(exchange, entry) == [("filled", D(95)), ("canceled", None), ("filled", D("94.5"))]


def test_an_entry_that_is_not_filled_takes_its_exits_with_it(play: Play) -> None:
    exchange = play((100, 103, 97, 99))
    entry = send(exchange, type="limit", limit_price=90, order_class="bracket", take_profit={"limit_price": 104},
                 stop_loss={"stop_price": 80})  # fmt: skip
    exchange.advance("session")
    assert [status for status, _ in statuses(exchange, entry)] == ["expired"] * 3
    again = send(exchange, order_class="bracket", **EXITS)
    exchange.cancel(again.id)
    assert [status for status, _ in statuses(exchange, again)] == ["canceled"] * 3


def test_cancelling_one_exit_cancels_the_other(play: Play) -> None:
    exchange = play(FLAT)
    entry = send(exchange, order_class="bracket", time_in_force="gtc", **EXITS)
    exchange.advance("session")
    exchange.cancel(entry.leg_ids[1])
    assert [status for status, _ in statuses(exchange, entry)] == ["filled", "canceled", "canceled"]
    assert exchange.available(exchange.position("X")) == D(10)


def test_a_pair_of_exits_holds_its_shares_once(play: Play) -> None:
    exchange = bought(play(FLAT, (100, 103, 95, 98)))
    pair = send(exchange, "sell", type="limit", order_class="oco", take_profit={"limit_price": 104},
                stop_loss={"stop_price": 96, "limit_price": 95.5})  # fmt: skip
    assert (pair.limit_price, exchange.available(exchange.position("X"))) == (D(104), D(0))
    exchange.advance("session")
    assert statuses(exchange, pair) == [("canceled", None), ("filled", D(96))]
    assert exchange.ledger.positions == {}


def test_one_triggers_one_other(play: Play) -> None:
    exchange = play((100, 103, 95, 98))
    entry = send(exchange, order_class="oto", stop_loss={"stop_price": 97})
    exchange.advance("open")
    assert [leg.status for leg in exchange.legs(entry)] == ["new"]
    exchange.advance("close")
    assert statuses(exchange, entry) == [("filled", D(100)), ("filled", D(97))]


def test_a_short_bracket_buys_back(play: Play) -> None:
    exchange = play((100, 103, 95, 98))
    exits: dict[str, Any] = {"take_profit": {"limit_price": 96}, "stop_loss": {"stop_price": 104}}
    entry = send(exchange, "sell", order_class="bracket", **exits)
    exchange.advance("session")
    assert statuses(exchange, entry) == [("filled", D(100)), ("filled", D(96)), ("canceled", None)]
    assert exchange.ledger.account.cash == D(100_040)


def test_a_share_of_the_volume_fills_in_parts(play: Play) -> None:
    # every session has 1000 shares: a twentieth is 50
    exchange = play(FLAT, FLAT)
    exchange.ledger.frictions = Frictions(participation=0.05)
    placed = send(exchange, qty=120, type="limit", limit_price=100, time_in_force="gtc")
    whole = send(exchange, qty=10, time_in_force="fok")
    exchange.advance("open")
    partly = exchange.order(placed.id)
    assert (partly.status, partly.filled_qty, partly.reserved) == ("partially_filled", D(50), D(7000))
    assert outcome(exchange, whole) == ("canceled", None)
    exchange.advance("close")
    assert exchange.order(placed.id).filled_qty == D(50)
    exchange.advance("session")
    exchange.advance("session")
    assert outcome(exchange, placed) == ("filled", D(100))
    fills = exchange.store.activities("type = 'FILL'", (), tail="ORDER BY sequence")
    booked = [f"{fill.qty} {fill.cum_qty} {fill.leaves_qty}" for fill in fills]
    assert booked == ["50 50 70", "50 100 20", "20 120 0"]


def test_exits_shrink_with_each_other(play: Play) -> None:
    exchange = bought(play(FLAT, (100, 105, 99, 100), FLAT))
    exchange.ledger.frictions = Frictions(participation=0.004)
    pair = send(exchange, "sell", type="limit", order_class="oco", time_in_force="gtc", **EXITS)
    exchange.advance("session")
    profit, loss = exchange.order(pair.id), exchange.legs(pair)[0]
    assert (profit.status, profit.filled_qty, loss.status, loss.qty) == ("partially_filled", D(4), "held", D(6))


def test_a_partly_filled_entry_keeps_its_exits_waiting(play: Play) -> None:
    exchange = play(FLAT, FLAT)
    exchange.ledger.frictions = Frictions(participation=0.005)
    entry = send(exchange, order_class="bracket", time_in_force="gtc", **EXITS)
    exchange.advance("session")
    assert [status for status, _ in statuses(exchange, entry)] == ["partially_filled", "held", "held"]
    assert exchange.legs(entry)[0].active_at is None
    exchange.advance("session")
    assert [status for status, _ in statuses(exchange, entry)] == ["filled", "new", "held"]


def test_slippage_and_commission_by_hand(play: Play) -> None:
    exchange = play(FLAT)
    exchange.ledger.frictions = Frictions(slippage=BasisPoints(bps=10), commission=PerShare(amount=0.01, minimum=1))
    placed = send(exchange)
    exchange.advance("open")
    # 100 and a tenth of a percent; ten shares cost the minimum of a dollar
    assert outcome(exchange, placed) == ("filled", D("100.1000"))
    assert exchange.ledger.account.cash == D(100_000) - 1001 - 1
    fee = exchange.store.activities("type = 'FEE'", (), tail="")[0]
    assert (fee.net_amount, fee.order_id) == (D("-1.00"), placed.id)


def test_slippage_never_breaks_a_limit(play: Play) -> None:
    exchange = play(FLAT)
    exchange.ledger.frictions = Frictions(slippage=FixedSpread(half_spread=3))
    placed = send(exchange, type="limit", limit_price=101)
    exchange.advance("open")
    assert outcome(exchange, placed) == ("filled", D(101))


NUMBERS = itertools.count()
prices = st.integers(9000, 11000).map(lambda value: value / 100)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    row=st.tuples(prices, prices, prices, prices),
    side=st.sampled_from(["buy", "sell"]),
    kind=st.sampled_from(["market", "limit", "stop", "stop_limit", "trailing_stop"]),
    stop=prices,
    limit=prices,
)
def test_no_fill_is_outside_the_bar_or_beyond_its_limit(
    make_market: Any, open_exchange: Any, *, row: Row, side: str, kind: str, stop: float, limit: float
) -> None:
    low, first, last, high = sorted(row)
    bars = dict(zip(DAYS, [FLAT, (first, high, low, last), FLAT, FLAT], strict=True))
    exchange = open_exchange(make_market({"X": bars}), start=DAYS[0], name=f"{next(NUMBERS)}.sqlite")
    fields: dict[str, Any] = {"limit_price": limit} if kind in {"limit", "stop_limit"} else {}
    fields |= {"stop_price": stop} if kind.startswith("stop") else {}
    fields |= {"trail_price": 1} if kind == "trailing_stop" else {}
    placed = send(exchange, side, type=kind, **fields)
    exchange.advance("session")
    status, price = outcome(exchange, placed)
    exchange.store.close()
    assert status in {"filled", "expired"}
    if price is not None:
        assert D(str(low)) <= price <= D(str(high))
        if "limit" in kind:
            assert price <= D(str(limit)) if side == "buy" else price >= D(str(limit))
