"""Long while a fast average is above a slow one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from trading.indicators import compute
from trading.rules.readiness import carried, enough, known

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trading.bars import Floats, Panel
    from trading.rules.readiness import Values

FULL_GAP = 0.05
"""Distance of two averages, as a fraction of the slow one, that counts as full strength."""


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
