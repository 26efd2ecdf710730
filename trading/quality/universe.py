"""Which symbols have data good enough to be traded on today."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from trading.bars import instant

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    import pandas as pd
    from numpy.typing import NDArray

    from trading.quality.findings import Issue

Share = Annotated[float, Field(ge=0, le=1)]


class UniverseLimits(BaseModel):
    """How poor a symbol's data may be over the window that is looked at; shares are of the bars that should exist."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    quarantined: Share = Field(0.02, description="Largest share of quarantined bars.")
    missing: Share = Field(0.05, description="Largest share of missing bars.")
    behind: Annotated[int, Field(ge=0)] = Field(0, description="Most expected bars after the last usable one.")
    least: Annotated[int, Field(ge=1)] = Field(1, description="Fewest usable bars.")


LIMITS = UniverseLimits()


@dataclass(frozen=True, slots=True)
class Coverage:
    """A symbol's stored bars in a window: how many, and the starts (UTC) of the first and the last."""

    bars: int
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a symbol is in today's universe, and in words why not."""

    symbol: str
    included: bool
    reason: str = ""


def coverage(bars: pd.DataFrame) -> dict[str, Coverage]:
    """Return the coverage of each symbol of a frame of bars (symbol, ts)."""
    grouped = bars.groupby("symbol")["ts"].agg(["nunique", "min", "max"])
    return {
        str(symbol): Coverage(int(count), first.to_pydatetime(), last.to_pydatetime())
        for symbol, count, first, last in grouped.itertuples()
    }


def universe_verdicts(
    issues: Iterable[Issue],
    held: Mapping[str, Coverage],
    *,
    symbols: Iterable[str],
    expected: pd.DatetimeIndex,
    limits: UniverseLimits = LIMITS,
) -> list[Standing]:
    """Return the standing of each symbol, in the order asked for.

    Parameters
    ----------
    issues
        What the rules found in the window; of each bar only its worst verdict counts.
    held
        The stored bars of each symbol in the window, quarantined ones included.
    symbols
        The universe.
    expected
        Starts (UTC, ascending) of the bars that should exist in the window, as `completed_bars` gives them. A
        symbol listed within the window owes only those since its first bar.
    limits
        How poor the data may be.
    """
    starts = expected.tz_convert("UTC").tz_localize(None).as_unit("ns").to_numpy()
    bad: dict[str, set[datetime]] = {}
    for issue in issues:
        if issue.verdict == "quarantined":
            bad.setdefault(issue.symbol, set()).add(issue.ts)
    standings = []
    for symbol in symbols:
        reason = _reason(held.get(symbol), bad.get(symbol, set()), starts, limits)
        standings.append(Standing(symbol, not reason, reason))
    return standings


def _reason(own: Coverage | None, bad: set[datetime], starts: NDArray[np.datetime64], limits: UniverseLimits) -> str:
    if own is None:
        return f"has no bar of the {len(starts)} that should exist"
    owed = starts[starts >= instant(own.first)]
    in_window = [ts for ts in bad if own.first <= ts <= own.last]
    usable = own.bars - len(in_window)
    missing = max(len(owed) - own.bars, 0)
    behind = int(np.count_nonzero(owed > instant(own.last)))
    reasons = []
    if len(in_window) > limits.quarantined * len(owed):
        reasons.append(_over("quarantined", len(in_window), len(owed), limits.quarantined))
    if missing > limits.missing * len(owed):
        reasons.append(_over("missing", missing, len(owed), limits.missing))
    if behind > limits.behind:
        reasons.append(f"the last bar is of {own.last:%Y-%m-%d %H:%M} UTC, {behind} bars ago")
    elif own.last in bad and limits.behind == 0:
        reasons.append(f"the last bar, of {own.last:%Y-%m-%d %H:%M} UTC, is quarantined")
    if usable < limits.least:
        reasons.append(f"{usable} usable bars, at least {limits.least} are needed")
    return "; ".join(reasons)


def _over(what: str, count: int, owed: int, limit: float) -> str:
    return f"{count} of {owed} bars ({count / owed:.1%}) are {what}, at most {limit:.1%} may be"
