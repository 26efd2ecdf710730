from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pandas_ta as ta
import pytest
import talib
from hypothesis import given
from hypothesis import strategies as st

from trading.bars import FIELDS, Panel
from trading.errors import InvalidValueError, UnknownNameError
from trading.indicators import CATALOGUE, DEFAULT_INDICATORS, BySymbol, compute, parse, warm_up
from trading.indicators.core import CORE as ENTRIES

if TYPE_CHECKING:
    from collections.abc import Callable

    from trading.bars import Floats

IBM = 3
CORE = [one.name for one in ENTRIES]


def column(spec: str, panel: Panel) -> Floats:
    return compute(spec, panel)[:, IBM]


def test_the_catalogue_documents_itself() -> None:
    for name, indicator in CATALOGUE.items():
        assert indicator.name == name
        assert indicator.description.endswith(".")
        assert set(indicator.inputs) <= {"open", "high", "low", "close", "volume", "market"}
        for parameter in indicator.parameters:
            assert parameter.least <= parameter.default <= parameter.most


def test_a_spec_names_an_indicator_and_its_parameters() -> None:
    indicator, values = parse("macd_12_26_9")
    assert (indicator.name, values) == ("macd", (12, 26, 9))
    assert parse("bollinger_upper_20")[1] == (20, 2)
    assert parse("rsi")[1] == (14,)


def test_an_unknown_indicator_gets_a_suggestion(real: Panel) -> None:
    with pytest.raises(UnknownNameError, match=r"unknown indicator 'bolinger_upper'; did you mean"):
        compute("bolinger_upper_20", real)


@pytest.mark.parametrize("spec", ["sma_0", "sma_-5", "sma_2.5", "sma_9999", "sma_5_5", "rsi_14x", "sma_nan"])
def test_parameters_out_of_range_are_refused(spec: str, real: Panel) -> None:
    with pytest.raises((InvalidValueError, UnknownNameError)):
        compute(spec, real)


def test_figures_by_hand(make_panel: Callable[..., Panel]) -> None:
    panel = make_panel([[1.0], [2.0], [4.0], [8.0]])
    np.testing.assert_allclose(compute("sma_2", panel)[:, 0], [np.nan, 1.5, 3, 6])
    np.testing.assert_allclose(compute("ema_2", panel)[:, 0], [np.nan, 1.5, 19 / 6, 115 / 18])
    np.testing.assert_allclose(compute("roc_1", panel)[:, 0], [np.nan, 100, 100, 100])
    np.testing.assert_allclose(compute("zscore_2", panel)[:, 0], [np.nan, *[0.5**0.5] * 3])
    np.testing.assert_allclose(compute("dollar_volume_2", panel)[:, 0], [np.nan, 1.5e6, 3e6, 6e6])


def test_rsi_by_hand_after_wilder(make_panel: Callable[..., Panel]) -> None:
    panel = make_panel([[10.0], [11.0], [10.0], [12.0]])
    rises, falls = np.array([1 / 2, 2.5 / 2]), np.array([1 / 2, 0.5 / 2])
    rises[1], falls[1] = (rises[0] + 2) / 2, falls[0] / 2
    expected = [np.nan, np.nan, *(100 * rises / (rises + falls))]
    np.testing.assert_allclose(compute("rsi_2", panel)[:, 0], expected)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("sma_50", lambda f: ta.sma(f.close, 50, talib=False)),
        ("ema_20", lambda f: ta.ema(f.close, 20, talib=False)),
        ("bollinger_lower_20_2", lambda f: ta.bbands(f.close, 20, 2, ddof=0, talib=False).iloc[:, 0]),
        ("bollinger_upper_20_2", lambda f: ta.bbands(f.close, 20, 2, ddof=0, talib=False).iloc[:, 2]),
        ("bollinger_width_20_2", lambda f: ta.bbands(f.close, 20, 2, ddof=0, talib=False).iloc[:, 3] / 100),
        ("bollinger_percent_20_2", lambda f: ta.bbands(f.close, 20, 2, ddof=0, talib=False).iloc[:, 4]),
        ("roc_126", lambda f: ta.roc(f.close, 126, talib=False)),
        ("zscore_20", lambda f: (f.close - f.close.rolling(20).mean()) / f.close.rolling(20).std()),
        ("volatility_20", lambda f: np.log(f.close).diff().rolling(20).std() * 252**0.5),
        ("dollar_volume_20", lambda f: (f.close * f.volume).rolling(20).mean()),
    ],
)
def test_values_agree_with_pandas_ta_from_the_first_on(
    ours: str, theirs: Callable[[pd.DataFrame], pd.Series[float]], real: Panel
) -> None:
    expected = theirs(ibm(real)).to_numpy(dtype=np.float64)
    found = column(ours, real)
    both = ~np.isnan(found) & ~np.isnan(expected)
    assert both.sum() >= len(real) - warm_up(ours)
    np.testing.assert_allclose(found[both], expected[both], rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("rsi_14", lambda f: ta.rsi(f.close, 14, talib=False)),
        ("atr_14", lambda f: ta.atr(f.high, f.low, f.close, 14, talib=False)),
        ("macd_12_26_9", lambda f: ta.macd(f.close, talib=False).iloc[:, 0]),
        ("macd_histogram_12_26_9", lambda f: ta.macd(f.close, talib=False).iloc[:, 1]),
        ("macd_signal_12_26_9", lambda f: ta.macd(f.close, talib=False).iloc[:, 2]),
        ("adx_14", lambda f: ta.adx(f.high, f.low, f.close, 14, talib=False).iloc[:, 0]),
    ],
)
def test_wilders_averages_agree_with_pandas_ta_once_the_seed_is_forgotten(
    ours: str, theirs: Callable[[pd.DataFrame], pd.Series[float]], real: Panel
) -> None:
    expected = theirs(ibm(real)).to_numpy(dtype=np.float64)
    np.testing.assert_allclose(column(ours, real)[600:], expected[600:], rtol=1e-8, atol=1e-9)


