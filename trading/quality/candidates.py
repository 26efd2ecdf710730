"""Corporate actions that are known, but not what they were worth: what may explain a jump."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from trading.calendar import session_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from trading.quality.findings import Issue

GUESS = "; no corporate action is known"
"""Where the sentence of a jump begins to guess; see `trading.quality.moves`."""


def name_spin_offs(issues: Iterable[Issue], unvalued: Mapping[tuple[str, date], str | None]) -> list[Issue]:
    """Return issues, those on price jumps with the spin-off of the day that has no value yet in place of a guess.

    Parameters
    ----------
    unvalued
        Symbol and ex-date -> the new company's symbol.
    """
    return [_named(issue, unvalued) for issue in issues]


def _named(issue: Issue, unvalued: Mapping[tuple[str, date], str | None]) -> Issue:
    day = session_of(issue.ts)
    if issue.rule != "price_jumps" or (issue.symbol, day) not in unvalued:
        return issue
    company = unvalued[issue.symbol, day] or "a company"
    moved = issue.detail.partition(GUESS)[0]
    why = f"perhaps the spin-off of {company} on {day}, whose value is not known"
    return replace(issue, detail=f"{moved}; {why}: give its share in a file to `trading data actions`")
