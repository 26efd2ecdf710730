"""What strategies decide: each rule turns a panel into weights, and says why in words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from trading.calendar import ends_month, session_dates
from trading.indicators import compute

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trading.bars import Floats, Panel

Values = dict[str, float | int | str | None]

STALE_ROWS = 5
"""A symbol without a bar for this many rows no longer takes a share of the capital."""

FULL_GAP = 0.05
"""Distance of two averages, as a fraction of the slow one, that counts as full strength."""

LONGEST_MONTH = 23
"""Most sessions in a month: the last decision of a monthly rule is at most this many bars back."""


class SmaCrossover(BaseModel):
    """Long an equal share while the fast simple moving average is above the slow one, else flat."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["sma_crossover"] = "sma_crossover"
    fast: int = Field(20, ge=1, le=500, description="bars of the fast average")
    slow: int = Field(50, ge=2, le=1000, description="bars of the slow average, more than fast")

    @model_validator(mode="after")
    def _ordered(self) -> SmaCrossover:
        if self.fast >= self.slow:
            raise ValueError(f"fast ({self.fast}) must be below slow ({self.slow})")
        return self

    @property
    def warm_up(self) -> int:
        """Bars needed for a decision."""
        return self.slow

    def decided(self, panel: Panel) -> NDArray[np.bool_]:
        """Return (T, N), where the slow average exists or did a few bars ago."""
        return enough(panel, self.slow)

    def weights(self, panel: Panel) -> Floats:
        """Return (T, N) weights: 1 / (symbols with enough bars) where long, carried over missing bars."""
        fast, slow = (carried(compute(f"sma_{length}", panel)) for length in (self.fast, self.slow))
        ready = self.decided(panel)
        count = np.maximum(ready.sum(axis=1, keepdims=True), 1)
        return np.where(ready & (fast > slow), 1.0 / count, 0.0)

    def explain(self, panel: Panel) -> list[tuple[str, Values]]:
        """Return the reason for the last row's weight of each symbol, and its figures."""
        fast, slow = (carried(compute(f"sma_{length}", panel))[-1] for length in (self.fast, self.slow))
        weight = self.weights(panel)[-1]
        return [self._reason(*map(float, figures)) for figures in zip(fast, slow, weight, strict=True)]

    def _reason(self, fast: float, slow: float, weight: float) -> tuple[str, Values]:
        figures: Values = {"fast": known(fast), "slow": known(slow), "weight": weight, "strength": 0.0}
        if math.isnan(slow):
            return f"fewer than {self.slow} bars", figures
        gap = fast / slow - 1
        figures |= {"gap": gap, "strength": min(1.0, abs(gap) / FULL_GAP)}
        side = "above" if fast > slow else "not above"
        action = f"long {weight:.1%} of capital" if weight else "flat"
        averages = f"{self.fast}-bar average {fast:.2f} is {side} the {self.slow}-bar average {slow:.2f}"
        return f"{averages} ({gap:+.2%}): {action}", figures