PLAIN: Any = 0  # TA-Lib's number of the simple average

TA_LIB: dict[str, Callable[..., object]] = {
    "sma_20": lambda o, h, low, c, v: talib.SMA(c, 20),
    "sma_200": lambda o, h, low, c, v: talib.SMA(c, 200),
    "ema_20": lambda o, h, low, c, v: talib.EMA(c, 20),
    "wma_20": lambda o, h, low, c, v: talib.WMA(c, 20),
    "rsi_14": lambda o, h, low, c, v: talib.RSI(c, 14),
    "macd_12_26_9": lambda o, h, low, c, v: talib.MACD(c, 12, 26, 9)[0],
    "macd_signal_12_26_9": lambda o, h, low, c, v: talib.MACD(c, 12, 26, 9)[1],
    "macd_histogram_12_26_9": lambda o, h, low, c, v: talib.MACD(c, 12, 26, 9)[2],
    "bollinger_upper_20_2": lambda o, h, low, c, v: talib.BBANDS(c, 20, 2, 2)[0],
    "bollinger_lower_20_2": lambda o, h, low, c, v: talib.BBANDS(c, 20, 2, 2)[2],
    "atr_14": lambda o, h, low, c, v: talib.ATR(h, low, c, 14),
    "adx_14": lambda o, h, low, c, v: talib.ADX(h, low, c, 14),
    "stochastic_k_14_3_3": lambda o, h, low, c, v: talib.STOCH(h, low, c, 14, 3, PLAIN, 3, PLAIN)[0],
    "stochastic_d_14_3_3": lambda o, h, low, c, v: talib.STOCH(h, low, c, 14, 3, PLAIN, 3, PLAIN)[1],
    "donchian_upper_20": lambda o, h, low, c, v: talib.MAX(h, 20),
    "donchian_lower_20": lambda o, h, low, c, v: talib.MIN(low, 20),
    "keltner_upper_20_10_2": lambda o, h, low, c, v: talib.EMA(c, 20) + 2 * talib.ATR(h, low, c, 10),
    "roc_20": lambda o, h, low, c, v: talib.ROC(c, 20),
    "obv": lambda o, h, low, c, v: talib.OBV(c, v),
    "obv_change_20": lambda o, h, low, c, v: talib.OBV(c, v) - shifted(talib.OBV(c, v), 20),
    "vwap_20": lambda o, h, low, c, v: talib.SUM(talib.TYPPRICE(h, low, c) * v, 20) / talib.SUM(v, 20),
    "zscore_20": lambda o, h, low, c, v: (c - talib.SMA(c, 20)) / (talib.STDDEV(c, 20) * (20 / 19) ** 0.5),
    "volatility_20": lambda o, h, low, c, v: moved(talib.STDDEV(np.diff(np.log(c)), 20) * (20 / 19 * 252) ** 0.5),
}


def shifted(values: Floats, bars: int) -> Floats:
    return np.concatenate((np.full(bars, np.nan), values[:-bars]))


def moved(values: Floats) -> Floats:
    return np.concatenate(([np.nan], values))


@pytest.mark.parametrize("spec", TA_LIB)
@pytest.mark.parametrize("gaps", ["all bars", "missing bars"])
def test_values_agree_with_ta_lib_from_its_first_output(spec: str, gaps: str, real: Panel) -> None:
    panel = real if gaps == "all bars" else with_gaps(real)
    ours = compute(spec, panel)
    for symbol in range(len(panel.symbols)):  # FB was listed in 2012, IBM in 1911
        there = ~np.isnan(panel.close[:, symbol])
        fields = [np.ascontiguousarray(panel.field(name)[there, symbol]) for name in FIELDS]
        theirs = np.asarray(TA_LIB[spec](*fields))
        known = ~np.isnan(theirs)
        if not known.any():
            continue
        scale = max(1.0, float(np.abs(theirs[known]).max()))
        np.testing.assert_allclose(ours[there, symbol][known] / scale, theirs[known] / scale, rtol=1e-9, atol=1e-9)
        assert np.isnan(ours[~there, symbol]).all()
        assert np.flatnonzero(known)[0] >= warm_up(spec) - 1


