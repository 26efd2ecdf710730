"""What a research run asks: which parameters to try, over which sessions, and how they are judged."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from trading.calendar import sessions
from trading.errors import InvalidValueError
from trading.robustness.folds import walk_forward_folds
from trading.sweep import grid

if TYPE_CHECKING:
    from datetime import date

MOST_TRIES = 100_000
"""Combinations beyond which a run is refused: draw some of them instead."""

Value = float | int | str | bool


class Design(BaseModel):
    """Which combinations of parameters are tried, and on what they are judged.

    Attributes
    ----------
    parameters
        Values to try, by parameter of the strategy's rule or sizing.
    draws, seed
        How many combinations are drawn at random, without putting one back; None: all of them.
    walk_forward, anchored
        Sessions to choose on and sessions to judge on, moving forward by the latter; `anchored` ones all learn from
        the first session on.
    folds, embargo
        Folds of purged cross-validation, and sessions left out after each held-out part.
    each_symbol
        Each symbol is an account of its own, all in or out, and a combination is judged by their medians; for
        crossovers of simple averages.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    parameters: dict[str, list[Value]]
    draws: int | None = Field(None, ge=1, le=MOST_TRIES)
    seed: int = Field(0, ge=0)
    walk_forward: tuple[int, int] | None = None
    anchored: bool = False
    folds: int | None = Field(None, ge=2, le=100)
    embargo: int = Field(0, ge=0, le=1000)
    each_symbol: bool = False

    @model_validator(mode="after")
    def _one_way_to_judge(self) -> Self:
        if self.walk_forward and self.folds:
            raise InvalidValueError("walk_forward and folds", (self.walk_forward, self.folds), "one of the two")
        if self.anchored and not self.walk_forward:
            raise InvalidValueError("anchored", True, "a walk-forward, such as 500,125")
        if self.embargo and not self.folds:
            raise InvalidValueError("embargo", self.embargo, "folds to keep apart, such as 5")
        if self.each_symbol and (self.walk_forward or self.folds):
            raise InvalidValueError("each_symbol", True, "neither walk_forward nor folds beside it")
        return self

    @property
    def kind(self) -> Literal["sweep", "walk_forward", "folds"]:
        """How its tries are judged."""
        return "walk_forward" if self.walk_forward else "folds" if self.folds else "sweep"

    @property
    def chunk(self) -> int:
        """Tries that are evaluated and stored at a time."""
        return 250 if self.each_symbol else 8

    def combinations(self) -> list[dict[str, Any]]:
        """Return the combinations to try, the last parameter varying fastest.

        Raises
        ------
        InvalidValueError
            A parameter has no values, or there are too many combinations.
        """
        total = math.prod(len(values) for values in self.parameters.values())
        if self.draws is not None and self.draws < total:
            chance = random.Random(self.seed)  # noqa: S311 - a sample to look at, no secret
            return [self._numbered(number) for number in sorted(chance.sample(range(total), self.draws))]
        if total > MOST_TRIES:
            raise InvalidValueError("combinations", total, f"at most {MOST_TRIES:,}; draw some of them at random")
        return grid(self.parameters)

    def _numbered(self, number: int) -> dict[str, Any]:
        """Return the combination of a number, counted as `grid` orders them."""
        chosen: dict[str, Any] = {}
        for name, values in reversed(self.parameters.items()):
            number, place = divmod(number, len(values))
            chosen[name] = values[place]
        return dict(reversed(chosen.items()))

    def tries(self, first: date, last: date) -> list[dict[str, Any]]:
        """Return every try over the sessions `first` .. `last`: {ordinal, parameters, start, train_end, end}.

        `train_end` is None but in a walk-forward, where each fold tries every combination on its train part and
        judges it on the sessions after.
        """
        spans: list[tuple[date, date | None, date]] = [(first, None, last)]
        if self.walk_forward:
            days = sessions(first, last)
            train, test = self.walk_forward
            cut = walk_forward_folds(len(days), train=train, test=test, anchored=self.anchored)
            spans = [(days[fold.train[0]], days[fold.train[-1]], days[fold.test[-1]]) for fold in cut]
        cells = [(span, combination) for span in spans for combination in self.combinations()]
        return [
            {"ordinal": ordinal, "parameters": combination, "start": start, "train_end": train_end, "end": end}
            for ordinal, ((start, train_end, end), combination) in enumerate(cells)
        ]
