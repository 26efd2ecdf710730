"""How fast indicators and signals are, beside TA-Lib looped over the symbols.

`python -m benchmarks.indicators [--json]` computes the common indicators over 500 symbols x 2,520 bars: ours from a
panel to a panel, TA-Lib symbol by symbol from the same panel into a result of the same shape, and once more from
arrays that were laid out for it before the clock started. Then the eight shipped strategies decide on the panel's
last bar. Every figure is the best of several runs; what compiling takes, once after an install, is told apart.
"""

from __future__ import annotations

import argparse
import sys
import time
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import talib
from rich.console import Console
from rich.table import Table

from benchmarks.verdicts import Figure, conclude
from trading.bars import Panel
from trading.calendar import bar_timestamp, sessions
from trading.indicators.catalogue import CATALOGUE
from trading.indicators.computing import BySymbol, turned
from trading.rules import Pairs
from trading.signals import decide
from trading.strategies import SHIPPED

if TYPE_CHECKING:
    from collections.abc import Callable

    from trading.bars import Floats

SYMBOLS, BARS, RUNS = 500, 2520, 7
TARGET_MS = 200
PAIRS = tuple((f"S{number:03}", f"S{number + 1:03}") for number in range(0, 20, 2))
"""Of 500 symbols the pairs are named: all of them would be 124,750 tests."""

PEERS: dict[str, Callable[..., Any]] = {
    "sma": lambda _h, _l, c: talib.SMA(c, 20),
    "ema": lambda _h, _l, c: talib.EMA(c, 20),
    "rsi": lambda _h, _l, c: talib.RSI(c, 14),
    "macd": lambda _h, _l, c: talib.MACD(c, 12, 26, 9),
    "bollinger_upper": lambda _h, _l, c: talib.BBANDS(c, 20, 2, 2),
    "atr": talib.ATR,
    "adx": talib.ADX,
}


def random_panel() -> Panel:
    """Return random walks of daily bars."""
    generator = np.random.default_rng(11)
    close = 50 * np.exp(generator.normal(0, 0.015, (BARS, SYMBOLS)).cumsum(axis=0))
    start = np.vstack((close[:1], close[:-1]))
    spread = 1 + np.abs(generator.normal(0, 0.01, close.shape))
    days = sessions(date(2003, 1, 2), date(2014, 1, 2))[:BARS]
    stamps = np.array([bar_timestamp(day).replace(tzinfo=None) for day in days], dtype="datetime64[ns]")
    symbols = tuple(f"S{number:03}" for number in range(SYMBOLS))
    high, low = np.maximum(start, close) * spread, np.minimum(start, close) / spread
    return Panel(stamps, symbols, start, high, low, close, np.floor(generator.uniform(1e5, 1e7, close.shape)))


def best(work: Callable[[], object]) -> float:
    """Return the seconds of the fastest of several runs."""
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def ours(name: str, panel: Panel) -> list[Floats]:
    """Return every output of an indicator's kernel, (T, N) each."""
    indicator = CATALOGUE[name]
    values = [int(one.default) if one.whole else one.default for one in indicator.parameters]
    return [turned(one) for one in BySymbol(panel).kernel(indicator.kernel, indicator.inputs, values)]


def looped(name: str, panel: Panel) -> list[Floats]:
    """Return TA-Lib's outputs, (T, N) each, from the panel's columns."""
    outputs: list[Floats] = []
    for column in range(SYMBOLS):
        fields = [np.ascontiguousarray(field[:, column]) for field in (panel.high, panel.low, panel.close)]
        found = PEERS[name](*fields)
        found = found if isinstance(found, tuple) else (found,)
        outputs = outputs or [np.empty(panel.close.shape) for _ in found]
        for out, values in zip(outputs, found, strict=True):
            out[:, column] = values
    return outputs


def alone(name: str, laid_out: list[tuple[Floats, ...]]) -> None:
    """Run TA-Lib over arrays that lie as it wants them, and keep nothing."""
    for fields in laid_out:
        PEERS[name](*fields)


def measured() -> dict[str, Any]:
    """Return all figures: seconds for each indicator and for the strategies."""
    panel = random_panel()
    columns = zip(panel.high.T, panel.low.T, panel.close.T, strict=True)
    laid_out = [tuple(np.ascontiguousarray(field) for field in fields) for fields in columns]
    rows = []
    for name in PEERS:
        started = time.perf_counter()
        ours(name, panel)
        first = time.perf_counter() - started
        mine, theirs = best(partial(ours, name, panel)), best(partial(looped, name, panel))
        kernel = best(partial(alone, name, laid_out))
        rows.append({"indicator": name, "first": first, "ours": mine, "talib": theirs, "talib alone": kernel})
    pairs = SHIPPED["pairs"].model_copy(update={"rule": Pairs(pairs=PAIRS)})
    strategies = [*(strategy for name, strategy in SHIPPED.items() if name != "pairs"), pairs]
    each = {strategy.name: 0.0 for strategy in strategies}
    for strategy in strategies:
        decide(strategy, panel)
        each[strategy.name] = best(partial(decide, strategy, panel))
    return {"indicators": rows, "strategies": each, "signals": sum(each.values())}


def show(found: dict[str, Any]) -> None:
    """Print the figures as tables."""
    console = Console()
    table = Table("indicator", "ours, ms", "TA-Lib looped, ms", "ratio", "TA-Lib laid out, ms", "ratio")
    for row in found["indicators"]:
        figures = (row["ours"] * 1e3, row["talib"] * 1e3, row["talib"] / row["ours"])
        rest = (row["talib alone"] * 1e3, row["talib alone"] / row["ours"])
        table.add_row(row["indicator"], *(f"{value:.1f}" for value in (*figures, *rest)))
    console.print(table)
    table = Table("strategy", "signals of the last bar, ms")
    for name, seconds in found["strategies"].items():
        table.add_row(name, f"{seconds * 1e3:.1f}")
    table.add_row("all eight", f"{found['signals'] * 1e3:.1f}")
    console.print(table)


def main() -> int:
    """Measure and print; the exit code is 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    asked = parser.parse_args()
    found = measured()
    if not asked.json:
        show(found)
    rows = found["indicators"]
    figures = [Figure(f"{row['indicator']} / TA-Lib", row["talib"] / row["ours"], "x", least=1) for row in rows]
    figures.append(Figure("signals of eight strategies", found["signals"] * 1e3, "ms", most=TARGET_MS))
    return conclude("Indicators and signals, 500 symbols x 2,520 bars", figures, as_json=asked.json, details=found)


if __name__ == "__main__":
    sys.exit(main())
