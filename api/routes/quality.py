"""Data quality: the rules, their findings, and a person's decision about a single bar."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Depends, Query

from api.dependencies import BarStart, ConnectionDep, Cursor, EngineDep, From, Limit, SymbolFilter, known_symbol
from api.errors import ConflictError, MissingError, RefusedError
from api.schemas.base import Listing
from api.schemas.quality import (
    BarRecord,
    Correction,
    Exclusion,
    Parameter,
    QualityIssue,
    QualityRule,
    Release,
    RuleCount,
)
from db.repositories import decisions
from db.results import quality
from db.results.quality import BarKey, IssueFilter
from trading.bars import Timeframe
from trading.errors import UnknownNameError

if TYPE_CHECKING:
    from sqlalchemy import Connection

router = APIRouter(prefix="/api/quality", tags=["quality"])

Timeframes = Annotated[Timeframe | None, Query(description="only this timeframe")]
Around = Annotated[int, Query(ge=0, le=250, description="bars before it and after it to return too")]
NEIGHBOURS = 30


def _asked(
    symbol: SymbolFilter,
    timeframe: Timeframes = None,
    rule: Annotated[str | None, Query(description="only this rule")] = None,
    verdict: Annotated[Literal["suspect", "quarantined"] | None, Query()] = None,
    since: From = None,
) -> IssueFilter:
    known = [found.name for found in _rules()]
    if rule is not None and rule not in known:
        raise UnknownNameError("rule", rule, known)
    return IssueFilter(symbol, timeframe, rule, verdict, since)


def _key(symbol: str, timeframe: Timeframe, ts: BarStart) -> BarKey:
    return BarKey(symbol.upper(), timeframe, ts)


IssueFilterDep = Annotated[IssueFilter, Depends(_asked)]


@router.get("/rules")
def rules() -> list[QualityRule]:
    """Return every rule, in the order they run, with what it is judged by."""
    return _rules()


@router.get("/issues")
def issues(
    connection: ConnectionDep, asked: IssueFilterDep, limit: Limit = 100, cursor: Cursor = None
) -> Listing[QualityIssue]:
    """Return what the rules complained about, newest bar first, with what each bar is now."""
    return Listing[QualityIssue].page(QualityIssue, quality.issues(connection, asked, limit=limit, cursor=cursor))


@router.get("/counts")
def counts(connection: ConnectionDep, asked: IssueFilterDep) -> list[RuleCount]:
    """Return how often each rule complained, the most frequent first."""
    return RuleCount.each(quality.counts(connection, asked))


@router.get("/exclusions")
def exclusions(
    connection: ConnectionDep,
    session: Annotated[date | None, Query(description="only this session")] = None,
    timeframe: Timeframes = None,
    limit: Limit = 100,
) -> list[Exclusion]:
    """Return the symbols left out of sessions' universes and why, newest session first."""
    return Exclusion.each(quality.exclusions(connection, session=session, timeframe=timeframe, limit=limit))


@router.get("/bars/{symbol:path}/{timeframe}/{ts}")
def bar(connection: ConnectionDep, key: Annotated[BarKey, Depends(_key)], around: Around = NEIGHBOURS) -> BarRecord:
    """Return a bar with its issues, revisions and decisions; of a missing bar, what is said of it."""
    return _record(connection, key, around=around)


@router.post("/bars/{symbol:path}/{timeframe}/{ts}/release")
def release(engine: EngineDep, key: Annotated[BarKey, Depends(_key)], body: Release) -> BarRecord:
    """Make a bar count as good although rules complain, for as long as it has these figures."""
    with engine.begin() as connection:
        held = quality.bar(connection, key, lock=True)
        if held is not None and held.quality == "good":
            raise ConflictError(f"{_name(key)}: the bar is good already; there is nothing to release")
        decisions.release(connection, key.symbol, timeframe=key.timeframe, ts=key.ts, who=body.who, why=body.why)
        return _record(connection, key, around=NEIGHBOURS)


@router.post("/bars/{symbol:path}/{timeframe}/{ts}/correct")
def correct(engine: EngineDep, key: Annotated[BarKey, Depends(_key)], body: Correction) -> BarRecord:
    """Give a bar other figures; the old ones are kept as a revision."""
    figures = decisions.Figures(body.open, body.high, body.low, body.close, body.volume)
    with engine.begin() as connection:
        held = quality.bar(connection, key, lock=True)
        if held is not None and all(getattr(held, name) == getattr(figures, name) for name in decisions.FIGURES):
            raise RefusedError(f"{_name(key)}: the bar has these figures already; release it to keep them")
        decisions.correct(
            connection, key.symbol, timeframe=key.timeframe, ts=key.ts, figures=figures, who=body.who, why=body.why
        )
        return _record(connection, key, around=NEIGHBOURS)


def _record(connection: Connection, key: BarKey, *, around: int) -> BarRecord:
    found = quality.record(connection, key, around=around)
    if not found.known:
        known_symbol(connection, key.symbol)
        advice = f"GET /api/bars/{key.symbol} lists the bars, `trading data restore` brings archived ones back"
        raise MissingError(f"{_name(key)}: no such bar; {advice}")
    return BarRecord.model_validate(
        {
            "symbol": key.symbol,
            "timeframe": key.timeframe,
            "ts": key.ts,
            **{name: getattr(found, name) for name in ("bar", "issues", "revisions", "decisions", "neighbours")},
        }
    )


def _name(key: BarKey) -> str:
    return f"{key.symbol} {key.timeframe} {key.ts.isoformat()}"


def _rules() -> list[QualityRule]:
    # numpy and the market's rules come with the first question, not with the start of the api.
    from trading.quality.catalogue import RULES
    from trading.quality.thresholds import Thresholds

    described = {name: field.description or "" for name, field in Thresholds.model_fields.items()}
    return [
        QualityRule(
            name=rule.name,
            severity=rule.severity,
            explanation=rule.explanation,
            parameters=[
                Parameter(name=name, value=value, description=described[name]) for name, value in rule.defaults.items()
            ],
        )
        for rule in RULES.values()
    ]
