"""The same trades and the same money as backtesting.py, and as a plain loop."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import quantstats as qs

from tests.trading.backtest.reference import average, crossings, long_or_flat
from trading.backtest import Exits, Rules, follow, weights_of
from trading.bars import Panel
from trading.calendar import bar_timestamp
from trading.costs import Costs
from trading.sizing import Sizing

if TYPE_CHECKING:
    import pandas as pd

    from trading.backtest import BacktestResult
    from trading.bars import Floats

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from backtesting import Backtest, Strategy
    from backtesting.lib import crossover
    from backtesting.test import GOOG, SMA

ALL_CASH = Rules(size_at="fill", at_end="open")
"""As backtesting.py: quantities of the cash at the fill; at the end all is closed at the last bar's open."""


def panel_of(frame: pd.DataFrame) -> Panel:
    """Return daily bars as a panel of one symbol."""
    stamps = [bar_timestamp(day).replace(tzinfo=None) for day in frame.index.to_series().dt.date]
    fields = (frame[[name]].to_numpy(dtype=np.float64) for name in ("Open", "High", "Low", "Close", "Volume"))
    return Panel(np.array(stamps, dtype="datetime64[ns]"), ("GOOG",), *fields)


def averages(frame: pd.DataFrame, fast: int, slow: int) -> tuple[Floats, Floats]:
    return average(frame["Close"].to_numpy(), fast), average(frame["Close"].to_numpy(), slow)


def ours(fast: int, slow: int, commission: float, exits: Exits | None = None) -> BacktestResult:
    up, down = crossings(*averages(GOOG, fast, slow))
    weights = weights_of(up, np.zeros_like(up), down)
    costs = Costs(commission_bps=commission * 10_000)
    return follow(panel_of(GOOG), weights, capital=10_000, costs=costs, rules=ALL_CASH, exits=exits)


