"""Data quality: the rules, what they found, and what people decided about single bars."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

from pydantic import Field, StringConstraints

from api.schemas.base import Answer, Question
from api.schemas.market import Bar

Who = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=80)]
Why = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500)]
Price = Annotated[Decimal, Field(gt=0, max_digits=15, decimal_places=6)]


class Parameter(Answer):
    """What a rule is judged by."""

    name: str
    value: float
    description: str


class QualityRule(Answer):
    """A rule that bars are checked by."""

    name: str
    severity: str
    explanation: str
    parameters: list[Parameter]


class RuleCount(Answer):
    """How many issues a rule has raised, of how many symbols, and its newest bar."""

    rule: str
    suspect: int
    quarantined: int
    symbols: int
    newest: datetime


class QualityIssue(Answer):
    """One rule's complaint about one bar, with what the bar is now: nulls where there is none."""

    id: int
    symbol: str
    timeframe: str
    ts: datetime
    rule: str
    severity: str
    verdict: str
    detail: str
    found_at: datetime
    quality: str | None
    open: float | None
    high: float | None
    low: float | None
    close: float | None
    volume: int | None


class StoredBar(Bar):
    """A bar with where it came from."""

    source: str
    ingestion_run_id: int


class _Change(Answer):
    id: int
    old_open: float | None
    old_high: float | None
    old_low: float | None
    old_close: float | None
    old_volume: int | None
    new_open: float | None
    new_high: float | None
    new_low: float | None
    new_close: float | None
    new_volume: int | None


class BarRevision(_Change):
    """Figures that others replaced; a person's correction has no ingestion run."""

    old_source: str
    old_quality: str
    new_source: str
    ingestion_run_id: int | None
    revised_at: datetime


class QualityDecision(_Change):
    """What a person decided; it stands for as long as the bar has the new figures."""

    decision: str
    who: str
    why: str
    at: datetime


class BarRecord(Answer):
    """A bar and all that was said and done about it, newest first; `bar` is null when it is missing.

    `neighbours` are the bars around it, itself included, oldest first.
    """

    symbol: str
    timeframe: str
    ts: datetime
    bar: StoredBar | None
    issues: list[QualityIssue]
    revisions: list[BarRevision]
    decisions: list[QualityDecision]
    neighbours: list[Bar]


class Exclusion(Answer):
    """A symbol that a session went without because its data was too poor."""

    session: date
    symbol: str
    timeframe: str
    reason: str
    recorded_at: datetime


class Release(Question):
    """Who lets a bar count as good although rules complain, and why."""

    who: Who
    why: Why


class Correction(Release):
    """The figures a bar should have, prices in USD, and who says so and why."""

    open: Price
    high: Price
    low: Price
    close: Price
    volume: Annotated[int, Field(ge=0, lt=2**63)]
