"""How fast backtests are, beside a bare loop, backtesting.py, vectorbt and backtrader, and whether they agree.

`python -m benchmarks.backtest [--json]`: one strategy over a million minute bars; a thousand pairs of averages over
500 symbols of ten years; a portfolio with stops over the same. vectorbt and backtrader need other versions of what
the project pins: they run in an environment of their own, which `uv` makes. Figures are ratios, taken in one run.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numba import prange
from rich.console import Console
from rich.table import Table

from benchmarks.verdicts import Figure, conclude, load
from trading.backtest import Exits, Rules, follow, run, weights_of
from trading.bars import FIELDS, Panel
from trading.calendar import bar_timestamp, completed_bars, open_at, sessions
from trading.compilation import compiled, spread
from trading.costs import Costs
from trading.crossover_sweep import sweep_crossovers
from trading.sizing import Sizing
from trading.strategies import SHIPPED

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from trading.bars import Floats

FEE = 0.001
MINUTES, DAYS, SYMBOLS, PAIRS = 1_000_000, 2_520, 500, 1_000
PEER_BARS = 20_000
"""Bars that backtesting.py is given: its time grows with their number, and a million would take minutes."""
PEER_PAIRS, PEER_SYMBOLS = 20, 20
PEERS = ("vectorbt==1.2.0", "backtrader==1.9.78.123")
FRACTIONS = Sizing(whole_shares=False, rebalance_band=1.0)


def walk(rows: int, columns: int, deviation: float) -> tuple[Floats, Floats, Floats, Floats]:
    """Return opens, highs, lows and closes of random walks, (T, N)."""
    random = np.random.default_rng(7)
    close = 80 * np.exp(np.cumsum(random.normal(0, deviation, (rows, columns)), axis=0))
    start = np.vstack((close[:1], close[:-1] * (1 + random.normal(0, deviation / 4, (rows - 1, columns)))))
    spread = 1 + np.abs(random.normal(0, deviation / 2, (rows, columns)))
    return start, np.maximum(start, close) * spread, np.minimum(start, close) / spread, close


def minute_panel() -> Panel:
    """Return a million minute bars of regular hours of one symbol."""
    stamps = completed_bars("1Min", open_at(date(2002, 1, 2)), open_at(date(2013, 1, 2)))[:MINUTES]
    bars = walk(MINUTES, 1, 0.0005)
    return Panel(
        stamps.tz_localize(None).to_numpy().astype("datetime64[ns]"), ("ONE",), *bars, np.full((MINUTES, 1), 1e5)
    )


def daily_panel() -> Panel:
    """Return ten years of daily bars of 500 symbols."""
    days = sessions(date(2001, 1, 2), date(2012, 12, 31))[:DAYS]
    stamps = np.array([bar_timestamp(day).replace(tzinfo=None) for day in days], dtype="datetime64[ns]")
    bars = walk(DAYS, SYMBOLS, 0.015)
    names = tuple(f"S{column}" for column in range(SYMBOLS))
    return Panel(stamps, names, *bars, np.full((DAYS, SYMBOLS), 1e6))


def crossings(close: Floats, fast: int, slow: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return where the fast average comes above the slow one, and below."""
    averages = (pd.Series(close).rolling(length).mean().to_numpy() for length in (fast, slow))
    above = np.greater(*averages)
    up, down = np.zeros_like(above), np.zeros_like(above)
    up[1:], down[1:] = above[1:] & ~above[:-1], above[:-1] & ~above[1:]
    return up, down


@compiled
def bare_loop(start: Floats, close: Floats, wanted: Floats, cash: float, fee: float, equity: Floats) -> int:
    """Fill what was wanted at the close before at the open, and note the equity: nothing else."""
    held, trades = 0.0, 0
    for row in range(len(start)):
        if row > 0:
            want = wanted[row - 1]
            if want == 1.0 and held == 0.0:
                held = cash / (start[row] * (1 + fee))
                cash -= held * start[row] * (1 + fee)
                trades += 1
            elif want == 0.0 and held > 0.0:
                cash += held * start[row] * (1 - fee)
                held = 0.0
        equity[row] = cash + held * close[row]
    return trades


