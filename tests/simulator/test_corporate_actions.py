from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from simulator.corporate_actions import CashDividend, Split, derive

if TYPE_CHECKING:
    from simulator.market import Market

DAYS = [date(2010, 1, 1) + timedelta(days=number) for number in range(200)]


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


def prices() -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    walk = np.random.default_rng(7).normal(0, 0.01, len(DAYS)).cumsum()
    return np.asarray(np.round(80 * np.exp(walk), 2))


def test_crsp_factors_rounded_to_cents_still_give_the_dividend_in_cents() -> None:
    close = prices()
    adjusted = close.copy()
    adjusted[:60] *= 1 - 0.35 / close[59]
    adjusted[:130] *= 1 - 0.35 / close[129]
    actions = derive("X", DAYS, close, np.round(adjusted, 2))
    assert [(a.ex_date, str(a.rate)) for a in actions if isinstance(a, CashDividend)] == [
        (DAYS[60], "0.35"),
        (DAYS[130], "0.35"),
    ]
    assert len(actions) == 2


def test_a_split_and_a_dividend_on_one_day_are_told_apart() -> None:
    close = prices()
    close[:100] = np.round(close[:100] * 3, 2)
    adjusted = close.copy()
    adjusted[:100] = adjusted[:100] / 3 * (1 - 0.40 / (close[99] / 3))
    actions = derive("X", DAYS, close, adjusted)
    assert [type(a).__name__ for a in actions] == ["Split", "CashDividend"]
    split, dividend = actions
    assert isinstance(split, Split)
    assert isinstance(dividend, CashDividend)
    assert (split.new_rate, split.old_rate, dividend.rate) == (3, 1, Decimal("0.4"))


def test_a_reverse_split_has_fewer_new_shares() -> None:
    close = prices()
    close[:100] = np.round(close[:100] / 10, 2)
    adjusted = close.copy()
    adjusted[:100] *= 10
    (split,) = derive("X", DAYS, close, adjusted)
    assert isinstance(split, Split)
    assert (split.new_rate, split.old_rate, split.ratio) == (1, 10, Decimal("0.1"))


def test_equal_series_have_no_actions() -> None:
    assert derive("X", DAYS, prices(), prices()) == []


def test_actions_come_in_date_order_without_repetition(market: Market) -> None:
    for history in market.histories.values():
        assert all(a.ex_date <= b.ex_date for a, b in pairwise(history.actions))
        assert len({a.id for a in history.actions}) == len(history.actions)
