"""Every quality rule: its name, how grave its findings are, what it looks for, and what it is judged by."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from trading.quality.disagreement import daily_disagrees, feeds_disagree
from trading.quality.gaps import missing_bars, missing_sessions
from trading.quality.identity import reused_tickers
from trading.quality.moves import price_jumps, split_flips
from trading.quality.prices import high_and_low, lone_extremes, nulls, prices_above_zero
from trading.quality.thresholds import DEFAULTS
from trading.quality.times import duplicates, off_calendar, off_grid, out_of_order
from trading.quality.volumes import stale_repeats, volume, volume_spikes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trading.quality.batch import Batch
    from trading.quality.findings import Findings, Severity
    from trading.quality.thresholds import Thresholds


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: `find` judges a batch by the thresholds named in `parameters`."""

    name: str
    severity: Severity
    explanation: str
    find: Callable[[Batch, Thresholds], Findings]
    parameters: tuple[str, ...] = ()

    def judge(self, batch: Batch, thresholds: Thresholds) -> Findings:
        """Return what the rule finds; zeros and infinities are what it looks for, so numpy does not warn of them."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.find(batch, thresholds)

    @property
    def defaults(self) -> dict[str, float]:
        """The parameters and their defaults."""
        return {name: getattr(DEFAULTS, name) for name in self.parameters}


_MOVES = (
    *("jump", "tick", "certain", "jump_score", "traded", "traded_session", "overnight"),
    *("taken_back", "tick_bars", "flip_sessions", "split_tolerance", "history"),
)

_ALL = (
    Rule("nulls", "error", "A price or the volume is missing.", nulls),
    Rule("prices_above_zero", "error", "A price is zero, negative or infinite.", prices_above_zero),
    Rule(
        "high_and_low",
        "error",
        "The high or the low contradicts another price of the bar.",
        high_and_low,
        ("rounding",),
    ),
    Rule(
        "lone_extremes",
        "error",
        "A high or low far beyond every other price, and beyond what others did then: one wrong tick.",
        lone_extremes,
        ("wick", "wick_score", "wick_factor", "traded", "history"),
    ),
    Rule("volume", "warning", "The volume is zero, negative or infinite.", volume),
    Rule(
        "volume_spikes",
        "warning",
        "The volume is out of all proportion to the bars before.",
        volume_spikes,
        ("volume_surge", "volume_collapse", "volume_score", "history"),
    ),
    Rule("duplicates", "error", "A symbol has two bars at one time.", duplicates),
    Rule("out_of_order", "warning", "The bar was delivered after a later one.", out_of_order),
    Rule("off_calendar", "error", "The bar is on a day without a session or outside its hours.", off_calendar),
    Rule("off_grid", "error", "No bar of the timeframe starts at this time.", off_grid),
    Rule("missing_sessions", "warning", "A session between the first and last bar has none.", missing_sessions),
    Rule(
        "missing_bars",
        "warning",
        "Intraday bars of regular hours are missing where the symbol trades.",
        missing_bars,
        ("complete", "missing_score"),
    ),
    Rule(
        "stale_repeats",
        "error",
        "Close and volume repeat: the feed stood still.",
        stale_repeats,
        ("stale_bars", "stale_bars_intraday"),
    ),
    Rule(
        "price_jumps",
        "warning",
        "A move far outside the symbol's own and the market's, without a corporate action or trading to explain it.",
        price_jumps,
        _MOVES,
    ),
    Rule(
        "split_flips",
        "error",
        "Bars are off their level by a split's ratio for a while: adjusted and raw ones are mixed.",
        split_flips,
        _MOVES,
    ),
    Rule(
        "reused_tickers",
        "warning",
        "After a long gap price or volume are another company's.",
        reused_tickers,
        ("identity_gap", "identity_level", "identity_score", "identity_volume"),
    ),
    Rule(
        "feeds_disagree",
        "error",
        "Another feed has other prices for the bar.",
        feeds_disagree,
        ("disagreement", "contradiction"),
    ),
    Rule(
        "daily_disagrees",
        "error",
        "The daily bar contradicts the bars of its session.",
        daily_disagrees,
        ("disagreement", "contradiction"),
    ),
)

RULES: Mapping[str, Rule] = MappingProxyType({rule.name: rule for rule in _ALL})
"""Every rule by name, in the order they run."""
