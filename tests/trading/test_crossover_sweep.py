from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from tests.trading.backtest.reference import average, long_or_flat
from trading.crossover_sweep import sweep_crossovers
from trading.errors import DataError, InvalidValueError

if TYPE_CHECKING:
    from trading.bars import Panel

PAIRS = [(20, 50), (5, 10), (1, 2), (50, 3000), (5, 4000), (10, 30)]


def test_each_cell_is_a_plain_loop(real: Panel) -> None:
    found = sweep_crossovers(real, PAIRS, commission_bps=10)
    for at, (fast, slow) in enumerate(PAIRS):
        for column in range(len(real.symbols)):
            there = ~np.isnan(real.close[:, column])
            start, close = real.open[there, column], real.close[there, column]
            above = average(close, fast) > average(close, slow)
            equity = pd.Series(long_or_flat(start, close, above, ~above, cash=1.0, fee=0.001))
            assert found.total_return[at, column] == pytest.approx(equity.iloc[-1] - 1, rel=1e-9, abs=1e-12)
            fall = float((1 - equity / equity.cummax()).max())
            assert found.max_drawdown[at, column] == pytest.approx(fall, rel=1e-9, abs=1e-12)
            opened = int((above[:-1] & ~np.append(False, above[:-2])).sum())
            assert found.trades[at, column] == opened
            returns = equity.pct_change().dropna()
            if opened:
                assert found.sharpe[at, column] == pytest.approx(returns.mean() / returns.std() * 252**0.5, rel=1e-6)
            else:
                assert np.isnan(found.sharpe[at, column])


def test_the_order_of_pairs_is_the_askers(real: Panel) -> None:
    one, two = sweep_crossovers(real, PAIRS), sweep_crossovers(real, PAIRS[::-1])
    np.testing.assert_array_equal(one.total_return, two.total_return[::-1])
    assert one.pairs == tuple(PAIRS)


def test_a_symbol_without_bars_has_no_figures(real: Panel) -> None:
    found = sweep_crossovers(real.without(["IBM"]), [(10, 30)])
    assert np.isnan(found.total_return[0, real.symbols.index("IBM")])
    assert np.isfinite(found.total_return[0, real.symbols.index("AAPL")])


def test_bad_input_is_one_line(real: Panel) -> None:
    with pytest.raises(InvalidValueError, match="a pair of lengths is"):
        sweep_crossovers(real, [(30, 10)])
    with pytest.raises(InvalidValueError, match="pairs"):
        sweep_crossovers(real, [])
    with pytest.raises(DataError, match="no bars"):
        sweep_crossovers(real.rows(slice(0, 0)), [(10, 30)])
