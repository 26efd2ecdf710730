from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import numpy as np

from trading.adjustment import CashDividend, Split, convention_of, derive

DAYS = [date(2010, 1, 1) + timedelta(days=number) for number in range(200)]


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


def test_the_convention_of_the_source_is_recognised() -> None:
    close = prices()
    crsp, reinvested = close.copy(), close.copy()
    for day in (60, 130):
        crsp[:day] *= 1 - 0.35 / close[day - 1]
        reinvested[:day] /= 1 + 0.35 / close[day]
    assert convention_of(close, crsp) == "previous_close"
    assert convention_of(close, reinvested) == "ex_date_close"
