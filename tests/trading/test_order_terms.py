from __future__ import annotations

import json
from decimal import Decimal
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.order_terms import (
    OrderTermsError,
    check_client_order_id,
    on_grid,
    order_terms,
    rounded_to_grid,
)

KNOWN = {"symbol": "IBM", "side": "buy", "quantity": 10}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"type": "limit", "limit_price": "180.25", "time_in_force": "gtc"},
        {"type": "limit", "limit_price": "0.1234"},
        {"type": "stop", "stop_price": 180},
        {"type": "stop_limit", "stop_price": 180, "limit_price": 181},
        {"type": "trailing_stop", "trail_percent": "1.5", "time_in_force": "gtc"},
        {"type": "trailing_stop", "trail_price": 2},
        {"time_in_force": "opg"},
        {"type": "limit", "limit_price": 180, "time_in_force": "cls"},
        {"type": "limit", "limit_price": 180, "time_in_force": "ioc"},
        {"time_in_force": "fok"},
        {"quantity": "0.123456789"},
        {"quantity": None, "notional": "1000.50"},
        {"type": "limit", "limit_price": 180, "extended_hours": True},
        {"order_class": "bracket", "take_profit_price": 200, "stop_loss_price": 170},
        {"order_class": "bracket", "type": "limit", "limit_price": 180, "take_profit_price": 200,
         "stop_loss_price": 170, "stop_loss_limit_price": 169},
        {"order_class": "oto", "stop_loss_price": 170},
        {"side": "sell", "order_class": "oco", "type": "limit", "limit_price": 200, "take_profit_price": 200,
         "stop_loss_price": 170},
        {"side": "sell", "order_class": "bracket", "take_profit_price": 170, "stop_loss_price": 200},
    ],
)  # fmt: skip
def test_every_kind_of_order_can_be_asked_for_in_the_fields_of_alpacas_document(fields: dict[str, Any]) -> None:
    body = order_terms(**{**KNOWN, **fields}).body("an-id")

    specification = json.loads((files("alpaca_mcp_server") / "specs" / "trading-api.json").read_text("utf-8"))
    asked = specification["components"]["schemas"]["CreateOrderRequest"]["properties"]
    assert set(body) <= set(asked)
    assert all(isinstance(value, str | bool | dict) for value in body.values())
    assert body["client_order_id"] == "an-id"


def test_the_body_holds_amounts_as_people_write_them() -> None:
    terms = order_terms(
        **KNOWN, order_class="bracket", take_profit_price="200.00", stop_loss_price="1E+2", stop_loss_limit_price="99.5"
    )

    body = terms.body("x")

    assert body["qty"] == "10"
    assert body["take_profit"] == {"limit_price": "200"}
    assert body["stop_loss"] == {"stop_price": "100", "limit_price": "99.5"}
    assert "limit_price" not in body


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"quantity": 0}, "quantity: Input should be greater than 0, got 0"),
        ({"quantity": -1}, "quantity: Input should be greater than 0, got -1"),
        ({"quantity": "NaN"}, "quantity: 'NaN' is no number"),
        ({"quantity": float("inf")}, "quantity: inf is no number"),
        ({"quantity": "ten"}, "quantity: 'ten' is no number"),
        ({"quantity": True}, "quantity: True is no number"),
        ({"quantity": "0.1234567891"}, "expected at most 9 decimals"),
        ({"notional": 100}, "exactly one of quantity"),
        ({"quantity": None}, "exactly one of quantity"),
        ({"quantity": None, "notional": "1.005"}, "notional is 1.005; expected at most 2 decimals"),
        ({"symbol": "ibm"}, "symbol: String should match pattern"),
        ({"side": "hold"}, "side: Input should be 'buy' or 'sell', got 'hold'"),
        ({"type": "limit"}, "a limit order needs a limit_price"),
        ({"limit_price": 5}, "a market order takes no limit_price"),
        ({"type": "limit", "limit_price": "180.255"}, "expected a price in cents"),
        ({"type": "limit", "limit_price": "0.12345"}, "4 decimals below 1 dollar"),
        ({"type": "trailing_stop"}, "exactly one of trail_price and trail_percent"),
        ({"type": "trailing_stop", "trail_price": 1, "trail_percent": 1}, "exactly one of trail_price"),
        ({"type": "stop", "stop_price": 5, "time_in_force": "opg"}, "opg is for market and limit orders"),
        ({"quantity": "1.5", "time_in_force": "gtc"}, "fractions of a share must be time in force day"),
        ({"quantity": "1.5", "type": "trailing_stop", "trail_price": 1}, "cannot be a trailing stop"),
        ({"quantity": None, "notional": 5, "order_class": "oto", "stop_loss_price": 1}, "exits need whole shares"),
        ({"extended_hours": True}, "extended hours take limit orders"),
        ({"take_profit_price": 5}, "need order class bracket, oco or oto"),
        ({"order_class": "bracket", "take_profit_price": 5}, "needs take_profit_price and stop_loss_price"),
        ({"order_class": "bracket", "take_profit_price": 5, "stop_loss_price": 6}, "must be above stop_loss_price"),
        ({"order_class": "oto", "take_profit_price": 9, "time_in_force": "ioc"}, "oto orders are day or gtc"),
        ({"order_class": "bracket", "type": "limit", "limit_price": 7, "take_profit_price": 9, "stop_loss_price": 7},
         "at least 0.01 below 7"),
        ({"order_class": "oto", "take_profit_price": 9, "stop_loss_price": 6}, "exactly one of take_profit_price"),
        ({"order_class": "oco", "take_profit_price": 9, "stop_loss_price": 6}, "it is the exit itself"),
        ({"stop_loss_limit_price": 9}, "needs a stop_loss_price"),
        ({"colour": "red"}, "colour: Extra inputs are not permitted"),
    ],
)  # fmt: skip
def test_what_the_broker_would_refuse_is_refused_before_in_one_line(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(OrderTermsError) as caught:
        order_terms(**{**KNOWN, **fields})

    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_id_that_is_too_long_never_leaves() -> None:
    check_client_order_id("x" * 128)
    with pytest.raises(OrderTermsError, match="129 characters; expected 1 to 128"):
        check_client_order_id("x" * 129)


@given(st.decimals("0.0001", "100000", places=7), st.sampled_from(["buy", "sell"]))
def test_a_rounded_price_is_on_the_grid_and_no_worse(price: Decimal, side: Any) -> None:
    rounded = rounded_to_grid(price, side)

    assert on_grid(rounded)
    assert rounded <= price if side == "buy" else rounded >= price
    assert abs(rounded - price) < Decimal("0.01")
