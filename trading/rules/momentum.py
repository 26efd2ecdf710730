"""The symbols that rose most, from month end to month end."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from trading.calendar import session_dates
from trading.indicators.computing import only, turned
from trading.rules.readiness import LONGEST_MONTH, known, rebalancing_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trading.bars import Floats, Panel
    from trading.rules.readiness import Values


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
        decision = rebalancing_rows(panel, self.rebalance)
        ranked = ~np.isnan(self._returns(panel))
        return np.where(decision[:, None] >= 0, ranked[decision], False)

    def weights(self, panel: Panel) -> Floats:
        """Return (T, N) weights: 1 / `hold` in the best symbols of the last month's end."""
        if not len(panel):
            return np.zeros((0, len(panel.symbols)))
        ranks = self._ranks(self._returns(panel))
        chosen = np.where((ranks >= 1) & (ranks <= self.hold), 1.0 / self.hold, 0.0)
        decision = rebalancing_rows(panel, self.rebalance)
        return np.where(decision[:, None] >= 0, chosen[decision], 0.0)

    def explain(self, panel: Panel) -> list[tuple[str, Values]]:
        """Return the reason for the last row's weight of each symbol, and its figures."""
        row = int(rebalancing_rows(panel, self.rebalance)[-1])
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

    def _returns(self, panel: Panel) -> Floats:
        close = turned(panel.close)
        return turned(only("ago", close, self.skip) / only("ago", close, self.lookback) - 1)

    def _ranks(self, returns: Floats) -> NDArray[np.int64]:
        """Return (T, N) ranks from 1 among the symbols that rose, ties in column order; 0 for the others."""
        rose = returns > 0
        order = np.argsort(np.where(rose, -returns, np.inf), axis=1, kind="stable")
        ranks = np.empty_like(order)
        np.put_along_axis(ranks, order, np.arange(1, returns.shape[1] + 1)[None, :], axis=1)
        return np.where(rose, ranks, 0)
