from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from simulator.errors import (
    ConflictError,
    DuplicateClientOrderIdError,
    EndOfDataError,
    NotFoundError,
    UnprocessableError,
)
from simulator.order_request import read_order
from trading.errors import ConfigurationError, InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulator.books import Order
    from simulator.exchange import Exchange
    from simulator.market import Market

    Open = Callable[..., Exchange]

D = Decimal


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def send(exchange: Exchange, symbol: str, side: str, qty: object, **fields: Any) -> Order:
    kind = "limit" if "limit_price" in fields else "market"
    body = {"symbol": symbol, "side": side, "type": kind, "time_in_force": "day", "qty": qty, **fields}
    return exchange.place(read_order(body))


def test_a_new_state_stands_at_the_close_of_its_start(exchange: Exchange) -> None:
    assert exchange.now == at("2012-11-30T21:00:00")


def test_a_start_that_is_no_session_is_the_session_before(market: Market, open_exchange: Open) -> None:
    assert open_exchange(market, start=date(2012, 12, 2)).now == at("2012-11-30T21:00:00")


@pytest.mark.parametrize("start", [date(1999, 1, 4), date(2013, 3, 1), date(2020, 1, 1)])
def test_a_start_outside_the_data_is_refused(market: Market, open_exchange: Open, start: date) -> None:
    with pytest.raises(InvalidValueError, match="2000-03-01 to before 2013-03-01"):
        open_exchange(market, start=start)


def test_opening_cash_has_to_be_positive(market: Market, open_exchange: Open) -> None:
    with pytest.raises(InvalidValueError, match="positive amount"):
        open_exchange(market, start=date(2012, 11, 30), cash="-1")


@pytest.mark.parametrize(
    ("step", "stands"),
    [("open", "2012-12-03T14:30:00"), ("close", "2012-12-03T21:00:00"), ("session", "2012-12-03T21:00:00")],
)
def test_the_clock_steps_from_a_close(exchange: Exchange, step: Any, stands: str) -> None:
    exchange.advance(step)
    assert exchange.now == at(stands)


def test_a_session_step_inside_a_session_leads_to_the_next_sessions_close(exchange: Exchange) -> None:
    exchange.advance("open")
    exchange.advance("session")
    assert exchange.now == at("2012-12-04T21:00:00")


def test_the_clock_never_goes_back(exchange: Exchange) -> None:
    with pytest.raises(ConflictError, match="cannot go back"):
        exchange.advance_to(exchange.now - timedelta(seconds=1))
    exchange.advance_to(exchange.now)
    assert exchange.now == at("2012-11-30T21:00:00")


def test_the_clock_stops_with_the_data(exchange: Exchange) -> None:
    exchange.advance_to(at("2013-03-01T21:00:00"))
    with pytest.raises(EndOfDataError, match="2013-03-01"):
        exchange.advance("session")
    assert exchange.now == at("2013-03-01T21:00:00")


def test_a_market_order_before_the_open_fills_at_the_open(exchange: Exchange) -> None:
    placed = send(exchange, "AAPL", "buy", 10)
    assert placed.status == "accepted"
    exchange.advance("open")
    filled = exchange.order(placed.id)
    assert (filled.status, filled.filled_avg_price, filled.filled_at) == ("filled", D("593.65"), exchange.now)
    assert exchange.ledger.account.cash == D("100000") - 10 * D("593.65")


def test_a_market_order_in_the_session_fills_at_the_close(exchange: Exchange) -> None:
    exchange.advance("open")
    placed = send(exchange, "AAPL", "buy", 10)
    assert placed.status == "new"
    exchange.advance("close")
    assert exchange.order(placed.id).filled_avg_price == D("586.19")