@spread
def bare_sweep(
    starts: Floats, closes: Floats, averages: Floats, pairs: NDArray[np.int64], fee: float, final: Floats
) -> None:
    """Compare two averages, fill at the next open, note the final equity: nothing else; (N, T) bars."""
    for symbol in prange(len(closes)):
        start, close = starts[symbol], closes[symbol]
        for pair in range(len(pairs)):
            fast, slow = averages[symbol, pairs[pair, 0]], averages[symbol, pairs[pair, 1]]
            cash, held, wanted = 1.0, 0.0, False
            for row in range(len(close)):
                if wanted and held == 0.0:
                    held = cash / (start[row] * (1 + fee))
                    cash = 0.0
                elif not wanted and held > 0.0:
                    cash = held * start[row] * (1 - fee)
                    held = 0.0
                wanted = fast[row] > slow[row]
            final[symbol, pair] = cash + held * close[-1]


def best_of(times: int, work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the least seconds of several runs, and the last answer."""
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        answer = work()
        seconds.append(time.perf_counter() - started)
    return min(seconds), answer


def one_strategy() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the figures of the minute bars, and the arrays that the peers read."""
    panel = minute_panel()
    close = panel.close[:, 0]
    entries, exits = crossings(close, 100, 400)
    weights = weights_of(entries, exits)
    costs, rules = Costs(commission_bps=FEE * 10_000), Rules(size_at="fill")

    def ours() -> float:
        result = follow(panel, weights, capital=10_000, costs=costs, rules=rules, sizing=FRACTIONS)
        _ = result.metrics, result.round_trips, result.costs_paid
        return float(result.equity.iloc[-1])

    def tables() -> int:
        result = follow(panel, weights, capital=10_000, costs=costs, rules=rules, sizing=FRACTIONS)
        return len(result.trades) + len(result.fills) + len(result.refused) + len(result.exposure)

    equity = np.empty(MINUTES)
    start, wanted = np.ascontiguousarray(panel.open[:, 0]), np.ascontiguousarray(weights[:, 0])
    started = time.perf_counter()
    ours()
    first = time.perf_counter() - started
    bare_loop(start, close, wanted, 10_000.0, FEE, equity)
    bare, trades = best_of(9, lambda: bare_loop(start, close, wanted, 10_000.0, FEE, equity))
    seconds, final = best_of(9, ours)
    with_tables, _ = best_of(3, tables)
    figures = {
        "bars": MINUTES,
        "trades": int(trades),
        "first_call_seconds": first,
        "seconds": seconds,
        "with_tables_seconds": with_tables,
        "bare_seconds": bare,
        "of_bare": bare / seconds,
        "final": final,
        "bare_final": float(equity[-1]),
        "backtesting_seconds_a_bar": backtesting_py(panel, entries, exits),
    }
    figures["times_backtesting_py"] = figures["backtesting_seconds_a_bar"] * MINUTES / seconds
    arrays = {
        "minute_ts": panel.timestamps,
        "minute_open": panel.open[:, 0],
        "minute_close": close,
        "entries": entries,
        "exits": exits,
        "fee": np.array(FEE),
    }
    return figures, arrays


def backtesting_py(panel: Panel, entries: NDArray[np.bool_], exits: NDArray[np.bool_]) -> float:
    """Return the seconds a bar of backtesting.py, given the same signals."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from backtesting import Backtest, Strategy

        class Follower(Strategy):  # type: ignore[misc]
            def init(self) -> None:
                self.wanted = self.I(lambda: np.where(entries, 1.0, np.where(exits, 0.0, 0.5))[:PEER_BARS], plot=False)

            def next(self) -> None:
                if self.wanted[-1] == 1.0 and not self.position:
                    self.buy()
                elif self.wanted[-1] == 0.0 and self.position:
                    self.position.close()

        part = panel.rows(slice(0, PEER_BARS))
        frame = pd.DataFrame(
            {name.capitalize(): part.field(name)[:, 0] for name in ("open", "high", "low", "close", "volume")},
            index=pd.DatetimeIndex(part.timestamps),
        )
        test = Backtest(frame, Follower, cash=10_000, commission=FEE, finalize_trades=True)
        seconds, _ = best_of(2, test.run)
    return seconds / PEER_BARS


def pairs_of(count: int) -> list[tuple[int, int]]:
    """Return that many (fast, slow) lengths."""
    pairs = [(fast, slow) for fast in range(5, 55) for slow in range(60, 260, 10)]
    return pairs[:count]


def sweep(panel: Panel) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the figures of the sweep, and the arrays that the peers read."""
    pairs = pairs_of(PAIRS)
    lengths = sorted({length for pair in pairs for length in pair})
    starts, closes = np.ascontiguousarray(panel.open.T), np.ascontiguousarray(panel.close.T)
    averages = np.stack([pd.DataFrame(panel.close).rolling(length).mean().to_numpy().T for length in lengths], axis=1)
    averages = np.ascontiguousarray(averages)
    indices = np.array([(lengths.index(fast), lengths.index(slow)) for fast, slow in pairs], dtype=np.int64)
    final = np.empty((SYMBOLS, PAIRS))
    bare_sweep(starts[:2], closes[:2], averages[:2], indices, FEE, final[:2])
    bare, _ = best_of(3, lambda: bare_sweep(starts, closes, averages, indices, FEE, final))
    sweep_crossovers(panel, pairs[:2], commission_bps=FEE * 10_000)
    seconds, found = best_of(3, lambda: sweep_crossovers(panel, pairs, commission_bps=FEE * 10_000))
    few = pairs_of(PEER_PAIRS)
    figures = {
        "cells": PAIRS * SYMBOLS * DAYS,
        "seconds": seconds,
        "cells_a_second": PAIRS * SYMBOLS * DAYS / seconds,
        "bare_seconds": bare,
        "of_bare": bare / seconds,
        "differs_from_bare": float(np.abs(found.total_return.T + 1 - final).max()),
        "peak_memory_mib": peak_memory(),
        "peer_total": found.total_return[:PEER_PAIRS, :PEER_SYMBOLS],
    }
    arrays = {
        "daily_open": panel.open[:, :PEER_SYMBOLS],
        "daily_close": panel.close[:, :PEER_SYMBOLS],
        "pairs": np.array(few, dtype=np.int64),
    }
    return figures, arrays


def peak_memory() -> float:
    """Return the most memory this process has held so far, MiB."""
    import psutil

    held = psutil.Process().memory_info()
    if sys.platform == "win32":
        return float(held.peak_wset) / 2**20
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (2**20 if sys.platform == "darwin" else 2**10)


def portfolio(panel: Panel) -> dict[str, Any]:
    """Return the figures of a strategy with stops over the whole panel."""

    def work() -> int:
        exits = Exits(stop_loss=0.08, trailing_stop=0.15, take_profit=0.5)
        result = run(SHIPPED["sma_crossover"], panel, costs=Costs(commission_bps=10), exits=exits)
        _ = result.metrics
        return len(result.log.fills)

    started = time.perf_counter()
    work()
    first = time.perf_counter() - started
    seconds, fills = best_of(3, work)
    return {"symbols": SYMBOLS, "sessions": DAYS, "fills": fills, "first_call_seconds": first, "seconds": seconds}


def one_daily(panel: Panel) -> tuple[float, dict[str, Any]]:
    """Return our final equity of one symbol's SMA 10/30, and the arrays for backtrader."""
    single = Panel(panel.timestamps, ("S0",), *(panel.field(name)[:, :1].copy() for name in FIELDS))
    entries, exits = crossings(single.close[:, 0], 10, 30)
    result = follow(
        single,
        weights_of(entries, exits),
        capital=10_000,
        costs=Costs(commission_bps=FEE * 10_000),
        rules=Rules(size_at="fill"),
        sizing=FRACTIONS.model_copy(update={"whole_shares": False}),
    )
    arrays = {f"one_{name}": single.field(name)[:, 0] for name in ("open", "high", "low", "close", "volume")}
    return float(result.equity.iloc[-1]), arrays | {"one_entries": entries, "one_exits": exits}


def peers(arrays: dict[str, Any]) -> dict[str, Any]:
    """Run vectorbt and backtrader in an environment of their own; a reason in words where that cannot be."""
    uv = shutil.which("uv")
    if uv is None:
        return {"missing": "uv is not on the path"}
    script = Path(__file__).with_name("peers") / "vectorbt_run.py"
    chosen = [word for peer in PEERS for word in ("--with", peer)]
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "arrays.npz"
        np.savez(path, **arrays)
        command = [
            uv,
            "run",
            "--no-project",
            "--isolated",
            "--python",
            version,
            *chosen,
            "python",
            str(script),
            str(path),
        ]
        environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env=environment)
    if done.returncode:
        return {"missing": done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "no answer"}
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


