"""The arithmetic of indicators, compiled: every kernel takes (N, T) arrays, a row for each symbol.

A bar is there when every input has a figure; the others are left out before the window is counted and are NaN in
the result. A kernel takes its inputs, its parameters and `out`, (outputs, N, T), which it writes.
"""

from __future__ import annotations

from trading.indicators.kernels.averages import ema, sma, wma
from trading.indicators.kernels.bands import atr, atr_simple, bollinger, bollinger_place, donchian, keltner
from trading.indicators.kernels.oscillators import adx, macd, roc, rsi, stochastic
from trading.indicators.kernels.rows import transposed
from trading.indicators.kernels.series import ago, highest, lowest, total
from trading.indicators.kernels.statistics import beta, mean_return, volatility, zscore
from trading.indicators.kernels.volumes import dollar_volume, obv, obv_change, vwap

__all__ = [
    "adx",
    "ago",
    "atr",
    "atr_simple",
    "beta",
    "bollinger",
    "bollinger_place",
    "dollar_volume",
    "donchian",
    "ema",
    "highest",
    "keltner",
    "lowest",
    "macd",
    "mean_return",
    "obv",
    "obv_change",
    "roc",
    "rsi",
    "sma",
    "stochastic",
    "total",
    "transposed",
    "volatility",
    "vwap",
    "wma",
    "zscore",
]
