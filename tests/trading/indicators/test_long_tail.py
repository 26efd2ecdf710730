from __future__ import annotations

import subprocess
import sys
import warnings
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import pytest

from trading.bars import FIELDS, Panel
from trading.errors import InvalidValueError
from trading.expressions import ExpressionError, series
from trading.expressions import parse as parse_expression
from trading.indicators import CATALOGUE, BySymbol, compute, parse, warm_up
from trading.indicators.core import CORE
from trading.indicators.long_tail import LONG_TAIL, STUDIES
from trading.indicators.long_tail.left_out import LEFT_OUT
from trading.indicators.long_tail.running import library

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from trading.bars import Floats
    from trading.indicators import Indicator
    from trading.indicators.long_tail.study import Study

DENSE, HOLES, LATE = 0, 1, 2
PANEL_BARS = 200


def random_bars(bars: int, symbols: int, *, seed: int) -> Panel:
    draw = np.random.default_rng(seed)
    close = 50 * np.exp(np.cumsum(draw.normal(0, 0.015, (bars, symbols)), axis=0))
    opens = np.vstack((close[:1], close[:-1])) * np.exp(draw.normal(0, 0.004, close.shape))
    high = np.maximum(opens, close) * (1 + np.abs(draw.normal(0, 0.005, close.shape)))
    low = np.minimum(opens, close) * (1 - np.abs(draw.normal(0, 0.005, close.shape)))
    volume = np.floor(1e6 * np.exp(draw.normal(0, 0.4, close.shape)))
    days = np.datetime64("2001-01-01", "ns") + np.arange(bars) * np.timedelta64(1, "D")
    return Panel(days, tuple(f"S{i}" for i in range(symbols)), opens, high, low, close, volume)


@pytest.fixture(scope="module")
def panel() -> Panel:
    """Three symbols: all bars, a tenth of them missing, listed at bar 40."""
    whole = random_bars(PANEL_BARS, 3, seed=5)
    hole = np.zeros(whole.close.shape, dtype=bool)
    hole[:, HOLES] = np.random.default_rng(3).random(PANEL_BARS) < 0.1
    hole[:40, LATE] = True
    return Panel(whole.timestamps, whole.symbols, *(np.where(hole, np.nan, whole.field(name)) for name in FIELDS))


@pytest.fixture(scope="module")
def known(panel: Panel) -> BySymbol:
    return BySymbol(panel)


@pytest.fixture(scope="module")
def long() -> BySymbol:
    return BySymbol(random_bars(5400, 1, seed=8))


def default(study: Study) -> tuple[float, ...]:
    return tuple(int(one.default) if one.whole else float(one.default) for one in study.parameters)


def every(study: Study, data: BySymbol, values: Sequence[float] | None = None) -> Floats:
    return data.kernel(study.kernel, study.inputs, default(study) if values is None else values)


def agree(found: Floats, expected: Floats) -> None:
    scale = np.nanmax(np.abs(expected), initial=1.0)
    np.testing.assert_allclose(found / scale, expected / scale, rtol=1e-10, atol=1e-12)


EVERY = pytest.mark.parametrize("study", STUDIES.values(), ids=lambda study: study.function)


def test_there_are_more_than_a_hundred_and_none_takes_anothers_name() -> None:
    assert len(STUDIES) >= 120
    assert len(LONG_TAIL) >= 180
    assert len(CATALOGUE) == len(CORE) + len(LONG_TAIL)


def test_every_function_of_pandas_ta_is_either_in_or_left_out_for_a_reason() -> None:
    there = set(chain.from_iterable(library().Category.values())) | {"dm", "drawdown", "ttm_trend", "vp"}
    own = {study.function for study in STUDIES.values()}
    assert own | set(LEFT_OUT) == there | {"cdl_doji", "cdl_inside"}
    assert not own & set(LEFT_OUT)