def theirs(fast: int, slow: int, commission: float, **distances: float) -> pd.Series[Any]:
    class SmaCross(Strategy):  # type: ignore[misc]
        def init(self) -> None:
            self.fast = self.I(SMA, self.data.Close, fast)
            self.slow = self.I(SMA, self.data.Close, slow)

        def next(self) -> None:
            if crossover(self.fast, self.slow):
                self.position.close()
                self.buy()
            elif crossover(self.slow, self.fast):
                self.position.close()
                self.sell()

    test = Backtest(
        GOOG, SmaCross, cash=10_000, commission=commission, exclusive_orders=True, finalize_trades=True, **distances
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stats: pd.Series[Any] = test.run()
    return stats


def long_only(fast: int, slow: int, fee: float) -> BacktestResult:
    """Run the crossover that is all in or out, in fractions of shares, filled at the next open."""
    return follow(
        panel_of(GOOG),
        weights_of(*crossings(*averages(GOOG, fast, slow))),
        capital=10_000,
        costs=Costs(commission_bps=fee * 10_000),
        sizing=Sizing(whole_shares=False, rebalance_band=1.0),
        rules=Rules(size_at="fill"),
    )


def assert_same_trades(result: BacktestResult, stats: pd.Series[Any]) -> None:
    trades, known = result.trades, stats["_trades"].sort_values("ExitBar", kind="stable")
    signed = trades["quantity"].where(trades["direction"] == "long", -trades["quantity"])
    assert signed.tolist() == known["Size"].tolist()
    dates = GOOG.index.date.tolist()
    assert [stamp.date() for stamp in trades["entry_ts"]] == [dates[bar] for bar in known["EntryBar"]]
    assert [stamp.date() for stamp in trades["exit_ts"]] == [dates[bar] for bar in known["ExitBar"]]
    for mine, other in (("entry_price", "EntryPrice"), ("exit_price", "ExitPrice")):
        np.testing.assert_array_equal(trades[mine].to_numpy(), known[other].to_numpy())
    np.testing.assert_allclose(trades["pnl"], known["PnL"], rtol=1e-9, atol=1e-9)
    assert result.equity.iloc[-1] == pytest.approx(stats["Equity Final [$]"], abs=1e-6)


@pytest.mark.parametrize(
    ("fast", "slow", "commission", "trades", "final"),
    [(10, 30, 0.0, 66, 51_422.99), (10, 30, 0.002, 66, 39_280.74), (10, 20, 0.002, 94, 55_574.51)],
)
def test_the_published_figures_of_the_reversing_crossover(
    fast: int, slow: int, commission: float, trades: int, final: float
) -> None:
    result = ours(fast, slow, commission)
    assert len(result.trades) == trades
    assert round(float(result.equity.iloc[-1]), 2) == final


@pytest.mark.parametrize(
    ("fast", "slow", "commission"),
    [(10, 30, 0.0), (10, 30, 0.002), (10, 20, 0.002), (5, 15, 0.001), (20, 50, 0.0005), (50, 200, 0.01), (3, 7, 0.0)],
)
def test_the_same_trades_one_by_one_as_backtesting_py(fast: int, slow: int, commission: float) -> None:
    assert_same_trades(ours(fast, slow, commission), theirs(fast, slow, commission))


def test_return_drawdown_and_sharpe_as_others_work_them_out() -> None:
    result, stats = ours(10, 30, 0.002), theirs(10, 30, 0.002)
    curve = stats["_equity_curve"]["Equity"]
    np.testing.assert_allclose(result.equity.to_numpy()[:-1], curve.to_numpy()[:-1], rtol=1e-9)
    assert result.metrics.max_drawdown == pytest.approx(-stats["Max. Drawdown [%]"] / 100, rel=1e-9)
    assert result.metrics.total_return == pytest.approx(stats["Return [%]"] / 100, rel=1e-9)
    assert result.metrics.sharpe == pytest.approx(qs.stats.sharpe(curve.pct_change().dropna()), rel=1e-9)


def test_stops_and_targets_as_backtesting_py() -> None:
    """Long only, with a stop and a target at fixed distances of the entry's signal close."""

    class Guarded(Strategy):  # type: ignore[misc]
        def init(self) -> None:
            self.fast = self.I(SMA, self.data.Close, 10)
            self.slow = self.I(SMA, self.data.Close, 30)

        def next(self) -> None:
            for trade in self.trades:  # the distances are of the fill, which is known a bar later
                trade.sl, trade.tp = trade.entry_price * (1 - 0.05), trade.entry_price * (1 + 0.1)
            if crossover(self.fast, self.slow) and not self.position:
                self.buy()
            elif crossover(self.slow, self.fast):
                self.position.close()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stats = Backtest(GOOG, Guarded, cash=10_000, finalize_trades=True).run()
    up, down = crossings(*averages(GOOG, 10, 30))
    exits = Exits(stop_loss=0.05, take_profit=0.1)
    result = follow(panel_of(GOOG), weights_of(up, down), capital=10_000, rules=ALL_CASH, exits=exits)
    trades, known = result.trades, stats["_trades"].sort_values("ExitBar", kind="stable")
    bars = {day: bar for bar, day in enumerate(GOOG.index.date)}
    entered = trades["entry_ts"].map(lambda stamp: bars[stamp.date()])
    left = trades["exit_ts"].map(lambda stamp: bars[stamp.date()])
    later = left > entered  # theirs cannot stop out in the bar of the entry
    assert 20 < later.sum() <= len(trades)
    assert {"stop loss", "take profit", "decided"} <= set(trades["exit_reason"])
    expected = dict(zip(known["EntryBar"], zip(known["ExitBar"], known["ExitPrice"], strict=True), strict=True))
    for entry, exit_bar, price in zip(entered[later], left[later], trades["exit_price"][later], strict=True):
        assert expected[entry] == (exit_bar, pytest.approx(price, rel=1e-12))


@pytest.mark.parametrize(("fast", "slow", "fee"), [(10, 30, 0.001), (5, 20, 0.0), (20, 100, 0.002)])
def test_the_equity_of_a_plain_loop(fast: int, slow: int, fee: float) -> None:
    up, down = crossings(*averages(GOOG, fast, slow))
    panel = panel_of(GOOG)
    result = long_only(fast, slow, fee)
    expected = long_or_flat(panel.open[:, 0], panel.close[:, 0], up, down, cash=10_000, fee=fee)
    np.testing.assert_allclose(result.equity, expected, rtol=1e-9)


@pytest.mark.parametrize(
    ("fast", "slow", "fee", "vectorbt", "backtrader"),
    [
        (10, 30, 0.001, 54_611.23708225305, 54_611.23708220825),
        (20, 100, 0.002, 22_781.381054076715, 22_781.381054063935),
    ],
)
def test_the_final_equity_of_vectorbt_and_backtrader(
    fast: int, slow: int, fee: float, vectorbt: float, backtrader: float
) -> None:
    """Theirs were made by vectorbt 1.2.0 and, cheating on open, backtrader 1.9.78.123: `benchmarks/peers` has how."""
    final = long_only(fast, slow, fee).equity.iloc[-1]

    assert final == pytest.approx(vectorbt, rel=1e-9)
    assert final == pytest.approx(backtrader, rel=1e-9)
