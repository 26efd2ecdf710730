"""Pairs: two symbols whose prices belong together, bought and sold against each other while they are apart."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from trading.calendar import session_dates
from trading.errors import InvalidValueError
from trading.indicators.computing import by_symbol
from trading.rules.readiness import LONGEST_MONTH, Values, enough, rebalancing_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trading.bars import Floats, Panel

MOST_PAIRS = 100
"""Most pairs one rule tests: each is a regression a month."""

Leg = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{0,9}([./-][A-Z0-9]{1,4})?$")]


@dataclass(frozen=True, slots=True)
class Spread:
    """What the bars up to a decision say of a pair: log(a) = intercept + slope * log(b) + spread.

    Attributes
    ----------
    row
        The row of the panel it was estimated at.
    p_value
        Of no cointegration (Engle & Granger 1987), by MacKinnon's 2010 tables.
    half_life
        Bars in which half of a deviation is gone, by an AR(1) of the spread (Chan 2013, ch. 2); inf when none goes.
    deviation
        Sample deviation of the spread over the bars it was estimated on (ddof 1).
    """

    row: int
    intercept: float
    slope: float
    p_value: float
    half_life: float
    deviation: float


class Pairs(BaseModel):
    """Both legs of the pairs that belong together, while the spread is `entry` deviations off and until it is back.

    At each month's last close, every pair is tested on its last `lookback` bars: those with an Engle-Granger p-value
    of at most `p_value`, a positive slope and a half-life in bounds qualify; the `hold` with the lowest p-values are
    traded until the next month's last close, with slope and deviation as estimated then. The spread's z-score opens
    a position beyond `entry`, closes it within `exit`, and beyond `stop` closes it until it has been within `exit`.
    A new estimate first replays its own lookback, so a position that the new figures would hold stays. A pair has
    1 / `hold` of the capital, shared between the legs 1 to slope.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["pairs"] = "pairs"
    pairs: tuple[tuple[Leg, Leg], ...] = Field(
        (), max_length=MOST_PAIRS, description="pairs of symbols; empty: every pair of the universe"
    )
    lookback: int = Field(252, ge=60, le=1000, description="bars that a pair is tested and estimated on")
    p_value: float = Field(0.05, gt=0, le=1, description="highest Engle-Granger p-value of a pair that is traded")
    least_half_life: float = Field(1.0, ge=0, le=500, description="shortest half-life of the spread, in bars")
    most_half_life: float = Field(60.0, gt=0, le=500, description="longest half-life of the spread, in bars")
    entry: float = Field(2.0, gt=0, le=10, description="z-score beyond which a position is opened")
    exit: float = Field(0.5, ge=0, le=10, description="z-score within which it is closed, below entry")
    stop: float = Field(4.0, gt=0, le=20, description="z-score beyond which it is given up, above entry")
    hold: int = Field(2, ge=1, le=MOST_PAIRS, description="pairs traded at once, the most certain first")

    @field_validator("pairs")
    @classmethod
    def _of_two(cls, pairs: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        for one, other in pairs:
            if one == other:
                raise ValueError(f"a pair of {one} with itself")
        if len({frozenset(pair) for pair in pairs}) < len(pairs):
            raise ValueError("a pair is named twice")
        return pairs

    @model_validator(mode="after")
    def _ordered(self) -> Pairs:
        if not self.exit < self.entry < self.stop:
            raise ValueError(f"exit ({self.exit:g}), entry ({self.entry:g}) and stop ({self.stop:g}) must rise")
        if self.least_half_life >= self.most_half_life:
            raise ValueError("least_half_life must be below most_half_life")
        return self

    @property
    def warm_up(self) -> int:
        """Bars needed for a decision, back from the last month's end."""
        return self.lookback + LONGEST_MONTH

    def decided(self, panel: Panel) -> NDArray[np.bool_]:
        """Return (T, N), where the last month's end had bars enough of the symbol."""
        rows = rebalancing_rows(panel, "monthly")
        return np.where(rows[:, None] >= 0, enough(panel, self.lookback)[rows], False)

    def weights(self, panel: Panel) -> Floats:
        """Return (T, N) weights, signed, of both legs of every pair that is open."""
        result = np.zeros(panel.close.shape)
        rows = rebalancing_rows(panel, "monthly")
        for decision in np.unique(rows[rows >= 0]).tolist():
            until = np.flatnonzero(rows == decision)
            for (one, other), spread in self._chosen(panel, decision):
                side = self._sides(self._z(panel, one, other, spread, int(until[-1])))[-len(until) :]
                share = side / self.hold / (1 + spread.slope)
                result[until, one] += share
                result[until, other] -= share * spread.slope
        return np.clip(result, -1.0, 1.0)

    def explain(self, panel: Panel) -> list[tuple[str, Values]]:
        """Return the reason for the last row's weight of each symbol, and its figures."""
        row = int(rebalancing_rows(panel, "monthly")[-1])
        if row < 0:
            return [("no month's end among the bars", {"strength": 0.0}) for _ in panel.symbols]
        day = str(session_dates(panel.timestamps[row : row + 1])[0])
        weights, ready = self.weights(panel)[-1], enough(panel, self.lookback)[row]
        traded = self._chosen(panel, row)
        reasons: list[tuple[str, Values]] = []
        for column in range(len(panel.symbols)):
            values: Values = {"decided_on": day, "weight": float(weights[column]), "strength": 0.0}
            own = [item for item in traded if column in item[0]]
            if not ready[column]:
                reasons.append((f"fewer than {self.lookback} bars on {day}", values))
            elif not own:
                reasons.append((f"in no pair that qualified on {day}: flat", values))
            else:
                reasons.append(self._reason(panel, own, day, float(weights[column]), values))
        return reasons

    def _reason(
        self, panel: Panel, own: list[tuple[tuple[int, int], Spread]], day: str, weight: float, values: Values
    ) -> tuple[str, Values]:
        parts = []
        for (one, other), spread in own:
            z = float(self._z(panel, one, other, spread, len(panel) - 1)[-1])
            name = f"{panel.symbols[one]}-{panel.symbols[other]}"
            parts.append(
                f"{name} is {z:+.2f} deviations apart (p {spread.p_value:.3f}, half-life {spread.half_life:.1f} bars, "
                f"slope {spread.slope:.2f} on {day})"
            )
            values |= {f"{name} z": z, f"{name} p": spread.p_value, f"{name} half-life": spread.half_life}
            values["strength"] = max(float(values["strength"] or 0.0), min(1.0, abs(z) / self.stop) if weight else 0.0)
        side = "long" if weight > 0 else "short"
        held = f"{side} {abs(weight):.1%} of capital" if weight else "flat"
        return f"{'; '.join(parts)}: {held}", values

    def _columns(self, panel: Panel) -> list[tuple[int, int]]:
        place = {symbol: column for column, symbol in enumerate(panel.symbols)}
        if self.pairs:
            return [(place[one], place[other]) for one, other in self.pairs if one in place and other in place]
        found = list(combinations(range(len(panel.symbols)), 2))
        if len(found) > MOST_PAIRS:
            count = f"{len(found):,} of {len(panel.symbols)} symbols"
            raise InvalidValueError("pairs of the universe", count, f"at most {MOST_PAIRS}; name them in `pairs`")
        return found

    def _chosen(self, panel: Panel, row: int) -> list[tuple[tuple[int, int], Spread]]:
        """Return the pairs that a decision at `row` trades, the most certain first."""
        return by_symbol(panel).remembered(("pairs", self, row), lambda: self._tested(panel, row))

    def _tested(self, panel: Panel, row: int) -> list[tuple[tuple[int, int], Spread]]:
        found = []
        for one, other in self._columns(panel):
            spread = self._estimate(panel, one, other, row)
            if spread is not None and self._qualifies(spread):
                found.append(((one, other), spread))
        return sorted(found, key=lambda item: item[1].p_value)[: self.hold]

    def _qualifies(self, spread: Spread) -> bool:
        return (
            spread.p_value <= self.p_value
            and spread.slope > 0
            and self.least_half_life <= spread.half_life <= self.most_half_life
        )

    def _both(self, panel: Panel, one: int, other: int, row: int) -> NDArray[np.int64]:
        """Return the last `lookback` rows up to `row` on which both legs have a bar; fewer where there are fewer."""
        there = (panel.close[: row + 1, one] > 0) & (panel.close[: row + 1, other] > 0)
        return np.flatnonzero(there)[-self.lookback :]

    def _estimate(self, panel: Panel, one: int, other: int, row: int) -> Spread | None:
        rows = self._both(panel, one, other, row)
        if len(rows) < self.lookback or rows[-1] != row:
            return None
        return estimate(np.log(panel.close[rows, one]), np.log(panel.close[rows, other]), row)

    def _z(self, panel: Panel, one: int, other: int, spread: Spread, last: int) -> Floats:
        """Return the z-scores from the first bar of the estimate to `last`; a bar that a leg lacks repeats the last."""
        first = int(self._both(panel, one, other, spread.row)[0])
        with np.errstate(invalid="ignore", divide="ignore"):
            apart = (
                np.log(panel.close[first : last + 1, one])
                - spread.intercept
                - spread.slope * np.log(panel.close[first : last + 1, other])
            )
        filled = np.maximum.accumulate(np.where(np.isfinite(apart), np.arange(len(apart)), 0))
        z: Floats = apart[filled] / spread.deviation
        return z

    def _sides(self, z: Floats) -> NDArray[np.int64]:
        """Return 1 (long the first leg), -1 or 0 for each z-score in turn, beginning with nothing held."""
        side, stopped = 0, False
        sides = np.zeros(len(z), dtype=np.int64)
        for at, score in enumerate(z.tolist()):
            away = abs(score)
            if away <= self.exit:
                side, stopped = 0, False
            elif away >= self.stop:
                side, stopped = 0, True
            elif side * score > 0:  # it went through to the other side
                side = 0
            if side == 0 and not stopped and self.entry <= away < self.stop:
                side = -1 if score > 0 else 1
            sides[at] = side
        return sides


def estimate(one: Floats, other: Floats, row: int = 0) -> Spread | None:
    """Return what two series of log prices say of each other; None where one of them stands still."""
    from statsmodels.tsa.stattools import coint

    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return None
    slope, intercept = np.polyfit(other, one, 1)
    apart = one - intercept - slope * other
    deviation = float(apart.std(ddof=1))
    if deviation < 1e-12:  # noqa: PLR2004 - the same prices twice
        return None
    p_value = float(coint(one, other, trend="c", maxlag=1, autolag=None)[1])
    moved, level = np.diff(apart), apart[:-1]
    pull = float(np.polyfit(level, moved, 1)[0])
    half_life = -math.log(2) / math.log1p(pull) if -1 < pull < 0 else (math.inf if pull >= 0 else 0.0)
    return Spread(row, float(intercept), float(slope), p_value, half_life, deviation)
