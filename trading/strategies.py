"""Strategies as data: a frozen model whose version is the hash of its content, and what it decides."""

from __future__ import annotations

import hashlib
import json
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from trading.bars import Floats, Panel, Timeframe
from trading.order_terms import EntryOrder
from trading.rules import Momentum, SmaCrossover
from trading.sizing import Sizing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

Rule = Annotated[SmaCrossover | Momentum, Field(discriminator="kind")]
Symbol = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{0,9}([./-][A-Z0-9]{1,4})?$")]


class Strategy(BaseModel):
    """A rule, the symbols it looks at, how positions are sized, and its share of the account."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$", description="unique, lower case with underscores")
    description: str = Field("", max_length=2000, description="what it does, in words; not part of the version")
    universe: tuple[Symbol, ...] = Field((), description="symbols it looks at; empty: the tracked universe")
    timeframe: Timeframe = Field("1Day", description="bars it decides on")
    rule: Rule = Field(description="what it decides")
    sizing: Sizing = Field(default=Sizing(), description="how weights become quantities")
    entry: EntryOrder = Field(default=EntryOrder(), description="how entries are sent; exits are market orders")
    capital_fraction: float = Field(1.0, gt=0, le=1, description="share of the account's equity it manages")

    @field_validator("universe")
    @classmethod
    def _distinct(cls, universe: tuple[str, ...]) -> tuple[str, ...]:
        twice = sorted({symbol for symbol in universe if universe.count(symbol) > 1})
        if twice:
            raise ValueError(f"universe names {', '.join(twice)} more than once")
        return universe

    @model_validator(mode="after")
    def _monthly_needs_daily_bars(self) -> Strategy:
        if self.rule.kind == "momentum" and self.timeframe != "1Day":
            raise ValueError(f"a monthly rebalance decides on 1Day bars, not on {self.timeframe}")
        return self

    @property
    def version(self) -> str:
        """First 12 hex digits of the SHA-256 of everything but the description, as canonical JSON.

        Entries as market orders for the day are left out: strategies from before there was a choice keep theirs.
        """
        content = self.model_dump(mode="json", exclude={"description"})
        if self.entry == EntryOrder():
            del content["entry"]
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]

    @property
    def warm_up(self) -> int:
        """Bars of each symbol that a decision needs, the last included; load more where some may miss."""
        return max(self.rule.warm_up, self.sizing.warm_up)


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


SHIPPED: Mapping[str, Strategy] = MappingProxyType(
    {
        strategy.name: strategy
        for strategy in (
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
        )
    }
)
"""The strategies that come with the project, by name."""
