from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from simulator.corporate_actions import action_id
from trading.adjustment import CashDividend, Split

if TYPE_CHECKING:
    from simulator.market import Market


def test_the_splits_of_the_built_in_data_are_the_published_ones(market: Market) -> None:
    splits = [a for history in market.histories.values() for a in history.actions if isinstance(a, Split)]
    assert [(a.symbol, a.ex_date, a.new_rate, a.old_rate) for a in splits] == [
        ("AAPL", date(2000, 6, 21), 2, 1),
        ("AAPL", date(2005, 2, 28), 2, 1),
        ("MSFT", date(2003, 2, 18), 2, 1),
    ]


@pytest.mark.parametrize(
    ("symbol", "since", "published"),
    [
        ("AAPL", date(2012, 1, 1), [("2012-08-09", "2.65"), ("2012-11-07", "2.65"), ("2013-02-07", "2.65")]),
        (
            "MSFT",
            date(2012, 1, 1),
            [
                ("2012-02-14", "0.2"),
                ("2012-05-15", "0.2"),
                ("2012-08-14", "0.2"),
                ("2012-11-13", "0.23"),
                ("2013-02-19", "0.23"),
            ],
        ),
        (
            "IBM",
            date(2012, 1, 1),
            [
                ("2012-02-08", "0.75"),
                ("2012-05-08", "0.85"),
                ("2012-08-08", "0.85"),
                ("2012-11-07", "0.85"),
                ("2013-02-06", "0.85"),
            ],
        ),
        ("GOOG", date(2000, 1, 1), []),
        ("FB", date(2000, 1, 1), []),
    ],
)
def test_the_dividends_of_the_built_in_data_are_the_published_ones(
    market: Market, symbol: str, since: date, published: list[tuple[str, str]]
) -> None:
    actions = [a for a in market.histories[symbol].actions if isinstance(a, CashDividend) and a.ex_date >= since]
    assert [(str(a.ex_date), str(a.rate)) for a in actions] == published


def test_microsofts_three_dollars_of_2004_are_special_and_the_quarterly_ones_are_not(market: Market) -> None:
    paid = {a.ex_date: a for a in market.histories["MSFT"].actions if isinstance(a, CashDividend)}
    assert paid[date(2004, 11, 15)].rate == Decimal("3.08")
    assert [day for day, action in paid.items() if action.special] == [date(2004, 11, 15)]


def test_actions_come_in_date_order_without_repetition(market: Market) -> None:
    for history in market.histories.values():
        assert all(a.ex_date <= b.ex_date for a, b in pairwise(history.actions))
        assert len({action_id(a) for a in history.actions}) == len(history.actions)
