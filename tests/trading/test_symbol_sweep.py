from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from tests.trading.backtest.reference import average, long_or_flat
from trading.calendar import session_of
from trading.costs import Costs
from trading.errors import InvalidValueError
from trading.strategies import SHIPPED
from trading.symbol_sweep import evaluate_apart, require_crossover

if TYPE_CHECKING:
    from trading.bars import Panel
    from trading.strategies import Strategy

FIRST_ROW = 600


@pytest.fixture
def crossover() -> Strategy:
    return SHIPPED["sma_crossover"].model_copy(update={"costs": Costs(commission_bps=10)})


def test_figures_are_medians_of_plain_loops_that_begin_at_the_first_session(crossover: Strategy, real: Panel) -> None:
    start = session_of(real.rows(slice(FIRST_ROW, FIRST_ROW + 1)).last_timestamp)
    [found, refused] = evaluate_apart(
        crossover, real, [{"fast": 10, "slow": 30}, {"fast": 30, "slow": 10}], start=start
    )

    gains, sharpes, falls, opened = [], [], [], 0
    for column in range(len(real.symbols)):
        there = np.flatnonzero(~np.isnan(real.close[:, column]))
        begin = int(np.searchsorted(there, FIRST_ROW))
        if begin == len(there):
            continue
        opens, close = real.open[there, column], real.close[there, column]
        above = (average(close, 10) > average(close, 30))[begin:]
        equity = pd.Series(long_or_flat(opens[begin:], close[begin:], above, ~above, cash=1.0, fee=0.001))
        returns = equity.pct_change().dropna()
        gains.append(equity.iloc[-1] - 1)
        falls.append(float((1 - equity / equity.cummax()).max()))
        opened += int((above[:-1] & ~np.append(False, above[:-2])).sum())
        if returns.std() > 0:
            sharpes.append(returns.mean() / returns.std() * 252**0.5)
    assert found["median_return"] == pytest.approx(float(np.median(gains)), rel=1e-9)
    assert found["median_sharpe"] == pytest.approx(float(np.median(sharpes)), rel=1e-6)
    assert found["median_drawdown"] == pytest.approx(float(np.median(falls)), rel=1e-9)
    assert found["symbols_with_gain"] == np.mean(np.array(gains) > 0)
    assert (found["symbols"], found["trades"]) == (len(gains), opened)
    assert set(refused) == {"refused"}
    assert "fast (30) must be below slow (10)" in refused["refused"]


def test_what_cannot_be_swept_by_symbol_is_refused_in_one_line(crossover: Strategy) -> None:
    require_crossover(crossover, {"fast": [5], "slow": [20]})
    with pytest.raises(InvalidValueError, match="each_symbol is 'momentum'; expected a strategy whose rule is sma"):
        require_crossover(SHIPPED["momentum_rotation"], {})
    with pytest.raises(InvalidValueError, match="expected fast and slow"):
        require_crossover(crossover, {"fast": [5], "max_weight": [0.1]})
    with pytest.raises(InvalidValueError, match=r"slippage_bps.*expected commission_bps alone"):
        require_crossover(crossover.model_copy(update={"costs": Costs(slippage_bps=5)}), {"fast": [5]})
