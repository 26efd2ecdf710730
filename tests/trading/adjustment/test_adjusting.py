from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import bokeh_sampledata.stocks as sample
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.adjustment import CashDividend, SpinOff, Split, adjust, convention_of, derive, to_actions
from trading.bars import FIELDS, to_panel
from trading.calendar import bar_timestamp, sessions
from trading.errors import DataError, InvalidValueError

if TYPE_CHECKING:
    from trading.adjustment import CorporateAction
    from trading.bars import Floats

DAYS = sessions(date(2012, 2, 20), date(2012, 6, 30))
LATE = date(2030, 1, 1)


def frame(closes: dict[str, list[float]]) -> pd.DataFrame:
    rows = [
        {"symbol": symbol, "ts": bar_timestamp(day), "close": close}
        for symbol, column in closes.items()
        for day, close in zip(DAYS, column, strict=False)
    ]
    bars = pd.DataFrame(rows)
    bars["ts"] = pd.to_datetime(bars["ts"], utc=True)
    return bars.assign(open=bars["close"], high=bars["close"], low=bars["close"], volume=100.0)


def closes(bars: pd.DataFrame, symbol: str = "X") -> list[float]:
    return bars.loc[bars["symbol"] == symbol, "close"].tolist()


def total(bars: pd.DataFrame, *actions: CorporateAction, as_of: date = LATE, **how: Any) -> pd.DataFrame:
    return adjust(bars, to_actions(actions), as_of, kind="total", **how)


def own(symbol: str) -> tuple[list[date], Floats, Floats, pd.DataFrame]:
    source = pd.DataFrame(getattr(sample, symbol))
    days = [date.fromisoformat(str(day)[:10]) for day in source["date"]]
    close, adjusted = (source[name].to_numpy(dtype=np.float64) for name in ("close", "adj_close"))
    stamps = pd.to_datetime([bar_timestamp(day) for day in days], utc=True)
    bars = source[["open", "high", "low", "close", "volume"]].assign(symbol=symbol, ts=stamps)
    return days, close, adjusted, bars


@pytest.mark.parametrize("symbol", ["AAPL", "IBM", "MSFT"])
def test_derived_actions_give_the_sources_own_adjusted_closes_back(symbol: str) -> None:
    days, close, adjusted, bars = own(symbol)
    actions = to_actions(derive(symbol, days, close, adjusted))
    ours = adjust(bars, actions, LATE, kind="total", convention=convention_of(close, adjusted))["close"].to_numpy()
    ratio = ours / adjusted
    np.testing.assert_allclose(ratio / ratio[-1], 1.0, rtol=1e-9)


@pytest.mark.parametrize("symbol", ["AAPL", "IBM", "MSFT"])
def test_crsps_convention_agrees_within_a_thousandth_but_for_one_special_dividend(symbol: str) -> None:
    days, close, adjusted, bars = own(symbol)
    actions = to_actions(derive(symbol, days, close, adjusted))
    ratio = adjust(bars, actions, LATE, kind="total")["close"].to_numpy() / adjusted
    away = np.abs(ratio / ratio[-1] - 1)
    since = 0 if symbol != "MSFT" else days.index(date(2004, 11, 15))
    assert away[since:].max() < 0.001
    assert away.max() < 0.002  # Microsoft's 3.08 USD: a tenth of the price, taken at another close


def test_a_split_divides_prices_and_multiplies_volume() -> None:
    adjusted = total(frame({"X": [90.0, 96.0, 32.0]}), Split("X", DAYS[2], 3, 1))
    np.testing.assert_allclose(closes(adjusted), [30.0, 32.0, 32.0])
    np.testing.assert_allclose(adjusted["volume"], [300.0, 300.0, 100.0])


def test_a_reverse_split_multiplies_prices() -> None:
    adjusted = total(frame({"X": [1.0, 1.0, 10.0]}), Split("X", DAYS[2], 1, 10))
    np.testing.assert_allclose(closes(adjusted), [10.0, 10.0, 10.0])
    np.testing.assert_allclose(adjusted["volume"], [10.0, 10.0, 100.0])


def test_a_dividend_leaves_volume_and_is_not_part_of_split_adjustment() -> None:
    bars, paid = frame({"X": [50.0, 40.0, 39.0]}), CashDividend("X", DAYS[2], Decimal(1), special=False)
    adjusted = total(bars, paid)
    np.testing.assert_allclose(closes(adjusted), [48.75, 39.0, 39.0])
    assert adjusted["volume"].tolist() == [100.0] * 3
    assert closes(adjust(bars, to_actions([paid]), LATE)) == [50.0, 40.0, 39.0]


def test_a_spin_off_takes_its_share_of_the_value() -> None:
    adjusted = total(frame({"X": [100.0, 100.0, 75.0]}), SpinOff("X", DAYS[2], Decimal("0.25")))
    np.testing.assert_allclose(closes(adjusted), [75.0, 75.0, 75.0])


def test_a_dividend_on_the_day_of_a_split_is_paid_on_the_new_shares() -> None:
    actions = Split("X", DAYS[1], 2, 1), CashDividend("X", DAYS[1], Decimal(1), special=False)
    adjusted = total(frame({"X": [100.0, 49.0]}), *actions)
    np.testing.assert_allclose(closes(adjusted), [49.0, 49.0])