def measure() -> dict[str, Any]:
    """Measure everything."""
    one, arrays = one_strategy()
    panel = daily_panel()
    swept, more = sweep(panel)
    stops = portfolio(panel)
    final, single = one_daily(panel)
    answer = peers(arrays | more | single)
    ours = swept.pop("peer_total")
    if "missing" not in answer:
        one["times_vectorbt"] = answer["one_seconds"] / one["seconds"]
        one["differs_from_vectorbt"] = abs(answer["one_final"] / one["final"] - 1)
        cells = PEER_PAIRS * PEER_SYMBOLS * DAYS
        swept["times_vectorbt"] = answer["sweep_seconds"] / cells * swept["cells_a_second"]
        swept["differs_from_vectorbt"] = float(np.abs(np.array(answer.pop("sweep_total")) - ours).max())
        if answer["backtrader_final"] is not None:
            stops["differs_from_backtrader"] = abs(answer["backtrader_final"] / final - 1)
    return {"one_strategy": one, "sweep": swept, "portfolio_with_stops": stops, "peers": answer, "load": load()}


def show(figures: dict[str, Any]) -> None:
    """Print a table of everything measured."""
    table = Table("what", "figure", "value", title="Backtests")
    for part, values in figures.items():
        for name, value in values.items() if isinstance(values, dict) else [("", values)]:
            table.add_row(part, name, f"{value:,.4g}" if isinstance(value, float) else str(value))
    Console().print(table)


def main() -> int:
    """Measure and print; the exit code is 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    asked = parser.parse_args()
    figures = measure()
    if not asked.json:
        show(figures)
    one, swept, stops = figures["one_strategy"], figures["sweep"], figures["portfolio_with_stops"]
    met = [
        Figure("1M minute bars / bare loop", one["of_bare"], "x", least=0.4),
        Figure("1M minute bars / backtesting.py", one["times_backtesting_py"], "x", least=300),
        Figure("sweep / bare parallel kernel", swept["of_bare"], "x", least=0.6),
        Figure("sweep, peak memory", swept["peak_memory_mib"], "MiB", most=2048),
        Figure("portfolio with stops, 500 symbols x 2,520", stops["seconds"], "s", most=0.5),
    ]
    if "times_vectorbt" in one:
        met.insert(2, Figure("1M minute bars / vectorbt", one["times_vectorbt"], "x", least=10))
        met.insert(4, Figure("sweep / vectorbt", swept["times_vectorbt"], "x", least=100))
    return conclude("Backtests beside their peers", met, as_json=asked.json, details=figures)


if __name__ == "__main__":
    sys.exit(main())
