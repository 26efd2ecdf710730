"""Backtest: what a strategy would have done, with the same decisions and sizes as live, and under which assumptions."""

from trading.backtest.assumptions import MARGIN, Exits, Rules
from trading.backtest.engine import follow, run
from trading.backtest.result import TRADE_COLUMNS, BacktestResult
from trading.backtest.signals import weights_of

__all__ = [
    "MARGIN",
    "TRADE_COLUMNS",
    "BacktestResult",
    "Exits",
    "Rules",
    "follow",
    "run",
    "weights_of",
]