@given(before=st.floats(5, 500), after=st.floats(5, 500), cash=st.floats(0.01, 4), ratio=st.sampled_from([2, 3, 1 / 2]))
def test_returns_over_an_ex_date_are_what_the_holder_earned(
    before: float, after: float, cash: float, ratio: float
) -> None:
    bars = frame({"X": [before, after]})
    paid = CashDividend("X", DAYS[1], Decimal(str(cash)), special=False)
    crsp = closes(total(bars, paid))
    reinvested = closes(total(bars, paid, convention="ex_date_close"))
    assert crsp[1] / crsp[0] == pytest.approx(after / (before - cash))
    assert reinvested[1] / reinvested[0] == pytest.approx((after + cash) / before)
    new, old = (int(ratio), 1) if ratio > 1 else (1, int(1 / ratio))
    split = closes(total(bars, Split("X", DAYS[1], new, old)))
    assert split[1] / split[0] == pytest.approx(after * ratio / before)


def action_on(symbol: str, day: int, kind: str) -> CorporateAction:
    if kind == "split":
        return Split(symbol, DAYS[day], 2, 1)
    if kind == "dividend":
        return CashDividend(symbol, DAYS[day], Decimal("0.7"), special=False)
    return SpinOff(symbol, DAYS[day], Decimal("0.1"))


PLACES = st.tuples(
    st.sampled_from(["A", "B.C", "D/E"]), st.integers(0, 39), st.sampled_from(["split", "dividend", "x"])
)


@given(places=st.lists(PLACES, max_size=12, unique=True), cut=st.integers(0, 39))
def test_what_comes_after_a_date_never_changes_what_was_seen_then(places: list[tuple[str, int, str]], cut: int) -> None:
    walk = [50.0 + number for number in range(40)]
    bars = frame({"A": walk, "B.C": walk[::-1], "D/E": walk[:20]})
    every = to_actions(action_on(*place) for place in places)
    early = to_actions(action_on(*place) for place in places if place[1] <= cut)
    for convention in ("previous_close", "ex_date_close"):
        one, other = (adjust(bars, known, DAYS[cut], kind="total", convention=convention) for known in (every, early))
        pd.testing.assert_frame_equal(one, other)
        last = one.groupby("symbol")["close"].last()
        assert last["A"] == walk[-1]
        seen = bars["ts"] <= pd.Timestamp(bar_timestamp(DAYS[cut]))
        alone = adjust(bars[seen], early, DAYS[cut], kind="total", convention=convention)
        pd.testing.assert_frame_equal(alone, one[seen])


@given(places=st.lists(PLACES, max_size=12, unique=True), cut=st.integers(0, 39), seed=st.integers(0, 5))
def test_panels_and_frames_in_any_order_are_adjusted_alike(
    places: list[tuple[str, int, str]], cut: int, seed: int
) -> None:
    walk = [50.0 + number for number in range(40)]
    bars = frame({"A": walk, "B.C": walk[::-1], "D/E": walk[:20]}).sample(frac=1, random_state=seed)
    actions = to_actions(action_on(*place) for place in places)
    order = ["D/E", "A", "unknown", "B.C"]
    from_frame = to_panel(adjust(bars, actions, DAYS[cut], kind="total"), order)
    from_panel = adjust(to_panel(bars, order), actions, DAYS[cut], kind="total")
    for field in FIELDS:
        np.testing.assert_allclose(from_panel.field(field), from_frame.field(field))


def test_a_dividend_is_taken_at_the_last_close_there_is() -> None:
    bars = frame({"X": [50.0, 40.0, float("nan"), 39.0], "W": [7.0] * 4})
    adjusted = total(bars, CashDividend("X", DAYS[3], Decimal(1), special=False))
    assert adjusted.loc[adjusted["symbol"] == "X", "close"].iloc[0] == pytest.approx(50 * 39 / 40)
    assert closes(adjusted, "W") == [7.0] * 4


def test_the_29th_of_february_and_the_day_the_clocks_change_are_ex_dates_like_others() -> None:
    bars = frame({"X": [float(number) for number in range(10, 40)]})
    leap, monday = date(2012, 2, 29), date(2012, 3, 12)
    assert {leap, monday} <= set(DAYS)
    adjusted = closes(total(bars, Split("X", leap, 2, 1), Split("X", monday, 2, 1)))
    first, second = DAYS.index(leap), DAYS.index(monday)
    raw = closes(bars)
    assert adjusted[:first] == [close / 4 for close in raw[:first]]
    assert adjusted[first:second] == [close / 2 for close in raw[first:second]]
    assert adjusted[second:] == raw[second:]


def test_minutes_of_the_ex_date_are_already_in_its_terms() -> None:
    stamps = [datetime(2012, 3, 9, 20, 59, tzinfo=UTC), datetime(2012, 3, 12, 8, 0, tzinfo=UTC)]
    bars = frame({"X": [10.0, 5.0]}).assign(ts=pd.DatetimeIndex(stamps))
    assert closes(total(bars, Split("X", date(2012, 3, 12), 2, 1))) == [5.0, 5.0]


def test_actions_out_of_bounds_or_unknown_are_refused() -> None:
    bars = frame({"X": [1.0, 2.0]})
    ex_date = [DAYS[1]]
    with pytest.raises(InvalidValueError, match=r"spin_off share of X on 2012-02-22"):
        to_actions([SpinOff("X", DAYS[1] + timedelta(days=0), Decimal("1.5"))])
    with pytest.raises(DataError, match="unknown kind 'gift'"):
        adjust(bars, pd.DataFrame({"symbol": ["X"], "ex_date": ex_date, "kind": ["gift"]}), LATE)
    with pytest.raises(DataError, match="lack the column cash"):
        adjust(bars, pd.DataFrame({"symbol": ["X"], "ex_date": ex_date, "kind": ["dividend"]}), LATE)


def test_a_dividend_above_the_price_leaves_the_bars_as_they_are() -> None:
    bars = frame({"X": [1.0, 2.0]})
    assert closes(total(bars, CashDividend("X", DAYS[1], Decimal(5), special=True))) == [1.0, 2.0]