def test_a_limit_inside_the_range_fills_at_the_limit_stamped_at_the_close(exchange: Exchange) -> None:
    # 2012-12-03: open 593.65, low 585.50
    placed = send(exchange, "AAPL", "buy", 10, limit_price="590.00")
    exchange.advance("open")
    assert exchange.order(placed.id).status == "new"
    exchange.advance("close")
    filled = exchange.order(placed.id)
    assert (filled.filled_avg_price, filled.filled_at) == (D("590"), at("2012-12-03T21:00:00"))


def test_a_day_order_that_is_not_reached_expires_at_the_close(exchange: Exchange) -> None:
    placed = send(exchange, "AAPL", "buy", 10, limit_price="500.00")
    exchange.advance("session")
    expired = exchange.order(placed.id)
    assert (expired.status, expired.expired_at) == ("expired", at("2012-12-03T21:00:00"))
    assert exchange.ledger.valuation(exchange.now).buying_power == D(200_000)


def test_a_gtc_order_waits_until_it_is_reached(exchange: Exchange) -> None:
    placed = send(exchange, "AAPL", "buy", 10, limit_price="510.00", time_in_force="gtc")
    exchange.advance_to(at("2012-12-14T21:00:00"))
    filled = exchange.order(placed.id)
    assert (filled.status, filled.filled_avg_price) == ("filled", D("510"))
    assert filled.filled_at == at("2012-12-14T21:00:00")


def test_a_gtc_order_ends_after_ninety_days(exchange: Exchange) -> None:
    placed = send(exchange, "AAPL", "buy", 1, limit_price="1.00", time_in_force="gtc")
    exchange.advance_to(at("2013-03-01T21:00:00"))
    ended = exchange.order(placed.id)
    assert (ended.status, ended.expired_at) == ("expired", at("2013-03-01T21:00:00"))


def test_an_order_after_the_close_belongs_to_the_next_session(exchange: Exchange) -> None:
    exchange.advance_to(at("2012-11-30T23:00:00"))
    assert send(exchange, "AAPL", "buy", 1).expires_at == at("2012-12-03T21:00:00")


def test_a_session_without_a_bar_fills_nothing(make_market: Callable[..., Market], open_exchange: Open) -> None:
    flat = (10.0, 10.0, 10.0, 10.0)
    days = [date(2012, 12, 3), date(2012, 12, 5), date(2012, 12, 6)]
    market = make_market({"X": dict.fromkeys(days, flat), "Y": dict.fromkeys([*days, date(2012, 12, 4)], flat)})
    exchange = open_exchange(market, start=date(2012, 12, 3))
    today, later = send(exchange, "X", "buy", 1), send(exchange, "X", "buy", 1, time_in_force="gtc")
    exchange.advance("session")
    assert (exchange.order(today.id).status, exchange.order(later.id).status) == ("expired", "new")
    exchange.advance("session")
    assert exchange.order(later.id).status == "filled"


def test_fractions_and_amounts_fill_exactly(exchange: Exchange) -> None:
    send(exchange, "AAPL", "buy", "0.5")
    amount = exchange.place(
        read_order({"symbol": "MSFT", "side": "buy", "type": "market", "time_in_force": "day", "notional": "1000"})
    )
    exchange.advance("open")
    assert exchange.position("AAPL").qty == D("0.5")
    filled = exchange.order(amount.id)
    # MSFT opened at 26.78: 1000 / 26.78 = 37.3412994772...
    assert filled.filled_qty == D("37.341299477")


def test_a_round_trip_by_hand(exchange: Exchange) -> None:
    send(exchange, "AAPL", "buy", 100)
    exchange.advance("session")
    worth = exchange.ledger.valuation(exchange.now)
    # bought at 593.65, marked at 586.19
    assert worth.cash == D("100000") - D("59365.00")
    assert worth.equity == D("100000") - 100 * D("7.46")
    assert worth.buying_power == 2 * worth.equity - D("58619.00")
    send(exchange, "AAPL", "sell", 100)
    exchange.advance("session")
    # sold at the open of 2012-12-04, 581.80
    assert exchange.ledger.account.cash == D("100000") + 100 * (D("581.80") - D("593.65"))
    assert exchange.ledger.positions == {}


