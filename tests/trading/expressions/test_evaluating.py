from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.expressions import FUNCTIONS, condition, parse, series
from trading.indicators import BySymbol
from trading.indicators.long_tail import LONG_TAIL

if TYPE_CHECKING:
    from collections.abc import Callable

    from trading.bars import Floats, Panel


def value(text: str, panel: Panel) -> Floats:
    return series(parse(text, gives="series"), BySymbol(panel)).T


def holds(text: str, panel: Panel) -> np.typing.NDArray[np.bool_]:
    return condition(parse(text), BySymbol(panel)).yes.T


def test_figures_agree_with_pandas(real: Panel) -> None:
    close, high = real.frame("close"), real.frame("high")
    own = close["IBM"]
    at = real.symbols.index("IBM")
    expected = {
        "sma(close / open, 10)": (own / real.frame("open")["IBM"]).rolling(10).mean(),
        "highest(high, 20) - close": high["IBM"].rolling(20).max() - own,
        "change(close, 5)": own.diff(5),
        "-close * 2 + 1": -own * 2 + 1,
        "log(close) - log(ago(close, 1))": np.log(own).diff(),
        "max(close, open) - min(close, open)": (own - real.frame("open")["IBM"]).abs(),
        "total(volume, 3)": real.frame("volume")["IBM"].rolling(3).sum(),
        "rank(roc(close, 20))": close.pct_change(20, fill_method=None).rank(axis=1, ascending=False)["IBM"],
        "percent_rank(volume)": (real.frame("volume").rank(axis=1)["IBM"] - 1) / (close.notna().sum(axis=1) - 1),
        "close / universe_mean(close)": own / close.mean(axis=1),
        "breadth(close > sma(close, 50))": (close > close.rolling(50).mean()).sum(axis=1)
        / close.rolling(50).mean().notna().sum(axis=1),
    }
    for text, theirs in expected.items():
        np.testing.assert_allclose(value(text, real)[:, at], theirs, rtol=1e-9, atol=1e-9, err_msg=text)


def test_crosses_agree_with_pandas(real: Panel) -> None:
    own = real.frame("close")["IBM"]
    fast, slow = own.rolling(20).mean(), own.rolling(50).mean()
    above = (fast > slow) & (fast.shift() <= slow.shift())
    found = holds("crossed_above(sma(close, 20), sma(close, 50))", real)[:, 3]
    np.testing.assert_array_equal(found, above)
    assert 20 < found.sum() < 100
    below = (own < 100) & (own.shift() >= 100)
    np.testing.assert_array_equal(holds("crossed_below(close, 100)", real)[:, 3], below)


def test_conditions_look_back_over_the_symbols_own_bars(make_panel: Callable[..., Panel]) -> None:
    panel = make_panel([[1.0, 1.0], [5.0, np.nan], [2.0, 5.0], [6.0, 6.0], [1.0, 7.0]])
    assert holds("always(close > 4, 2)", panel).T.tolist() == [[False] * 5, [False, False, False, True, True]]
    assert holds("ever(close > 4, 2)", panel)[:, 0].tolist() == [False, True, True, True, True]
    assert value("ago(close, 1)", panel)[2, 1] == 1.0  # the missing bar is left out


def test_the_unknown_is_neither_true_nor_false(make_panel: Callable[..., Panel]) -> None:
    panel = make_panel([[1.0], [2.0], [3.0]])
    for text in (
        "sma(close, 3) > 0",
        "not sma(close, 3) > 0",
        "1 / (close - close) > 0",
        "not 1 / (close - close) > 0",
    ):
        assert not holds(text, panel)[:2].any(), text
    assert holds("sma(close, 3) > 0 or close > 1", panel)[:, 0].tolist() == [False, True, True]
    assert holds("not (sma(close, 3) > 0 and close < 0)", panel)[:, 0].tolist() == [True, True, True]
    assert holds("1 < close < 3", panel)[:, 0].tolist() == [False, True, False]


OTHERS = {one.name for one in LONG_TAIL}  # questioned by themselves
ARGUMENTS = {"series": "close * 2 - open", "condition": "close > open", "value": "high - low"}


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name not in OTHERS])
@settings(max_examples=8)
@given(cut=st.integers(1, 700))
def test_no_function_can_look_ahead(name: str, cut: int, real: Panel) -> None:
    panel = real.rows(slice(-700, None))
    function = FUNCTIONS[name]
    constants = [str(3 + number) for number, _ in enumerate(function.parameters)]
    text = f"{name}({', '.join([*(ARGUMENTS[takes] for _, takes in function.takes), *constants])})"
    whole = _any_value(text, panel)
    np.testing.assert_array_equal(_any_value(text, panel.rows(slice(0, cut))), whole[:cut])


def _any_value(text: str, panel: Panel) -> Floats:
    kind = FUNCTIONS[text.partition("(")[0]].gives
    return value(text, panel) if kind == "series" else holds(text, panel).astype(np.float64)


def test_an_empty_panel_has_no_values(make_panel: Callable[..., Panel]) -> None:
    empty = make_panel(np.zeros((0, 3)))
    assert value("sma(close, 3) + rank(close)", empty).shape == (0, 3)
    assert pd.isna(value("sma(close, 3)", make_panel([[np.nan], [np.nan], [np.nan], [np.nan]]))).all()
