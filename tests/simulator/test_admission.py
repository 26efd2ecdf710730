from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from simulator.errors import ForbiddenError, UnprocessableError
from simulator.order_request import read_order

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulator.books import Order
    from simulator.exchange import Exchange
    from simulator.market import Market

D = Decimal


def send(exchange: Exchange, symbol: str, side: str, qty: object, **fields: Any) -> Order:
    kind = "limit" if "limit_price" in fields else "market"
    body = {"symbol": symbol, "side": side, "type": kind, "time_in_force": "day", "qty": qty, **fields}
    return exchange.place(read_order(body))


def test_a_market_buy_is_checked_four_percent_above_the_last_price(exchange: Exchange) -> None:
    # 200,000 / (585.28 x 1.04) = 328.57
    with pytest.raises(ForbiddenError, match="insufficient buying power") as caught:
        send(exchange, "AAPL", "buy", 329)
    assert caught.value.body() == {
        "code": 40310000,
        "message": "insufficient buying power",
        "buying_power": "200000.00",
        "cost_basis": "200259.40",
    }
    assert send(exchange, "AAPL", "buy", 328).reserved == 328 * D("585.28") * D("1.04")


def test_open_orders_use_up_buying_power(exchange: Exchange) -> None:
    send(exchange, "AAPL", "buy", 300, limit_price="500.00")
    assert exchange.ledger.valuation(exchange.now).buying_power == D(50_000)
    with pytest.raises(ForbiddenError, match="insufficient buying power"):
        send(exchange, "IBM", "buy", 300, limit_price="170.00")


def test_short_sales_use_buying_power_too(exchange: Exchange) -> None:
    with pytest.raises(ForbiddenError, match="insufficient buying power"):
        send(exchange, "AAPL", "sell", 329)
    assert send(exchange, "AAPL", "sell", 328).position_intent == "sell_to_open"


def test_reducing_a_position_needs_no_buying_power(exchange: Exchange) -> None:
    send(exchange, "AAPL", "buy", 328)
    exchange.advance("session")
    assert send(exchange, "AAPL", "sell", 328).reserved == 0


def test_shares_are_sold_once(exchange: Exchange) -> None:
    send(exchange, "AAPL", "buy", 10)
    exchange.advance("session")
    send(exchange, "AAPL", "sell", 8, limit_price="900.00")
    with pytest.raises(ForbiddenError, match="insufficient qty available") as caught:
        send(exchange, "AAPL", "sell", 3)
    assert caught.value.details == {
        "symbol": "AAPL",
        "existing_qty": "10",
        "held_for_orders": "8",
        "available": "2",
    }


def test_a_sale_never_turns_a_long_position_short(exchange: Exchange) -> None:
    send(exchange, "AAPL", "buy", 10)
    exchange.advance("session")
    with pytest.raises(ForbiddenError, match=r"requested: 11, available: 10"):
        send(exchange, "AAPL", "sell", 11)


def test_the_other_side_of_an_open_order_is_a_wash_trade(exchange: Exchange) -> None:
    resting = send(exchange, "AAPL", "buy", 1, limit_price="500.00")
    with pytest.raises(ForbiddenError, match="wash trade") as caught:
        send(exchange, "AAPL", "sell", 1)
    assert (caught.value.code, caught.value.details["existing_order_id"]) == (40310000, resting.id)
    exchange.cancel(resting.id)
    assert send(exchange, "AAPL", "sell", 1).is_open


@pytest.mark.parametrize("symbol", ["NOPE", "FB"])
def test_what_is_not_listed_yet_cannot_be_traded(
    market: Market, open_exchange: Callable[..., Exchange], symbol: str
) -> None:
    exchange = open_exchange(market, start=date(2012, 5, 16))
    with pytest.raises(UnprocessableError, match=f'asset "{symbol}" not found'):
        send(exchange, symbol, "buy", 1)


def test_on_its_first_morning_a_stock_takes_limit_orders_only(
    market: Market, open_exchange: Callable[..., Exchange]
) -> None:
    exchange = open_exchange(market, start=date(2012, 5, 17))
    exchange.advance_to(datetime(2012, 5, 18, 12, tzinfo=UTC))
    with pytest.raises(UnprocessableError, match="FB has no price yet"):
        send(exchange, "FB", "buy", 1)
    placed = send(exchange, "FB", "buy", 1, limit_price="45.00")
    exchange.advance("open")
    assert exchange.order(placed.id).filled_avg_price == D("42.05")


def test_fractions_are_not_sold_short(exchange: Exchange) -> None:
    with pytest.raises(UnprocessableError, match="cannot be sold short"):
        send(exchange, "AAPL", "sell", "0.5")


def test_a_wrong_intent_is_refused(exchange: Exchange) -> None:
    with pytest.raises(UnprocessableError, match="inferred: sell_to_open"):
        send(exchange, "AAPL", "sell", 1, position_intent="sell_to_close")


@pytest.mark.parametrize(
    ("tif", "hour", "minute", "taken"),
    [
        ("opg", 14, 27, True),
        ("opg", 14, 28, False),
        ("opg", 20, 0, False),
        ("cls", 20, 49, True),
        ("cls", 20, 50, False),
        ("cls", 23, 59, False),
    ],
)
def test_auctions_take_orders_until_their_cutoff(
    exchange: Exchange, tif: str, hour: int, minute: int, *, taken: bool
) -> None:
    exchange.advance_to(datetime(2012, 12, 3, hour, minute, tzinfo=UTC))
    if taken:
        assert send(exchange, "AAPL", "buy", 1, time_in_force=tif).is_open
    else:
        with pytest.raises(UnprocessableError, match=f"{tif} orders are refused"):
            send(exchange, "AAPL", "buy", 1, time_in_force=tif)


def test_auctions_reopen_at_seven(exchange: Exchange) -> None:
    exchange.advance_to(datetime(2012, 12, 4, 0, 0, tzinfo=UTC))
    placed = send(exchange, "AAPL", "buy", 1, time_in_force="opg")
    exchange.advance("open")
    assert exchange.order(placed.id).filled_avg_price == D("581.8")