def test_a_short_sale_by_hand(exchange: Exchange) -> None:
    placed = send(exchange, "AAPL", "sell", 50)
    assert placed.position_intent == "sell_to_open"
    exchange.advance("session")
    worth = exchange.ledger.valuation(exchange.now)
    assert worth.cash == D("100000") + 50 * D("593.65")
    assert worth.short_value == -50 * D("586.19")
    assert worth.equity == D("100000") + 50 * D("7.46")
    assert worth.buying_power == 2 * worth.equity - 50 * D("586.19")


def test_a_split_doubles_shares_and_halves_limits(market: Market, open_exchange: Open) -> None:
    exchange = open_exchange(market, start=date(2005, 2, 23))
    send(exchange, "AAPL", "buy", 11)
    exchange.advance_to(at("2005-02-25T21:00:00"))
    before = exchange.position("AAPL")
    waiting = send(exchange, "AAPL", "buy", 5, limit_price="60.03", time_in_force="gtc")
    exchange.advance("open")
    after = exchange.position("AAPL")
    assert (after.qty, after.cost, after.average) == (D(22), before.cost, before.average / 2)
    changed = exchange.order(waiting.id)
    assert (changed.qty, changed.limit_price, changed.reserved) == (D(10), D("30.02"), D(5) * D("60.03"))
    exchange.advance("close")
    points = exchange.store.equity()
    assert points[-1].equity == exchange.ledger.account.cash + 22 * D("44.86")


def test_a_dividend_is_paid_at_the_open_of_the_ex_date_to_those_who_held(exchange: Exchange) -> None:
    exchange.advance_to(at("2013-02-06T21:00:00"))
    send(exchange, "AAPL", "buy", 10)
    exchange.advance("session")
    assert [a.type for a in exchange.store.activities("1", (), tail="")] == ["FILL"]
    exchange.reset()
    send(exchange, "AAPL", "buy", 10)
    exchange.advance_to(at("2013-02-06T21:00:00"))
    cash = exchange.ledger.account.cash
    exchange.advance("open")
    assert exchange.ledger.account.cash == cash + 10 * D("2.65")
    paid = exchange.store.activities("type = 'DIV'", (), tail="")
    assert [(a.symbol, a.qty, a.per_share, a.net_amount) for a in paid] == [("AAPL", D(10), D("2.65"), D("26.50"))]


def test_the_short_pay_the_dividend(exchange: Exchange) -> None:
    send(exchange, "AAPL", "sell", 10)
    exchange.advance_to(at("2013-02-06T21:00:00"))
    cash = exchange.ledger.account.cash
    exchange.advance("open")
    assert exchange.ledger.account.cash == cash - D("26.50")


def test_a_client_order_id_is_unique_for_ever(exchange: Exchange) -> None:
    first = send(exchange, "AAPL", "buy", 1, client_order_id="mine")
    exchange.cancel(first.id)
    with pytest.raises(DuplicateClientOrderIdError):
        send(exchange, "MSFT", "buy", 1, client_order_id="mine")


def test_a_final_order_cannot_be_cancelled(exchange: Exchange) -> None:
    placed = send(exchange, "AAPL", "buy", 1)
    exchange.cancel(placed.id)
    with pytest.raises(UnprocessableError, match='already in "canceled" state'):
        exchange.cancel(placed.id)
    with pytest.raises(NotFoundError):
        exchange.cancel("nonsense")


def test_a_cancelled_order_never_fills(exchange: Exchange) -> None:
    exchange.cancel(send(exchange, "AAPL", "buy", 1).id)
    exchange.advance("session")
    assert exchange.ledger.positions == {}
    assert exchange.ledger.valuation(exchange.now).buying_power == D(200_000)


