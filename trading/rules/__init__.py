"""What strategies decide: each rule turns a panel into weights, and says why in words."""

from __future__ import annotations

from trading.rules.conditions import Conditions
from trading.rules.momentum import Momentum
from trading.rules.pairs import Pairs
from trading.rules.plugin import Plugin
from trading.rules.ranking import Ranking
from trading.rules.readiness import carried, enough, known
from trading.rules.sma_crossover import SmaCrossover

__all__ = ["Conditions", "Momentum", "Pairs", "Plugin", "Ranking", "SmaCrossover", "carried", "enough", "known"]
