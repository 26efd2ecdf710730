"""The strategies that come with the project: two that trade, and six to look at, test and activate."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from trading.rules import Conditions, Momentum, Pairs, Ranking, SmaCrossover
from trading.strategies.definition import Strategy

if TYPE_CHECKING:
    from collections.abc import Mapping

_ALL = (
    Strategy(
        name="sma_crossover",
        description="Holds each symbol while its 20-bar average is above its 50-bar average.",
        rule=SmaCrossover(fast=20, slow=50),
        capital_fraction=0.5,
    ),
    Strategy(
        name="momentum_rotation",
        description="Holds, from month end to month end, the two best of the last half year.",
        rule=Momentum(lookback=126, skip=21, hold=2),
        capital_fraction=0.5,
    ),
    Strategy(
        name="rsi_reversion",
        description="Buys a dip within a rise: RSI(2) below 10 above the 200-bar average (Connors & Alvarez 2009).",
        rule=Conditions(
            parameters={"oversold": 10},
            indicators={"trend": "sma(close, 200)"},
            entry="rsi(close, 2) < oversold and close > trend",
            exit="close > sma(close, 5)",
            hold_bars=20,
        ),
        capital_fraction=0.25,
    ),
    Strategy(
        name="macd_trend",
        description="Holds from the MACD line's cross above its signal, in a rise of 100 bars, to the cross below.",
        rule=Conditions(
            indicators={"line": "macd(close, 12, 26, 9)", "signal": "macd_signal(close, 12, 26, 9)"},
            entry="crossed_above(line, signal) and roc(close, 100) > 0",
            exit="crossed_below(line, signal)",
            hold_bars=100,
        ),
        capital_fraction=0.25,
    ),
    Strategy(
        name="bollinger_breakout",
        description="Buys a close above the upper band out of a quiet month, holds to the close below the middle.",
        rule=Conditions(
            indicators={"width": "bollinger_width(close, 20, 2)"},
            entry="crossed_above(close, bollinger_upper(close, 20, 2)) and ago(width, 1) < sma(width, 120)",
            exit="close < sma(close, 20)",
            hold_bars=100,
        ),
        capital_fraction=0.25,
    ),
    Strategy(
        name="donchian_trend",
        description="Buys above the highest high of the 55 bars before, sells below the lowest low of 20 (Faith 2003).",
        rule=Conditions(
            entry="close > ago(donchian_upper(55), 1)",
            exit="close < ago(donchian_lower(20), 1)",
            hold_bars=250,
        ),
        capital_fraction=0.25,
    ),
    Strategy(
        name="low_volatility",
        description="Holds, from month end to month end, the two calmest of half a year (Blitz & van Vliet 2007).",
        rule=Ranking(score="-volatility(close, 126)", hold=2, rebalance="monthly"),
        capital_fraction=0.25,
    ),
    Strategy(
        name="pairs",
        description="Trades the two most cointegrated pairs against each other while they are two deviations apart.",
        rule=Pairs(lookback=252, hold=2),
        capital_fraction=0.25,
    ),
)

SHIPPED: Mapping[str, Strategy] = MappingProxyType({strategy.name: strategy for strategy in _ALL})
"""The strategies that come with the project, by name."""

ACTIVE: frozenset[str] = frozenset({"sma_crossover", "momentum_rotation"})
"""Those that trade from the start; the others are stored paused."""