def test_half_a_position_is_closed(exchange: Exchange) -> None:
    send(exchange, "AAPL", "buy", 10)
    exchange.advance("session")
    exchange.close_position("AAPL", percentage=D(50))
    assert exchange.available(exchange.position("AAPL")) == D(5)
    exchange.advance("session")
    assert exchange.position("AAPL").qty == D(5)
    with pytest.raises(NotFoundError, match="position does not exist"):
        exchange.close_position("MSFT")


def test_a_reset_opens_a_new_account(exchange: Exchange) -> None:
    before = exchange.ledger.account
    placed = send(exchange, "AAPL", "buy", 10, client_order_id="mine")
    exchange.advance("session")
    exchange.reset(start=date(2010, 1, 4), cash=D(5000))
    after = exchange.ledger.account
    assert len({before.number, after.number, before.id, after.id}) == 4
    assert (after.cash, exchange.now) == (D(5000), at("2010-01-04T21:00:00"))
    assert (exchange.ledger.positions, exchange.store.orders(), len(exchange.store.equity())) == ({}, [], 1)
    again = send(exchange, "AAPL", "buy", 1, client_order_id="mine")
    assert again.id != placed.id


def play(exchange: Exchange) -> list[str]:
    for number in range(20):
        send(exchange, "AAPL" if number % 2 else "MSFT", "buy", number + 1, client_order_id=f"order {number}")
        exchange.advance("session")
    rows = [*exchange.store.orders(), *exchange.store.activities("1", (), tail=""), *exchange.store.equity()]
    return [row.model_dump_json() for row in rows]


def test_the_same_play_gives_the_same_rows_to_the_last_id(market: Market, open_exchange: Open) -> None:
    first = play(open_exchange(market, start=date(2012, 11, 30), name="one"))
    second = play(open_exchange(market, start=date(2012, 11, 30), name="two"))
    assert first == second


def test_one_leap_and_many_steps_are_the_same(market: Market, open_exchange: Open) -> None:
    results = []
    for name, steps in (("leap", 1), ("steps", 50)):
        exchange = open_exchange(market, start=date(2012, 11, 30), name=name)
        send(exchange, "AAPL", "buy", 10)
        send(exchange, "MSFT", "buy", 10, limit_price="26.00", time_in_force="gtc")
        begin, end = exchange.now, at("2013-02-22T21:00:00")
        for number in range(1, steps + 1):
            exchange.advance_to(begin + (end - begin) * number / steps)
        rows = [*exchange.store.orders(), *exchange.store.activities("1", (), tail=""), *exchange.store.equity()]
        results.append([row.model_dump_json() for row in rows])
    assert results[0] == results[1]


def test_a_state_file_continues_where_it_stopped(market: Market, open_exchange: Open) -> None:
    first = open_exchange(market, start=date(2012, 11, 30))
    send(first, "AAPL", "buy", 10)
    first.advance("session")
    waiting = send(first, "MSFT", "buy", 3, limit_price="20.00", time_in_force="gtc")
    first.store.close()
    second = open_exchange(market, start=date(2001, 1, 2), cash="1")
    assert second.ledger.account == first.ledger.account
    assert second.ledger.positions == first.ledger.positions
    assert second.ledger.open_orders == {waiting.id: waiting}
    later = send(second, "IBM", "buy", 1)
    assert (later.sequence, later.submitted_at > waiting.submitted_at) == (waiting.sequence + 1, True)


def test_a_state_file_of_other_data_is_refused(
    market: Market, make_market: Callable[..., Market], open_exchange: Open
) -> None:
    open_exchange(market, start=date(2012, 11, 30)).store.close()
    other = make_market({"X": {date(2012, 11, day): (1.0, 1.0, 1.0, 1.0) for day in (28, 29, 30)}})
    with pytest.raises(ConfigurationError, match="made with other market data"):
        open_exchange(other, start=date(2012, 11, 28))
