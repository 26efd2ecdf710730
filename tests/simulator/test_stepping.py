from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from simulator.frictions import Frictions
from simulator.order_request import read_order
from trading.adjustment import CashDividend, Split

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulator.exchange import Exchange
    from simulator.market import Market

D = Decimal
DAYS = [date(2012, 12, day) for day in (3, 4, 5, 6, 7)]


def made(make_market: Callable[..., Market], *actions: object) -> Market:
    return make_market({"X": dict.fromkeys(DAYS, (10.0, 10.0, 10.0, 10.0))}, {"X": actions})


def send(exchange: Exchange, **fields: object) -> str:
    body = {"symbol": "X", "side": "buy", "type": "market", "time_in_force": "day", "qty": 15, **fields}
    return exchange.place(read_order(body)).id


def test_a_reverse_split_keeps_whole_orders_whole_and_cancels_what_vanishes(
    make_market: Callable[..., Market], open_exchange: Callable[..., Exchange]
) -> None:
    exchange = open_exchange(made(make_market, Split("X", DAYS[2], 1, 10)), start=DAYS[0])
    send(exchange)
    exchange.advance("session")
    cash = exchange.ledger.account.cash
    kept = send(exchange, type="limit", limit_price="0.50", time_in_force="gtc", qty=25)
    gone = send(exchange, type="limit", limit_price="0.50", time_in_force="gtc", qty=9)
    exchange.advance("open")
    # fifteen shares at 10 become one and a half; the half is paid at the open of 10
    assert (exchange.position("X").qty, exchange.position("X").cost) == (D(1), D(100))
    assert exchange.ledger.account.cash == cash + 5
    paid = exchange.store.activities("type = 'CIL'", (), tail="")
    assert [(row.qty, row.net_amount) for row in paid] == [(D("-0.5"), D("5.00"))]
    assert (exchange.order(kept).qty, exchange.order(kept).limit_price) == (D(2), D("5.00"))
    assert exchange.order(gone).status == "canceled"


def test_a_split_is_applied_before_the_dividend_of_the_same_day(
    make_market: Callable[..., Market], open_exchange: Callable[..., Exchange]
) -> None:
    actions = (CashDividend("X", DAYS[2], D("0.10"), special=False), Split("X", DAYS[2], 2, 1))
    exchange = open_exchange(made(make_market, *actions), start=DAYS[0])
    send(exchange)
    exchange.advance("session")
    cash = exchange.ledger.account.cash
    exchange.advance("open")
    assert exchange.ledger.account.cash == cash + 30 * D("0.10")
    kinds = [activity.type for activity in exchange.store.activities("1", (), tail="ORDER BY sequence")]
    assert kinds == ["FILL", "SPLIT", "DIV"]


def test_an_error_in_the_middle_of_an_event_leaves_no_trace(
    make_market: Callable[..., Market], open_exchange: Callable[..., Exchange], monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange = open_exchange(made(make_market), start=DAYS[0])
    send(exchange)
    before = exchange.ledger.account

    def fail(*_: object) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(exchange.store, "add_activity", fail)
        with pytest.raises(OSError, match="disk full"):
            exchange.advance("open")
    assert (exchange.ledger.account, exchange.ledger.positions) == (before, {})
    assert len(exchange.ledger.open_orders) == 1
    exchange.advance("open")
    assert exchange.position("X").qty == D(15)


def test_every_close_writes_one_point_of_equity(exchange: Exchange) -> None:
    for _ in range(3):
        exchange.advance("session")
    assert [point.day for point in exchange.store.equity()] == [
        date(2012, 11, 30),
        date(2012, 12, 3),
        date(2012, 12, 4),
        date(2012, 12, 5),
    ]


def test_the_sessions_gain_starts_at_the_last_close(exchange: Exchange) -> None:
    exchange.place(read_order({"symbol": "AAPL", "side": "buy", "type": "market", "time_in_force": "day", "qty": 10}))
    exchange.advance("session")
    assert exchange.position("AAPL").session_cost == 10 * D("593.65")
    exchange.advance("session")
    assert exchange.position("AAPL").session_cost == 10 * D("586.19")
    assert exchange.position("AAPL").cost == 10 * D("593.65")


def test_borrowed_shares_cost_a_day_at_each_close(
    make_market: Callable[..., Market], open_exchange: Callable[..., Exchange]
) -> None:
    exchange = open_exchange(made(make_market), start=DAYS[0])
    exchange.ledger.frictions = Frictions(borrow=0.36)
    send(exchange, side="sell", qty=100)
    exchange.advance("session")
    # a thousandth of 100 shares at 10
    assert exchange.ledger.account.cash == D(100_000) + 1000 - 1
