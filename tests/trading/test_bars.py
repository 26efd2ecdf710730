from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from trading.adjustment import adjust
from trading.bars import TIMEFRAMES, Panel, duration, moment, to_panel
from trading.errors import DataError, InvalidValueError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable


def bars(rows: list[tuple[str, str, float]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["symbol", "ts", "close"])
    frame["ts"] = pd.to_datetime(frame["ts"], utc=True)
    return frame.assign(open=frame.close, high=frame.close, low=frame.close, volume=100.0)


def test_every_timeframe_has_a_duration() -> None:
    assert [duration(name) for name in TIMEFRAMES] == [
        timedelta(minutes=1),
        timedelta(minutes=5),
        timedelta(minutes=15),
        timedelta(minutes=30),
        timedelta(hours=1),
        timedelta(days=1),
    ]


def test_an_unknown_timeframe_is_named_with_a_suggestion() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown timeframe '1day'; did you mean '1Day'\?"):
        duration("1day")


def test_bars_align_on_one_time_axis_and_gaps_are_nan() -> None:
    panel = to_panel(
        bars([("B", "2012-01-04T05:00Z", 3), ("A", "2012-01-03T05:00Z", 1), ("B", "2012-01-03T05:00Z", 2)])
    )
    assert panel.symbols == ("A", "B")
    np.testing.assert_array_equal(panel.close, [[1.0, 2.0], [np.nan, 3.0]])
    assert panel.last_timestamp == datetime(2012, 1, 4, 5, tzinfo=UTC)


def test_asked_symbols_come_in_their_order_and_absent_ones_are_nan() -> None:
    panel = to_panel(bars([("A", "2012-01-03T05:00Z", 1), ("B", "2012-01-03T05:00Z", 2)]), ["X", "B"])
    assert panel.symbols == ("X", "B")
    np.testing.assert_array_equal(panel.close, [[np.nan, 2.0]])


def test_no_bars_make_an_empty_panel_that_says_so() -> None:
    panel = to_panel(bars([]), ["A"])
    assert panel.close.shape == (0, 1)
    with pytest.raises(DataError, match="no bars of A"):
        _ = panel.last_timestamp


def test_two_bars_of_a_symbol_at_one_time_are_refused() -> None:
    with pytest.raises(DataError, match="two bars of one symbol"):
        to_panel(bars([("A", "2012-01-03T05:00Z", 1), ("A", "2012-01-03T05:00Z", 2)]))


def test_timestamps_without_a_zone_are_refused() -> None:
    frame = bars([("A", "2012-01-03T05:00Z", 1)])
    with pytest.raises(DataError, match="without a time zone"):
        to_panel(frame.assign(ts=frame["ts"].dt.tz_localize(None)))


def test_a_missing_column_is_named() -> None:
    with pytest.raises(DataError, match="lack the column"):
        to_panel(bars([("A", "2012-01-03T05:00Z", 1)]).drop(columns="volume"))


def test_up_to_includes_the_bar_at_that_instant_and_none_after(real: Panel) -> None:
    cut = real.up_to(moment(real.timestamps[100]))
    assert len(cut) == 101
    np.testing.assert_array_equal(cut.close, real.close[:101])
    with pytest.raises(InvalidValueError, match="expected a time zone"):
        real.up_to(datetime(2001, 1, 1))  # noqa: DTZ001 - a naive instant is what is refused


def test_a_frame_has_utc_times_and_a_column_per_symbol(real: Panel) -> None:
    frame = real.frame("close")
    assert str(frame.index.dtype) == "datetime64[ns, UTC]"
    assert list(frame.columns) == list(real.symbols)
    assert frame["IBM"].iloc[-1] == 202.91


def test_the_fingerprint_is_of_exactly_the_values(make_panel: Callable[..., Panel]) -> None:
    one, same = (make_panel([[1.0, 2.0], [3.0, np.nan]]) for _ in range(2))
    other = make_panel([[1.0, 2.0], [3.0000000000000004, np.nan]])
    assert len(one.fingerprint()) == 64
    assert one.fingerprint() == same.fingerprint()
    assert one.fingerprint() != other.fingerprint()
    assert one.fingerprint() != one.rows(slice(0, 1)).fingerprint()


def test_a_panel_of_odd_shapes_is_refused(make_panel: Callable[..., Panel]) -> None:
    panel = make_panel([[1.0], [2.0]])
    with pytest.raises(InvalidValueError, match="shape of open"):
        Panel(panel.timestamps[:1], panel.symbols, *(panel.close,) * 5)


def test_splits_divide_earlier_prices_and_multiply_earlier_volume(raw_bars: pd.DataFrame, splits: pd.DataFrame) -> None:
    adjusted = adjust(raw_bars, splits, date(2013, 3, 1))
    raw, aapl = closes(raw_bars), closes(adjusted)
    assert aapl["2000-03-01"] == raw["2000-03-01"] / 4
    assert aapl["2005-02-25"] == raw["2005-02-25"] / 2
    assert aapl["2005-02-28"] == raw["2005-02-28"]
    first = raw_bars.index[raw_bars["symbol"] == "AAPL"][0]
    assert adjusted["volume"][first] == raw_bars["volume"][first] * 4


def closes(frame: pd.DataFrame) -> dict[str, float]:
    """Return Apple's closes by session."""
    aapl = frame[frame["symbol"] == "AAPL"]
    days = aapl["ts"].dt.tz_convert("America/New_York").dt.strftime("%Y-%m-%d")
    return dict(zip(days, aapl["close"].tolist(), strict=True))


def test_a_split_is_unknown_before_its_day(raw_bars: pd.DataFrame, splits: pd.DataFrame) -> None:
    early = adjust(raw_bars, splits, date(2005, 2, 25))
    aapl = closes(early)
    raw = closes(raw_bars)
    assert aapl["2005-02-25"] == raw["2005-02-25"]
    assert aapl["2000-03-01"] == raw["2000-03-01"] / 2


def test_no_bars_need_no_adjustment(raw_bars: pd.DataFrame, splits: pd.DataFrame) -> None:
    empty = pd.DataFrame(columns=list(raw_bars.columns))
    assert adjust(empty, splits, date(2013, 3, 1)).empty
    assert to_panel(empty, ["A"]).close.shape == (0, 1)


def test_a_split_ratio_of_zero_is_refused(raw_bars: pd.DataFrame, splits: pd.DataFrame) -> None:
    with pytest.raises(InvalidValueError, match="split ratio of AAPL on 2000-06-21"):
        adjust(raw_bars, splits.assign(ratio=0.0), date(2013, 3, 1))
