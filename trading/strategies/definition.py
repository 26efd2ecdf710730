"""A strategy as data: a frozen model whose version is the hash of its content."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from trading.bars import Timeframe
from trading.costs import Costs
from trading.entry_order import EntryOrder
from trading.rules import Conditions, Momentum, Pairs, Plugin, Ranking, SmaCrossover
from trading.sizing import Sizing

Rule = Annotated[SmaCrossover | Momentum | Conditions | Ranking | Pairs | Plugin, Field(discriminator="kind")]
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
    costs: Costs = Field(
        default=Costs(), description="what trading it is taken to cost where a backtest is not told otherwise"
    )

    @field_validator("universe")
    @classmethod
    def _distinct(cls, universe: tuple[str, ...]) -> tuple[str, ...]:
        twice = sorted({symbol for symbol in universe if universe.count(symbol) > 1})
        if twice:
            raise ValueError(f"universe names {', '.join(twice)} more than once")
        return universe

    @model_validator(mode="after")
    def _rebalancing_needs_daily_bars(self) -> Strategy:
        calendar = self.rule.kind in ("momentum", "pairs") or getattr(self.rule, "rebalance", "daily") != "daily"
        if calendar and self.timeframe != "1Day":
            raise ValueError(f"a weekly or monthly rebalance decides on 1Day bars, not on {self.timeframe}")
        return self

    @property
    def version(self) -> str:
        """First 12 hex digits of the SHA-256 of everything but the description, as canonical JSON.

        Entries as market orders for the day, and costs that are nothing, are left out: strategies from before there
        was a choice keep theirs.
        """
        content = self.model_dump(mode="json", exclude={"description"})
        if self.entry == EntryOrder():
            del content["entry"]
        content["costs"] = self.costs.model_dump(mode="json", exclude_defaults=True)
        if not content["costs"]:
            del content["costs"]
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]

    @property
    def warm_up(self) -> int:
        """Bars of each symbol that a decision needs, the last included; load more where some may miss."""
        return max(self.rule.warm_up, self.sizing.warm_up)
