"""Prefix invariance: a decision that changes when later bars change has seen the future."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from trading.bars import FIELDS, moment
from trading.robustness.verdicts import Check
from trading.strategies import decided, target_weights

if TYPE_CHECKING:
    from trading.bars import Floats, Panel
    from trading.strategies import Strategy

NAME = "no look-ahead"
CUTS = 12
TOLERANCE = 1e-9
"""Largest difference of two weights that is rounding."""


def prefix_invariance(strategy: Strategy, panel: Panel, *, cuts: int = CUTS, seed: int = 0) -> Check:
    """Check that weights up to a row stay the same when later bars are cut off, and when they are scrambled.

    `cuts` rows are drawn from the second half of the panel's decisions, the last row always among them.
    """
    chance = np.random.default_rng(seed)
    whole = _decisions(strategy, panel)
    rows = _cut_rows(whole, cuts, chance)
    for row in rows:
        expected = whole[: row + 1]
        for how, changed in (("cut off", panel.rows(slice(0, row + 1))), ("scrambled", _scrambled(panel, row, chance))):
            found = _decisions(strategy, changed)[: row + 1]
            if not np.allclose(found, expected, rtol=0, atol=TOLERANCE, equal_nan=True):
                return Check(NAME, "fail", 1.0, _told(panel, found, expected, how, row))
    if not rows:
        return Check(NAME, "warn", None, "Too few decisions to compare.")
    what = f"{len(rows)} points in time"
    return Check(NAME, "pass", 0.0, f"Decisions at {what} stay the same without, and with other, later bars.")


def _decisions(strategy: Strategy, panel: Panel) -> Floats:
    return np.where(decided(strategy, panel), target_weights(strategy, panel), np.nan)


def _cut_rows(weights: Floats, cuts: int, chance: np.random.Generator) -> list[int]:
    """Return rows with decisions to cut after, in order; never the last of all, after which nothing comes."""
    rows = np.flatnonzero(~np.isnan(weights).all(axis=1))
    rows = rows[rows < len(weights) - 1]
    later = rows[len(rows) // 2 :]
    if not len(later):
        return []
    drawn = chance.choice(later, size=min(cuts, len(later)), replace=False)
    return sorted({*map(int, drawn), int(later[-1])})


def _scrambled(panel: Panel, row: int, chance: np.random.Generator) -> Panel:
    """Return the panel with the bars after `row` in another order and on another level."""
    order = np.arange(len(panel))
    order[row + 1 :] = chance.permutation(order[row + 1 :])
    level = np.ones(len(panel))
    level[row + 1 :] = chance.uniform(0.3, 3.0, len(panel) - row - 1)
    changed = {name: panel.field(name)[order] * (1.0 if name == "volume" else level[:, None]) for name in FIELDS}
    return replace(panel, **changed)


def _told(panel: Panel, found: Floats, expected: Floats, how: str, row: int) -> str:
    differ = ~np.isclose(found, expected, rtol=0, atol=TOLERANCE, equal_nan=True)
    first, column = map(int, np.argwhere(differ)[0])
    when, last = (f"{moment(panel.timestamps[index]):%Y-%m-%d %H:%M}" for index in (first, row))
    return (
        f"The decision of {when} UTC on {panel.symbols[column]} is {found[first, column]:.4f} instead of "
        f"{expected[first, column]:.4f} when the bars after {last} are {how}: it has seen the future."
    )
