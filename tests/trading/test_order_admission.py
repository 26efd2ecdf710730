from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from trading.broker import Clock
from trading.order_admission import Tradability, check_market
from trading.order_terms import OrderTermsError, order_terms

IBM = Tradability("IBM", tradable=True, fractionable=True, shortable=True)
EXTENDED = {"type": "limit", "limit_price": 5, "extended_hours": True}
KNOWN = {"symbol": "IBM", "side": "buy", "quantity": 10}


def clock(hour: int, minute: int = 0, *, day: int = 3, is_open: bool = True) -> Clock:
    """Return the clock at a New York wall time of December 2012, when New York is five hours behind UTC."""
    now = datetime(2012, 12, day, hour + 5, minute, tzinfo=UTC)
    return Clock(now, is_open, datetime(2012, 12, 4, 14, 30, tzinfo=UTC), datetime(2012, 12, 3, 21, tzinfo=UTC))


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
