"""Cross-sectional rules: the best and the worst of the universe by a score, from one rebalancing to the next."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field, model_validator

from trading.calendar import session_dates
from trading.expressions import condition, series
from trading.expressions.functions import ranked
from trading.indicators.computing import by_symbol, turned
from trading.rules.readiness import BETWEEN, Rebalance, Values, enough, known, rebalancing_rows
from trading.rules.written import Text, Written, figures, worded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trading.bars import Floats, Panel
    from trading.expressions import Node
    from trading.indicators import BySymbol


class Ranking(Written):
    """Equal shares of the `hold` symbols with the highest `score`, short the `short` lowest, until the next decision.

    Only symbols for which `where` holds are ranked. A share is 1 / (`hold` + `short`); what finds no symbol is cash.
    """

    kind: Literal["ranking"] = "ranking"
    score: Text = Field(description="number that ranks the symbols, such as -volatility(close, 63)")
    where: Text | None = Field(None, description="condition a symbol has to meet to be ranked; empty: none")
    hold: int = Field(2, ge=0, le=500, description="symbols held long: those with the highest score")
    short: int = Field(0, ge=0, le=500, description="symbols held short: those with the lowest score")
    rebalance: Rebalance = Field("monthly", description="decides at every close, or at each week's or month's last")

    @model_validator(mode="after")
    def _sound(self) -> Ranking:
        if self.hold + self.short == 0:
            raise ValueError("hold and short are both 0; hold at least one symbol")
        self.nodes()
        return self

    def nodes(self) -> tuple[Node, Node | None]:
        """Return the checked score and filter; ValueError says what is wrong, and where."""
        return _checked(self.model_dump_json())

    @property
    def _memory(self) -> int:
        return max(node.memory for node in self.nodes() if node is not None)

    @property
    def warm_up(self) -> int:
        """Bars needed for a decision, back from the last rebalancing."""
        return self._memory + BETWEEN[self.rebalance]

    def decided(self, panel: Panel) -> NDArray[np.bool_]:
        """Return (T, N), where the last decision ranked the symbol or saw that its filter was not met."""
        rows = rebalancing_rows(panel, self.rebalance)
        return np.where(rows[:, None] >= 0, enough(panel, self._memory)[rows], False)

    def weights(self, panel: Panel) -> Floats:
        """Return (T, N) weights of the last decision at or before each row, signed."""
        if not panel.close.size:
            return np.zeros(panel.close.shape)
        rows = rebalancing_rows(panel, self.rebalance)
        places, count = self._places(by_symbol(panel))
        share = 1.0 / (self.hold + self.short)
        chosen = np.where(
            places <= self.hold, share, np.where(places > np.maximum(count - self.short, self.hold), -share, 0.0)
        )
        return np.where(rows[:, None] >= 0, chosen[rows], 0.0)

    def _places(self, data: BySymbol) -> tuple[Floats, NDArray[np.int64]]:
        """Return (T, N) ranks of the symbols that are ranked, NaN for others, and (T, 1) how many are."""
        return data.remembered(("places", self.model_dump_json()), lambda: self._placed(data))

    def _placed(self, data: BySymbol) -> tuple[Floats, NDArray[np.int64]]:
        score, where = self.nodes()
        values = np.where(np.ascontiguousarray(enough(data.panel, self._memory).T), series(score, data), np.nan)
        if where is not None:
            values = np.where(condition(where, data).yes, values, np.nan)
        places = turned(ranked(values))
        return places, (~np.isnan(places)).sum(axis=1, keepdims=True)

    def explain(self, panel: Panel) -> list[tuple[str, Values]]:
        """Return the reason for the last row's weight of each symbol, and its figures."""
        row = int(rebalancing_rows(panel, self.rebalance)[-1])
        if row < 0:
            return [(f"no {self.rebalance} decision among the bars", {"strength": 0.0}) for _ in panel.symbols]
        data = by_symbol(panel)
        places, count = self._places(data)
        ready = enough(panel, self._memory)[row]
        weights = self.weights(panel)[-1]
        day = str(session_dates(panel.timestamps[row : row + 1])[0])
        return [
            self._reason(data, column, row, day, float(places[row, column]), int(count[row, 0]), float(weights[column]))
            if ready[column]
            else (f"fewer than {self._memory} bars on {day}", {"strength": 0.0, "decided_on": day})
            for column in range(len(panel.symbols))
        ]

    def _reason(  # noqa: PLR0917 - figures of one line
        self, data: BySymbol, column: int, row: int, day: str, place: float, count: int, weight: float
    ) -> tuple[str, Values]:
        score, where = self.nodes()
        now = {score.text: known(float(series(score, data)[column, row]))} | figures([score], data, column, row)
        if where is not None:
            now |= figures([where], data, column, row)
        values: Values = {**now, "decided_on": day, "weight": weight, "strength": 0.0}
        if np.isnan(place):
            why = f"{where.text} does not hold" if where is not None else "no score"
            return f"not ranked on {day}: {why}, with {worded(now)}: flat", values
        side = "long" if weight > 0 else "short"
        held = f"{side} {abs(weight):.1%} of capital" if weight else "flat"
        first = place if weight >= 0 else count + 1 - place
        values |= {"rank": int(place), "of": count, "strength": 1 - (first - 1) / count}
        return f"rank {int(place)} of {count} on {day} with {worded(now)}: {held}", values


@lru_cache(maxsize=256)
def _checked(definition: str) -> tuple[Node, Node | None]:
    rule = Ranking.model_construct(**json.loads(definition))
    named = rule.named()
    where = None if rule.where is None else rule.checked("where", rule.where, "condition", named)
    return rule.checked("score", rule.score, "series", named), where
