from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from simulator.errors import BadRequestError, UnprocessableError
from simulator.order_request import read_order

D = Decimal
GOOD = {"symbol": "AAPL", "side": "buy", "type": "market", "time_in_force": "day", "qty": "10"}
EXITS = {"take_profit": {"limit_price": "600"}, "stop_loss": {"stop_price": "500"}}
LIMIT = {**GOOD, "type": "limit", "limit_price": "500.25"}


def test_numbers_and_text_are_read_as_the_same_decimal() -> None:
    assert read_order({**GOOD, "qty": 0.1}).qty == read_order({**GOOD, "qty": "0.1"}).qty == D("0.1")


def test_a_symbol_is_read_in_capitals() -> None:
    assert read_order({**GOOD, "symbol": " aapl "}).symbol == "AAPL"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"qty": "0"}, "qty must be > 0"),
        ({"qty": "-1"}, "qty must be > 0"),
        ({"qty": "NaN"}, "invalid qty"),
        ({"qty": float("inf")}, "qty must be > 0"),
        ({"qty": True}, "invalid qty"),
        ({"qty": [1]}, "invalid qty"),
        ({"qty": "1.0000000001"}, "at most 9 decimals"),
        ({"qty": None}, "exactly one of qty or notional"),
        ({"notional": "100"}, "exactly one of qty or notional"),
        ({"qty": "1.5", "time_in_force": "gtc"}, "fractional orders must be DAY orders"),
        ({"type": "stop"}, "stop orders require a stop price"),
        ({"type": "stop_limit", "stop_price": "5"}, "stop_limit orders require a limit price"),
        ({"type": "stop", "stop_price": "1.001"}, "invalid stop_price 1.001. sub-penny"),
        ({"type": "stop", "stop_price": "1", "time_in_force": "ioc"}, "stop orders must be DAY or GTC"),
        ({"type": "trailing_stop"}, "exactly one of trail_price and trail_percent"),
        ({"type": "trailing_stop", "trail_price": 1, "trail_percent": 1}, "exactly one of trail_price"),
        ({"type": "trailing_stop", "trail_percent": 100}, "trail_percent must be < 100"),
        ({"type": "trailing_stop", "trail_percent": 1, "qty": "0.5"}, "must not be trailing_stop"),
        ({"stop_price": "5"}, "market orders require no stop price"),
        ({"type": None}, "type is required"),
        ({"time_in_force": "gtd"}, "invalid time_in_force 'gtd'"),
        ({"legs": []}, "legs is not supported"),
        ({"side": "hold"}, "invalid side"),
        ({"order_class": "mleg"}, "invalid order_class 'mleg'"),
        ({"order_class": "bracket"}, r"bracket orders require take_profit.limit_price"),
        ({"order_class": "bracket", "take_profit": {"limit_price": 9}}, r"bracket orders require stop_loss.stop_price"),
        ({"order_class": "bracket", "take_profit": {}}, r"take_profit.limit_price is required"),
        ({"order_class": "bracket", "take_profit": [1]}, "take_profit must be an object"),
        ({**EXITS, "order_class": "bracket", "time_in_force": "opg"}, "bracket orders must be DAY or GTC"),
        ({**EXITS, "order_class": "bracket", "qty": "1.5"}, "fractional orders must be simple"),
        ({**EXITS, "order_class": "oto"}, "oto orders require exactly one"),
        ({**EXITS, "order_class": "oco"}, "oco orders must be limit orders"),
        (EXITS, "need an order_class"),
        (
            {**EXITS, "order_class": "bracket", "type": "limit", "limit_price": 5, "extended_hours": True},
            "not eligible for extended hours",
        ),
        ({"symbol": ""}, "symbol is required"),
        ({"client_order_id": "x" * 129}, "at most 128 characters"),
        ({"limit_price": "5"}, "market orders require no limit price"),
        ({"extended_hours": True}, "extended hours order must be"),
        ({"type": "limit"}, "limit orders require a limit price"),
        ({"type": "limit", "limit_price": "500.255"}, "sub-penny"),
        ({"type": "limit", "limit_price": "0.12345"}, "sub-penny"),
        ({"position_intent": "later"}, "invalid position_intent"),
    ],
)
def test_a_bad_field_is_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UnprocessableError, match=message):
        read_order({**GOOD, **change})


def test_prices_below_a_dollar_have_four_decimals() -> None:
    assert read_order({**LIMIT, "limit_price": "0.1234"}).limit_price == D("0.1234")


@pytest.mark.parametrize("body", [None, [], "order", 3])
def test_a_body_that_is_no_object_is_refused(body: object) -> None:
    with pytest.raises(BadRequestError, match="format is invalid"):
        read_order(body)
