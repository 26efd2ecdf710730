"""Quality rules: what is wrong with a batch of bars, each rule a small function over all symbols at once.

A quarantined bar is kept but never seen by a strategy; a suspect one is used and reported. Only what cannot
be true is quarantined: a crash can be.
"""

from trading.quality.candidates import name_spin_offs
from trading.quality.catalogue import RULES, Rule
from trading.quality.checking import BarVerdict, bar_verdicts, check
from trading.quality.companies import apart, former, together
from trading.quality.findings import Issue, Severity, Verdict
from trading.quality.levels import (
    Contradiction,
    junction_contradictions,
    overlap_contradictions,
    unshown_splits,
)
from trading.quality.thresholds import Thresholds
from trading.quality.universe import Coverage, Standing, UniverseLimits, coverage, universe_verdicts

__all__ = [
    "RULES",
    "BarVerdict",
    "Contradiction",
    "Coverage",
    "Issue",
    "Rule",
    "Severity",
    "Standing",
    "Thresholds",
    "UniverseLimits",
    "Verdict",
    "apart",
    "bar_verdicts",
    "check",
    "coverage",
    "former",
    "junction_contradictions",
    "name_spin_offs",
    "overlap_contradictions",
    "together",
    "universe_verdicts",
    "unshown_splits",
]
