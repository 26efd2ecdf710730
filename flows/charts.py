"""Pictures that a Markdown artifact can hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trading.report import Report

if TYPE_CHECKING:
    from trading.backtest import BacktestResult

BLOCKS = "▁▂▃▄▅▆▇█"
WIDTH = 80


def equity_chart(result: BacktestResult) -> Report:
    """Return a backtest's equity curve as a line of blocks, its highest and lowest value named."""
    curve = result.equity
    step = max(1, len(curve) // WIDTH)
    values = curve.iloc[::step]
    low, high = float(values.min()), float(values.max())
    span = high - low or 1.0
    line = "".join(BLOCKS[round((value - low) / span * (len(BLOCKS) - 1))] for value in values)
    note = f"`{line}`\n\n{curve.index[0]} to {curve.index[-1]}, lowest {low:,.2f}, highest {high:,.2f} USD"
    return Report("Equity", notes=[note])
