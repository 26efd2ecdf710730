"""What a strategy decides at each bar, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trading.rules.readiness import STALE_ROWS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trading.bars import Floats, Panel
    from trading.strategies.definition import Strategy


def target_weights(strategy: Strategy, panel: Panel) -> Floats:
    """Return the weights decided at each bar's close.

    Returns
    -------
    (T, N) float64, the share of the strategy's capital wanted in each symbol, signed; 0 before the warm-up,
    never NaN. Row t depends on rows up to t only.
    """
    return strategy.rule.weights(panel)


def decided(strategy: Strategy, panel: Panel) -> NDArray[np.bool_]:
    """Return (T, N), whether a weight is a decision: enough bars, and a bar in that very row."""
    mask: NDArray[np.bool_] = strategy.rule.decided(panel) & ~np.isnan(panel.close)
    return mask


def explanations(
    strategy: Strategy, panel: Panel, row: int = -1
) -> list[tuple[str, dict[str, float | int | str | None]]]:
    """Return, per symbol, the reason for the weight of a row in words with figures, and the figures.

    The figures always hold `strength`, from 0 (barely) to 1. An empty panel gives an empty list.
    """
    if not len(panel):
        return []
    upto = panel if row == -1 else panel.rows(slice(0, range(len(panel))[row] + 1))
    return strategy.rule.explain(upto)


def needed(strategy: Strategy, panel: Panel) -> Panel:
    """Return the panel's last rows that hold all the bars the last decision needs; it is the same on them."""
    warm_up = strategy.warm_up
    rows = warm_up + STALE_ROWS
    first = max(0, len(panel) - 2 * rows)
    seen = ~np.isnan(panel.close[first:])
    fresh = seen[-rows:].any(axis=0)
    if first and (seen[:, fresh].sum(axis=0) < warm_up).any():  # bars are missing: look at all there are
        first, seen = 0, ~np.isnan(panel.close)
    seen = seen[:, fresh]
    have = np.cumsum(seen[::-1], axis=0)[::-1]
    short = np.flatnonzero((have < np.minimum(warm_up, have[:1])).any(axis=1))
    last = first + int(short[0]) if len(short) else len(panel)
    return panel.rows(slice(max(0, min(last - 1, len(panel) - rows)), None))