@EVERY
def test_no_value_depends_on_later_bars(study: Study, panel: Panel, known: BySymbol) -> None:
    whole = every(study, known)
    assert np.isfinite(whole[:, DENSE]).any()
    for end in (30, 150):
        agree(every(study, BySymbol(panel.rows(slice(0, end)))), whole[:, :, :end])
        later = {name: panel.field(name).copy() for name in FIELDS}
        for values in later.values():
            values[end:] = values[end:][::-1] * 3
        scrambled = Panel(panel.timestamps, panel.symbols, **later)
        agree(every(study, BySymbol(scrambled))[:, :, :end], whole[:, :, :end])


def test_a_missing_bar_has_no_value_and_the_rest_is_as_if_it_had_never_been(panel: Panel, known: BySymbol) -> None:
    there = ~np.isnan(panel.close[:, HOLES])
    fields = (np.ascontiguousarray(panel.field(name)[there][:, [HOLES]]) for name in FIELDS)
    alone = BySymbol(Panel(panel.timestamps[there], (panel.symbols[HOLES],), *fields))
    for study in STUDIES.values():
        whole = every(study, known)[:, HOLES]
        assert np.isnan(whole[:, ~there]).all(), study.function
        np.testing.assert_array_equal(whole[:, there], every(study, alone)[:, 0], study.function)


def shifted(study: Study) -> tuple[float, ...]:
    return tuple(
        min(value + 3, int(one.most)) if one.whole else value
        for one, value in zip(study.parameters, default(study), strict=True)
    )


def smallest(study: Study) -> tuple[float, ...]:
    return tuple(
        int(one.least) if one.whole else value for one, value in zip(study.parameters, default(study), strict=True)
    )


@EVERY
def test_the_first_value_comes_exactly_at_the_warm_up(study: Study, known: BySymbol) -> None:
    for values in (default(study), shifted(study), smallest(study)):
        found = every(study, known, values)
        for indicator in study.indicators():
            first = int(np.flatnonzero(~np.isnan(found[indicator.output, DENSE]))[0])
            if study.function == "hilo":  # there is none before the close first leaves the averages
                assert first >= indicator.warm_up(*values) - 1
                continue
            assert first == indicator.warm_up(*values) - 1
            shorter = BySymbol(known.panel.rows(slice(0, first + 1)))
            assert np.isfinite(every(study, shorter, values)[indicator.output, DENSE, -1])


@EVERY
def test_a_value_forgets_where_the_history_starts_when_its_memory_is_over(study: Study, long: BySymbol) -> None:
    indicators = [one for one in study.indicators() if not one.anchored]
    whole = every(study, long)
    for end in (5000, 5399):
        for bars in {one.memory(*default(study)) for one in indicators}:
            part = every(study, BySymbol(long.panel.rows(slice(end + 1 - bars, end + 1))))[:, :, -1]
            for one in indicators:
                if one.memory(*default(study)) == bars:
                    expected = whole[one.output, :, end]
                    np.testing.assert_allclose(part[one.output], expected, rtol=1e-8, atol=1e-8 * _size(one))


def _size(indicator: Indicator) -> float:
    """Return how large figures are that a value is the difference of."""
    return 1e6 if "volume" in indicator.inputs else 1.0


def test_parameters_out_of_bounds_get_one_clear_line() -> None:
    for indicator in LONG_TAIL:
        for at, parameter in enumerate(indicator.parameters):
            for wrong in (parameter.most + 1, parameter.least - 1):
                values = [f"{one.default:g}" for one in indicator.parameters]
                values[at] = f"{wrong:g}"
                with pytest.raises(InvalidValueError) as raised:
                    parse("_".join([indicator.name, *values]))
                assert f"{parameter.name} of indicator" in str(raised.value)
                assert f"from {parameter.least:g} to {parameter.most:g}" in str(raised.value)
                assert "\n" not in str(raised.value)


def test_bounds_of_windows_can_be_reached(long: BySymbol) -> None:
    for study in STUDIES.values():
        values = [int(min(one.most, 400)) if one.whole else one.default for one in study.parameters]
        first = max(one.warm_up(*values) for one in study.indicators()) - 1
        found = every(study, BySymbol(long.panel.rows(slice(0, first + 5))), values)
        assert np.isfinite(found[:, :, -1]).all(), study.function


