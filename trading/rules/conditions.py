"""Per-symbol rules: conditions to enter and leave, written as expressions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field, model_validator

from trading.calendar import session_dates
from trading.expressions import condition, series
from trading.expressions.functions import ranked
from trading.indicators.computing import by_symbol, turned
from trading.rules.readiness import Values, enough
from trading.rules.written import Text, Written, figures, row_of, worded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trading.bars import Floats, Panel
    from trading.expressions import Node
    from trading.indicators import BySymbol

    Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Side:
    """One direction: when it begins, when it ends (None: when it no longer begins), and its sign."""

    name: str
    sign: int
    enter: Node
    leave: Node | None


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """Positions of every bar (N, T): the sign, and how many bars of the symbol ago it began, or would have."""

    sign: NDArray[np.int8]
    bars: NDArray[np.int32]


class Conditions(Written):
    """Long from the bar on which `entry` holds until `exit` does; short likewise from `short` to `cover`.

    Without `exit` a position lasts as long as its entry holds. With it, the last of the two that happened decides,
    and one whose entry is `hold_bars` bars back is closed: a decision so never depends on bars before that. When
    both happen on one bar, nothing is held. Shares are equal: 1 / `positions`, or 1 / (symbols with enough bars).
    """

    kind: Literal["conditions"] = "conditions"
    entry: Text | None = Field(None, description="condition to go long, such as rsi(close, 14) < 30")
    exit: Text | None = Field(None, description="condition to sell; empty: when entry holds no more")
    short: Text | None = Field(None, description="condition to go short")
    cover: Text | None = Field(None, description="condition to buy back; empty: when short holds no more")
    hold_bars: int = Field(
        100,
        ge=1,
        le=1000,
        description="bars after its last entry at which a position with an exit is closed",
    )
    rank_by: Text | None = Field(None, description="number by which the best are chosen when positions are limited")
    positions: int | None = Field(None, ge=1, le=500, description="most symbols held at once; empty: no limit")

    @model_validator(mode="after")
    def _sound(self) -> Conditions:
        if self.entry is None and self.short is None:
            raise ValueError("a rule of conditions needs an entry or a short")
        for ending, beginning in (("exit", "entry"), ("cover", "short")):
            if getattr(self, ending) is not None and getattr(self, beginning) is None:
                raise ValueError(f"{ending} without {beginning} ends nothing; add {beginning} or leave {ending} out")
        if (self.positions is None) != (self.rank_by is None):
            raise ValueError("positions and rank_by go together: how many, and which are the best")
        self.sides()
        return self

    def sides(self) -> tuple[tuple[Side, ...], Node | None]:
        """Return the checked directions and the ranking; ValueError says what is wrong, and where."""
        return _checked(self.model_dump_json())

    @property
    def _latched(self) -> bool:
        return self.exit is not None or self.cover is not None

    @property
    def warm_up(self) -> int:
        """Bars needed for a decision."""
        sides, rank = self.sides()
        nodes = [
            *(side.enter for side in sides),
            *(side.leave for side in sides if side.leave),
            *([rank] if rank else []),
        ]
        return max(node.memory for node in nodes) + (self.hold_bars if self._latched else 0)

    def decided(self, panel: Panel) -> Bools:
        """Return (T, N), where a symbol has bars enough."""
        return enough(panel, self.warm_up)

    def weights(self, panel: Panel) -> Floats:
        """Return (T, N) weights, signed: the share of each position."""
        if not panel.close.size:
            return np.zeros(panel.close.shape)
        return self._weights(by_symbol(panel), self.decided(panel))

    def _weights(self, data: BySymbol, ready: Bools) -> Floats:
        held = self._held(data).sign * turned_bools(ready)
        rank = self.sides()[1]
        if rank is not None and self.positions is not None:
            places = ranked(np.where(held != 0, series(rank, data), np.nan))
            held = np.where(places <= self.positions, held, 0)
            return turned(held / self.positions)
        count: Floats = np.maximum(ready.sum(axis=1, keepdims=True), 1).astype(np.float64)
        return turned(held.astype(np.float64)) / count

    def _held(self, data: BySymbol) -> Held:
        return data.remembered(("held", self.model_dump_json()), lambda: self._positions(data))

    def _positions(self, data: BySymbol) -> Held:
        there = ~np.isnan(data.field("close"))
        order = np.cumsum(there, axis=1, dtype=np.int32)
        sides = self.sides()[0]
        begun = [there & condition(side.enter, data).yes for side in sides]
        sign = np.zeros(data.shape, dtype=np.int8)
        bars: NDArray[np.int32] = np.zeros(data.shape, dtype=np.int32)
        for number, side in enumerate(sides):
            ended = there & (condition(side.leave, data).yes if side.leave else ~begun[number])
            for other, beginning in enumerate(begun):
                ended = ended | beginning if other != number else ended
            last_in = np.maximum.accumulate(order * begun[number], axis=1)
            last_out = np.maximum.accumulate(order * ended, axis=1)
            age = order - last_in
            on = (last_in > last_out) & (age < self.hold_bars if side.leave else True)
            sign[on] = side.sign
            bars = np.where(on, age, bars)
        return Held(sign, bars)

    def explain(self, panel: Panel) -> list[tuple[str, Values]]:
        """Return the reason for the last row's weight of each symbol, and its figures."""
        data = by_symbol(panel)
        ready = self.decided(panel)
        weights = self._weights(data, ready)[-1]
        (sides, rank), held = self.sides(), self._held(data)
        return [
            self._reason(data, column, float(weights[column]), sides, rank, held)
            if ready[-1, column]
            else self._unready()
            for column in range(len(panel.symbols))
        ]

    def _unready(self) -> tuple[str, Values]:
        return f"fewer than {self.warm_up} bars", {"strength": 0.0}

    def _reason(  # noqa: PLR0917 - figures of one line
        self,
        data: BySymbol,
        column: int,
        weight: float,
        sides: tuple[Side, ...],
        rank: Node | None,
        held: Held,
    ) -> tuple[str, Values]:
        now: Values = {}
        for side in sides:
            now |= figures([side.enter, *([side.leave] if side.leave else [])], data, column)
        if rank is not None:
            now |= figures([rank], data, column)
        values: Values = {**now, "weight": weight, "strength": 1.0 if weight else 0.0}
        sign = int(held.sign[column, -1])
        if not sign:
            wanted = " or ".join(f"{side.name}: {side.enter.text}" for side in sides)
            return f"nothing to hold ({wanted}), with {worded(now)}: flat", values
        side = next(side for side in sides if side.sign == sign)
        began = row_of(data, column, int(held.bars[column, -1]))
        day = str(data.remembered("sessions", lambda: session_dates(data.panel.timestamps))[began])
        then = worded(figures([side.enter], data, column, began))
        why = f"{side.name} since {day}, when {side.enter.text} ({then})"
        if side.leave is not None:
            why += f", and {side.leave.text} has not been met since (now {worded(figures([side.leave], data, column))})"
        if not weight:
            return f"{why}, but {self.positions} others rank higher: flat", values
        return f"{why}: {side.name} {abs(weight):.1%} of capital", {**values, "since": day}


@lru_cache(maxsize=256)
def _checked(definition: str) -> tuple[tuple[Side, ...], Node | None]:
    rule = Conditions.model_construct(**json.loads(definition))
    named = rule.named()
    sides = []
    for name, sign, entering, leaving in (("long", 1, "entry", "exit"), ("short", -1, "short", "cover")):
        enter, leave = getattr(rule, entering), getattr(rule, leaving)
        if enter is not None:
            node = rule.checked(entering, enter, "condition", named)
            sides.append(
                Side(name, sign, node, None if leave is None else rule.checked(leaving, leave, "condition", named))
            )
    rank = None if rule.rank_by is None else rule.checked("rank_by", rule.rank_by, "series", named)
    return tuple(sides), rank


def turned_bools(mask: Bools) -> Bools:
    """Return (N, T) of (T, N), or back, as an array of its own."""
    return np.ascontiguousarray(mask.T)
