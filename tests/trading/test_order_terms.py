from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.broker import Clock
from trading.order_terms import (
    EntryOrder,
    OrderTermsError,
    Tradability,
    check_client_order_id,
    check_market,
    on_grid,
    order_terms,
    rounded_to_grid,
)

IBM = Tradability("IBM", tradable=True, fractionable=True, shortable=True)
EXTENDED = {"type": "limit", "limit_price": 5, "extended_hours": True}
KNOWN = {"symbol": "IBM", "side": "buy", "quantity": 10}


def clock(hour: int, minute: int = 0, *, day: int = 3, is_open: bool = True) -> Clock:
    """Return the clock at a New York wall time of December 2012, when New York is five hours behind UTC."""
    now = datetime(2012, 12, day, hour + 5, minute, tzinfo=UTC)
    return Clock(now, is_open, datetime(2012, 12, 4, 14, 30, tzinfo=UTC), datetime(2012, 12, 3, 21, tzinfo=UTC))


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


@pytest.mark.parametrize(
    ("fields", "asset", "now", "held", "words"),
    [
        ({}, None, clock(10), 0, "knows no such symbol"),
        ({}, Tradability("IBM", tradable=False, fractionable=True, shortable=True), clock(10), 0, "cannot be traded"),
        ({"quantity": "1.5"}, Tradability("IBM", True, False, True), clock(10), 0, "whole shares only"),
        ({"side": "sell"}, Tradability("IBM", True, True, False), clock(10), 0, "cannot be sold short"),
        ({"side": "sell", "quantity": "1.5"}, IBM, clock(10), 1, "would sell short, which takes whole shares"),
        ({"side": "sell"}, IBM, clock(10), 4, "sells more than is held (4)"),
        ({"time_in_force": "opg"}, IBM, clock(9, 28, is_open=False), 0, "opg is not taken from 09:28 to 19:00"),
        ({"time_in_force": "cls"}, IBM, clock(15, 50), 0, "cls is not taken from 15:50 to 19:00"),
        ({"time_in_force": "ioc"}, IBM, clock(8, is_open=False), 0, "ioc needs an open market"),
        (EXTENDED, IBM, clock(3, is_open=False), 0, "04:00 to 20:00"),
        (EXTENDED, IBM, clock(10, day=2, is_open=False), 0, "Sun 10"),
    ],
)  # fmt: skip
def test_what_symbol_or_hour_forbid_is_refused_in_one_line(
    fields: dict[str, Any], asset: Tradability | None, now: Clock, held: int, words: str
) -> None:
    with pytest.raises(OrderTermsError) as caught:
        check_market(order_terms(**{**KNOWN, **fields}), asset=asset, clock=now, held=Decimal(held))

    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "now", "held"),
    [
        ({"time_in_force": "opg"}, clock(9, 27, is_open=False), 0),
        ({"time_in_force": "opg"}, clock(18, 59 + 0, day=2, is_open=False), 0),  # a Sunday
        ({"time_in_force": "cls"}, clock(15, 49), 0),
        ({"side": "sell"}, clock(10), 10),
        ({"side": "sell"}, clock(10), 0),
        ({"type": "limit", "limit_price": 5, "extended_hours": True}, clock(17, is_open=False), 0),
    ],
)
def test_what_symbol_and_hour_allow_passes(fields: dict[str, Any], now: Clock, held: int) -> None:
    check_market(order_terms(**{**KNOWN, **fields}), asset=IBM, clock=now, held=Decimal(held))


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


def test_a_strategys_limit_entry_pays_its_offset_and_no_more() -> None:
    entry = EntryOrder(type="limit", time_in_force="opg", limit_offset_bps=50)

    bought = entry.terms(symbol="IBM", side="buy", quantity=Decimal(3), price=Decimal("190.13"))
    sold = entry.terms(symbol="IBM", side="sell", quantity=Decimal(3), price=Decimal("190.13"))
    part = entry.terms(symbol="IBM", side="buy", quantity=Decimal("0.5"), price=Decimal("190.13"))

    assert (bought.limit_price, sold.limit_price) == (Decimal("191.08"), Decimal("189.18"))  # 191.08065, 189.17935
    assert (bought.time_in_force, part.time_in_force) == ("opg", "day")
