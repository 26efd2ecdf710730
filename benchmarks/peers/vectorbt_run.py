"""vectorbt and backtrader on the bars of `benchmarks.backtest`, in an environment of their own; prints JSON.

Started by `benchmarks.backtest` with the path of an .npz file: minute bars with signals, daily closes and opens of
several symbols with pairs of lengths, and one symbol's daily bars.
"""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import vectorbt as vbt

if TYPE_CHECKING:
    from collections.abc import Callable


def best_of(times: int, work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the least seconds of several runs, and the last answer."""
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        answer = work()
        seconds.append(time.perf_counter() - started)
    return min(seconds), answer


def one_strategy(data: Any, fee: float) -> tuple[float, float]:
    """Return seconds and final equity of the minute bars."""
    index = pd.to_datetime(data["minute_ts"])
    start, close = pd.Series(data["minute_open"], index), pd.Series(data["minute_close"], index)
    entries, exits = pd.Series(data["entries"], index), pd.Series(data["exits"], index)

    def work() -> float:
        portfolio = vbt.Portfolio.from_signals(
            close,
            entries.vbt.fshift(1, fill_value=False),
            exits.vbt.fshift(1, fill_value=False),
            price=start,
            fees=fee,
            init_cash=10_000.0,
            freq="1min",
        )
        value = portfolio.value()
        len(portfolio.trades.records)
        portfolio.sharpe_ratio()
        portfolio.max_drawdown()
        return float(value.iloc[-1])

    work()
    return best_of(3, work)


def sweep(data: Any, fee: float) -> tuple[float, list[list[float]]]:
    """Return seconds and the (P, N) total returns of the pairs over the daily bars."""
    start, close, pairs = pd.DataFrame(data["daily_open"]), pd.DataFrame(data["daily_close"]), data["pairs"]

    def work() -> list[list[float]]:
        fast = vbt.MA.run(close, window=pairs[:, 0].tolist(), short_name="fast")
        slow = vbt.MA.run(close, window=pairs[:, 1].tolist(), short_name="slow")
        above = fast.ma.to_numpy() > slow.ma.to_numpy()
        entries = np.vstack((np.zeros((1, above.shape[1]), dtype=bool), above[:-1]))
        exits = np.vstack((np.zeros((1, above.shape[1]), dtype=bool), ~above[:-1]))
        count = len(pairs)
        portfolio = vbt.Portfolio.from_signals(
            pd.DataFrame(np.tile(close.to_numpy(), count)),
            entries,
            exits,
            price=np.tile(start.to_numpy(), count),
            fees=fee,
            init_cash=1.0,
            freq="1D",
        )
        portfolio.sharpe_ratio()
        portfolio.max_drawdown()
        portfolio.trades.count()
        total = portfolio.total_return().to_numpy().reshape(count, -1)
        return [list(map(float, row)) for row in total]

    work()
    return best_of(2, work)


def cheat_on_open(data: Any, fee: float) -> float | None:
    """Return backtrader's final equity with decisions of the close before filled at the open; None if it cannot run."""
    try:
        import backtrader as bt
    except ImportError:
        return None
    bars = pd.DataFrame(
        {name: data[f"one_{name}"] for name in ("open", "high", "low", "close", "volume")},
        index=pd.date_range("2000-01-03", periods=len(data["one_open"]), freq="D"),
    )
    entries, exits = data["one_entries"], data["one_exits"]

    class AllIn(bt.Strategy):  # type: ignore[misc]
        def next_open(self) -> None:
            row = len(self.data) - 2  # the bar before: what was known at its close; `len(self)` is not there yet
            if row < 0:
                return
            if entries[row] and not self.position:
                spare = 1e-8  # it refuses what leaves not a cent over, rounding included
                self.buy(size=(self.broker.getcash() - spare) / (self.data.open[0] * (1 + fee)))
            elif exits[row] and self.position:
                self.close()

    engine = bt.Cerebro(cheat_on_open=True, stdstats=False)
    engine.addstrategy(AllIn)
    engine.adddata(bt.feeds.PandasData(dataname=bars))
    engine.broker.setcash(10_000.0)
    engine.broker.setcommission(commission=fee)
    engine.broker.set_coo(True)
    engine.broker.set_checksubmit(False)
    engine.run()
    return float(engine.broker.getvalue())


def main() -> None:
    """Run all of it on the file named first."""
    data = dict(np.load(sys.argv[1]))
    fee = float(data["fee"])
    one_seconds, final = one_strategy(data, fee)
    sweep_seconds, total = sweep(data, fee)
    answer = {
        "version": vbt.__version__,
        "one_seconds": one_seconds,
        "one_final": final,
        "sweep_seconds": sweep_seconds,
        "sweep_total": total,
        "backtrader_final": cheat_on_open(data, fee),
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