def test_beta_agrees_with_ta_lib(real: Panel) -> None:
    data = BySymbol(real)
    for symbol in range(len(real.symbols)):
        there = ~np.isnan(real.close[:, symbol])
        market = np.ascontiguousarray(data.field("market")[symbol, there])
        theirs = talib.BETA(market, np.ascontiguousarray(real.close[there, symbol]), 60)
        known = ~np.isnan(theirs)
        np.testing.assert_allclose(compute("beta_60", real)[there, symbol][known], theirs[known], rtol=1e-9, atol=1e-9)


def with_gaps(panel: Panel) -> Panel:
    hole = np.random.default_rng(3).random(panel.close.shape) < 0.1
    return Panel(panel.timestamps, panel.symbols, *(np.where(hole, np.nan, panel.field(name)) for name in FIELDS))


@pytest.mark.parametrize("spec", CORE)
def test_a_live_update_of_the_last_bar_equals_the_batch(spec: str, real: Panel) -> None:
    end, changed = 1500, 1.013
    fields = {name: real.field(name)[:end].copy() for name in FIELDS}
    for values in fields.values():
        values[-1] *= changed
    live = compute(spec, Panel(real.timestamps[:end], real.symbols, **fields))
    np.testing.assert_array_equal(live[:-1], compute(spec, real)[: end - 1])
    longer = {name: np.vstack((fields[name], real.field(name)[end:])) for name in FIELDS}
    np.testing.assert_array_equal(live[-1], compute(spec, Panel(real.timestamps, real.symbols, **longer))[end - 1])


@pytest.mark.parametrize("spec", [one.name for one in ENTRIES if one.memory is not one.warm_up])
def test_a_recursive_value_forgets_where_history_starts_when_its_memory_is_over(spec: str, real: Panel) -> None:
    indicator, values = parse(spec)
    whole = compute(spec, real)[:, IBM]
    for end in (1000, 2222, 3269):
        part = compute(spec, real.rows(slice(end + 1 - indicator.memory(*values), end + 1)))[-1, IBM]
        assert part == pytest.approx(whole[end], rel=1e-8, abs=1e-8)


def ibm(real: Panel) -> pd.DataFrame:
    return pd.DataFrame({name: real.field(name)[:, IBM] for name in FIELDS})


@pytest.mark.parametrize("spec", [*DEFAULT_INDICATORS, *CORE])
def test_the_first_value_comes_exactly_at_the_warm_up(spec: str, real: Panel) -> None:
    found = np.flatnonzero(~np.isnan(column(spec, real)))
    assert found[0] == warm_up(spec) - 1


@pytest.mark.parametrize("spec", DEFAULT_INDICATORS)
def test_no_value_depends_on_later_bars(spec: str, real: Panel) -> None:
    whole = compute(spec, real)
    for end in (1, 30, 333, 1500):
        np.testing.assert_array_equal(compute(spec, real.rows(slice(0, end))), whole[:end])


@pytest.mark.parametrize("spec", ["sma_50", "roc_126", "volatility_20", "zscore_20", "bollinger_percent_20_2"])
@given(first=st.integers(0, 3000))
def test_windowed_values_do_not_depend_on_where_history_starts(spec: str, first: int, real: Panel) -> None:
    whole, part = compute(spec, real)[first:], compute(spec, real.rows(slice(first, None)))
    known = ~np.isnan(part)
    np.testing.assert_array_equal(part[known], whole[known])


def test_a_missing_bar_is_nan_and_leaves_the_rest_alone(make_panel: Callable[..., Panel]) -> None:
    panel = make_panel([[1.0, 1.0], [2.0, np.nan], [3.0, 2.0], [4.0, 3.0]])
    np.testing.assert_array_equal(compute("sma_2", panel), [[np.nan, np.nan], [1.5, np.nan], [2.5, 1.5], [3.5, 2.5]])


@pytest.mark.parametrize("spec", CORE)
def test_empty_and_short_and_flat_panels_are_no_surprise(spec: str, make_panel: Callable[..., Panel]) -> None:
    assert compute(spec, make_panel(np.zeros((0, 2)))).shape == (0, 2)
    short = f"{spec}_3" if CATALOGUE[spec].parameters else spec
    assert np.isnan(compute(short, make_panel([[5.0]]))).all() or warm_up(short) == 1
    flat = compute(spec, make_panel(np.full((60, 1), 7.0), spread=0.0))
    assert not np.isinf(flat).any()
    if spec == "rsi":
        assert flat[-1, 0] == 50
    if spec == "adx":
        assert flat[-1, 0] == 0