def test_flat_short_empty_and_untraded_panels_are_no_surprise(make_panel: Callable[..., Panel], panel: Panel) -> None:
    flat = make_panel(np.full((130, 1), 7.0), spread=0.0)
    fields = {name: flat.field(name) for name in FIELDS} | {"volume": np.zeros_like(flat.close)}
    untraded = Panel(flat.timestamps, flat.symbols, **fields)
    absent = Panel(flat.timestamps, flat.symbols, **{name: np.full_like(flat.close, np.nan) for name in FIELDS})
    empty = make_panel(np.zeros((0, 2)))
    for study in STUDIES.values():
        outputs = len(study.outputs)
        assert every(study, BySymbol(empty)).shape == (outputs, 2, 0), study.function
        for bars in (1, 3):
            assert every(study, BySymbol(panel.rows(slice(0, bars)))).shape == (outputs, 3, bars), study.function
        for odd in (flat, untraded):
            assert not np.isinf(every(study, BySymbol(odd))).any(), study.function
        assert np.isnan(every(study, BySymbol(absent))).all(), study.function


def test_nothing_of_pandas_ta_reaches_the_user(panel: Panel, capfd: pytest.CaptureFixture[str]) -> None:
    data = BySymbol(panel)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        for study in STUDIES.values():
            every(study, data)
    assert not heard
    assert capfd.readouterr() == ("", "")


def test_values_are_the_same_without_ta_lib(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    part = Panel(panel.timestamps, panel.symbols[:1], *(panel.field(name)[:, :1] for name in FIELDS))
    before = {kernel: every(study, BySymbol(part)) for kernel, study in STUDIES.items()}
    monkeypatch.setitem(sys.modules, "talib", None)  # importing it fails from here on
    for kernel, study in STUDIES.items():
        np.testing.assert_array_equal(every(study, BySymbol(part)), before[kernel], kernel)


PROGRAM = """
import sys, warnings
import numpy, pandas
import trading.expressions, trading.indicators
NAMES = ("display.max_rows", "mode.chained_assignment", "mode.copy_on_write")
assert "pandas_ta" not in sys.modules
filters, errors = list(warnings.filters), numpy.geterr()
options = {name: pandas.get_option(name) for name in NAMES}
from trading.indicators.long_tail.running import library
assert library().Imports["talib"] is False
assert warnings.filters == filters and numpy.geterr() == errors
assert options == {name: pandas.get_option(name) for name in options}
"""


def test_pandas_ta_is_imported_at_its_first_use_and_leaves_everything_as_it_was() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore:The 'mode:", "-c", PROGRAM], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_strategy_reads_them_as_it_reads_the_core(panel: Panel) -> None:
    data = BySymbol(panel)
    asked = {
        "supertrend(10, 2)": "supertrend_10_2",
        "aroon_up(length=7)": "aroon_up_7",
        "tsi(close, 5, 9, 3)": "tsi_5_9_3",
        "pvo_signal(volume)": "pvo_signal",
    }
    for text, spec in asked.items():
        node = parse_expression(text, gives="series")
        assert node.warm_up == warm_up(spec)
        np.testing.assert_array_equal(series(node, data).T, compute(spec, panel))
    nested = parse_expression("fwma(hl2() - ago(close, 3), 5) > 0")
    assert nested.warm_up == 8


def test_what_depends_on_where_history_starts_is_for_no_strategy() -> None:
    for name in ("ad", "pvt", "drawdown"):
        with pytest.raises(ExpressionError, match=f"{name} depends on where the history starts"):
            parse_expression(f"{name}() > 0")


def test_a_mistake_in_an_expression_names_its_column() -> None:
    with pytest.raises(ExpressionError, match=r"column 23: multiplier of supertrend is 11.0; .* from 0.1 to 10"):
        parse_expression("close > supertrend(9, 11)")
    with pytest.raises(ExpressionError, match=r"column 1: .* looks back .* bars; 5,000 are the most"):
        parse_expression("t3(close, 500) > close")
