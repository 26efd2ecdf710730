"""Dividends in shares of another day, against the figures Apple publishes."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from trading.adjustment import CashDividend, Split, dividends_as_of, to_actions

PAID = CashDividend("AAPL", date(2014, 5, 8), Decimal("3.29"), special=False)
SEVEN = Split("AAPL", date(2014, 6, 9), 7, 1)
FOUR = Split("AAPL", date(2020, 8, 31), 4, 1)
OTHERS = Split("MSFT", date(2015, 1, 2), 2, 1)


@pytest.mark.parametrize(
    ("as_of", "rate"),
    [
        (date(2014, 5, 8), 3.29),
        (date(2014, 6, 8), 3.29),
        (date(2014, 6, 9), 0.47),  # as the company publishes it since
        (date(2021, 1, 4), 0.1175),
    ],
)
def test_a_dividend_is_of_shares_of_the_day_it_is_seen_on(as_of: date, rate: float) -> None:
    seen = dividends_as_of(to_actions([FOUR, PAID, OTHERS, SEVEN]), as_of)

    assert seen.symbols.tolist() == ["AAPL"]
    assert seen.values.tolist() == pytest.approx([rate], rel=1e-12)


def test_one_that_is_still_to_come_is_not_seen() -> None:
    assert len(dividends_as_of(to_actions([PAID, SEVEN]), date(2014, 5, 7))) == 0


def test_a_split_on_the_same_day_has_been_counted() -> None:
    assert dividends_as_of(to_actions([Split("AAPL", PAID.ex_date, 2, 1), PAID]), date(2014, 5, 8)).values.tolist() == [
        3.29
    ]
