"""Indicators over panels: the catalogue, and `compute` which turns a spec such as "sma_50" into values.

An indicator works on the bars a symbol has: a missing bar is NaN in the result and does not break the
window after it. Windowed indicators depend on their window alone, to the bit, so a live panel and a
backtest's longer one give the same figure; the recursive ones (ema, rsi, macd, atr, adx, keltner) do so once
their `memory` is over, to 1e-9; obv never does, its level counts from the first bar. beta depends on its
window up to rounding.
"""

from __future__ import annotations

from trading.indicators.catalogue import CATALOGUE, DEFAULT_INDICATORS, MAX_LENGTH, Indicator, Parameter, parse
from trading.indicators.computing import BySymbol, compute, memory, warm_up

__all__ = [
    "CATALOGUE",
    "DEFAULT_INDICATORS",
    "MAX_LENGTH",
    "BySymbol",
    "Indicator",
    "Parameter",
    "compute",
    "memory",
    "parse",
    "warm_up",
]