class Momentum(BaseModel):
    """At each month's last close, equal shares of the symbols that rose most; held until the next.

    The measure is the return from `lookback` to `skip` bars ago (Jegadeesh & Titman 1993): the latest bars
    are left out because short-term returns tend to reverse. Symbols that did not rise are not bought.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["momentum"] = "momentum"
    lookback: int = Field(126, ge=2, le=1000, description="bars back where the measured return starts")
    skip: int = Field(21, ge=0, le=250, description="bars back where it ends, below lookback")
    hold: int = Field(2, ge=1, le=500, description="symbols held")
    rebalance: Literal["monthly"] = Field("monthly", description="when it decides: at each month's last close")

    @model_validator(mode="after")
    def _ordered(self) -> Momentum:
        if self.skip >= self.lookback:
            raise ValueError(f"skip ({self.skip}) must be below lookback ({self.lookback})")
        return self

    @property
    def warm_up(self) -> int:
        """Bars needed for a decision, back from a month's end that may be a month ago."""
        return self.lookback + 1 + LONGEST_MONTH

    def decided(self, panel: Panel) -> NDArray[np.bool_]:
        """Return (T, N), where the last month's end ranked the symbol."""
        decision = self._decision_rows(panel)
        ranked = ~np.isnan(self._returns(panel))
        return np.where(decision[:, None] >= 0, ranked[decision], False)

    def weights(self, panel: Panel) -> Floats:
        """Return (T, N) weights: 1 / `hold` in the best symbols of the last month's end."""
        if not len(panel):
            return np.zeros((0, len(panel.symbols)))
        ranks = self._ranks(self._returns(panel))
        chosen = np.where((ranks >= 1) & (ranks <= self.hold), 1.0 / self.hold, 0.0)
        decision = self._decision_rows(panel)
        return np.where(decision[:, None] >= 0, chosen[decision], 0.0)

    def explain(self, panel: Panel) -> list[tuple[str, Values]]:
        """Return the reason for the last row's weight of each symbol, and its figures."""
        row = int(self._decision_rows(panel)[-1])
        if row < 0:
            nothing: Values = {"strength": 0.0}
            return [("no month's end among the bars", dict(nothing)) for _ in panel.symbols]
        day = str(session_dates(panel.timestamps[row : row + 1])[0])
        returns = self._returns(panel)
        ranks, count = self._ranks(returns)[row], int((~np.isnan(returns[row])).sum())
        return [
            self._reason(float(gain), int(rank), count, day) for gain, rank in zip(returns[row], ranks, strict=True)
        ]

    def _reason(self, gain: float, rank: int, count: int, day: str) -> tuple[str, Values]:
        figures: Values = {
            "return": known(gain),
            "rank": rank or None,
            "of": count,
            "decided_on": day,
            "strength": 0.0,
        }
        if math.isnan(gain):
            return f"fewer than {self.lookback + 1} bars on {day}", figures
        span = f"{gain:+.1%} from {self.lookback} to {self.skip} bars before {day}"
        if not rank:
            return f"{span}: did not rise, flat", figures
        figures["strength"] = 1 - (rank - 1) / count
        held = f"long {1 / self.hold:.1%} of capital" if rank <= self.hold else "flat"
        return f"rank {rank} of {count} with {span}: {held}", figures

    def _decision_rows(self, panel: Panel) -> NDArray[np.int64]:
        """Return (T,), the row of the last month's end at or before each row; -1 before the first."""
        ends = ends_month(session_dates(panel.timestamps))
        return (
            np.maximum.accumulate(np.where(ends, np.arange(len(panel)), -1)) if len(panel) else np.array([], np.int64)
        )

    def _returns(self, panel: Panel) -> Floats:
        result = np.full(panel.close.shape, np.nan)
        for column in range(len(panel.symbols)):
            rows = np.flatnonzero(~np.isnan(panel.close[:, column]))
            close = panel.close[rows, column]
            if len(rows) > self.lookback:
                end = len(rows) - self.skip
                result[rows[self.lookback :], column] = (
                    close[self.lookback - self.skip : end] / close[: -self.lookback] - 1
                )
        return result

    def _ranks(self, returns: Floats) -> NDArray[np.int64]:
        """Return (T, N) ranks from 1 among the symbols that rose, ties in column order; 0 for the others."""
        rose = returns > 0
        order = np.argsort(np.where(rose, -returns, np.inf), axis=1, kind="stable")
        ranks = np.empty_like(order)
        np.put_along_axis(ranks, order, np.arange(1, returns.shape[1] + 1)[None, :], axis=1)
        return np.where(rose, ranks, 0)


def enough(panel: Panel, bars: int) -> NDArray[np.bool_]:
    """Return (T, N), whether a symbol has had that many bars, the last of them not stale."""
    seen = ~np.isnan(panel.close)
    rows = np.arange(len(panel))[:, None]
    if not len(panel):
        return seen
    latest = np.maximum.accumulate(np.where(seen, rows, -STALE_ROWS), axis=0)
    fresh: NDArray[np.bool_] = (np.cumsum(seen, axis=0) >= bars) & (rows - latest < STALE_ROWS)
    return fresh


def carried(values: Floats) -> Floats:
    """Return (T, N) values where each NaN takes the last figure above it in its column."""
    if not len(values):
        return values
    rows = np.where(np.isnan(values), 0, np.arange(len(values))[:, None])
    return np.take_along_axis(values, np.maximum.accumulate(rows, axis=0), axis=0)


def known(value: float) -> float | None:
    """Return the value, or None where it is not a finite number, as JSON wants it."""
    return value if math.isfinite(value) else None
