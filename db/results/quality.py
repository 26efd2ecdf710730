"""What the quality rules said, of which bars, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, select, union_all

from db.models.data_ingestion import Bar, BarRevision, QualityDecision, QualityIssue, UniverseExclusion
from db.results.rows import Page, page

if TYPE_CHECKING:
    from datetime import date, datetime

    from sqlalchemy import Connection

    from db.results.rows import AnyRow, Query, Rows

_BAR = Bar.__table__.c
_ISSUE = QualityIssue.__table__.c
_SHOWN = (_BAR.ts, _BAR.open, _BAR.high, _BAR.low, _BAR.close, _BAR.volume, _BAR.quality)


@dataclass(frozen=True, slots=True)
class BarKey:
    """Which bar: symbol, timeframe and start (UTC)."""

    symbol: str
    timeframe: str
    ts: datetime


@dataclass(frozen=True, slots=True)
class IssueFilter:
    """Which issues are asked for; None is any, `since` a bar's start (UTC) and included."""

    symbol: str | None = None
    timeframe: str | None = None
    rule: str | None = None
    verdict: str | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class BarRecord:
    """A bar with everything that was said and done about it, newest first, and the bars around it, oldest first."""

    bar: AnyRow | None
    issues: Rows
    revisions: Rows
    decisions: Rows
    neighbours: Rows

    @property
    def known(self) -> bool:
        """Whether there is such a bar, or a trace of one."""
        return self.bar is not None or any((self.issues, self.revisions, self.decisions))


def issues(connection: Connection, asked: IssueFilter, *, limit: int = 100, cursor: str | None = None) -> Page:
    """Return issues, newest bar first, each with the quality and figures that its bar has now (nulls without one)."""
    # The page is chosen before its bars are looked up: PostgreSQL would look up every issue's bar, and then sort.
    keys = _narrowed(select(_ISSUE.ts, _ISSUE.id), asked)
    chosen = page(connection, keys, at=_ISSUE.ts, key=_ISSUE.id, limit=limit, cursor=cursor)
    whole = _with_bars().where(_ISSUE.id.in_([row.id for row in chosen.rows]))
    return Page(connection.execute(whole.order_by(_ISSUE.ts.desc(), _ISSUE.id.desc())).all(), chosen.next)


def counts(connection: Connection, asked: IssueFilter) -> Rows:
    """Return, per rule, the number of issues of each verdict, of symbols, and the newest bar; most issues first."""
    total = func.count()
    statement = select(
        _ISSUE.rule,
        total.filter(_ISSUE.verdict == "suspect").label("suspect"),
        total.filter(_ISSUE.verdict == "quarantined").label("quarantined"),
        func.count(_ISSUE.symbol.distinct()).label("symbols"),
        func.max(_ISSUE.ts).label("newest"),
    )
    grouped = _narrowed(statement, asked).group_by(_ISSUE.rule)
    return connection.execute(grouped.order_by(total.desc(), _ISSUE.rule)).all()


def bar(connection: Connection, key: BarKey, *, lock: bool = False) -> AnyRow | None:
    """Return a bar with its source, or None; `lock` holds it until the transaction ends."""
    statement = select(*_SHOWN, _BAR.source, _BAR.ingestion_run_id).where(*_is(Bar, key))
    return connection.execute(statement.with_for_update() if lock else statement).one_or_none()


def record(connection: Connection, key: BarKey, *, around: int) -> BarRecord:
    """Return a bar's record with up to `around` bars before it and as many after it."""
    return BarRecord(
        bar=bar(connection, key),
        issues=connection.execute(_with_bars().where(*_is(QualityIssue, key)).order_by(_ISSUE.id.desc())).all(),
        revisions=_newest(connection, BarRevision, key),
        decisions=_newest(connection, QualityDecision, key),
        neighbours=_around(connection, key, around) if around else (),
    )


def exclusions(
    connection: Connection, *, session: date | None = None, timeframe: str | None = None, limit: int = 100
) -> Rows:
    """Return the symbols that sessions went without and why, the newest session first."""
    columns = UniverseExclusion.__table__.c
    statement = select(UniverseExclusion.__table__)
    if session is not None:
        statement = statement.where(columns.session == session)
    if timeframe is not None:
        statement = statement.where(columns.timeframe == timeframe)
    newest = statement.order_by(columns.session.desc(), columns.symbol, columns.timeframe)
    return connection.execute(newest.limit(limit)).all()


def _with_bars() -> Query:
    same = and_(_BAR.symbol == _ISSUE.symbol, _BAR.timeframe == _ISSUE.timeframe, _BAR.ts == _ISSUE.ts)
    joined = QualityIssue.__table__.outerjoin(Bar.__table__, same)
    return select(QualityIssue.__table__, *_SHOWN[1:]).select_from(joined)


def _narrowed(statement: Query, asked: IssueFilter) -> Query:
    for column in (_ISSUE.symbol, _ISSUE.timeframe, _ISSUE.rule, _ISSUE.verdict):
        value = getattr(asked, column.name)
        if value is not None:
            statement = statement.where(column == value)
    return statement if asked.since is None else statement.where(_ISSUE.ts >= asked.since)


def _is(model: Any, key: BarKey) -> tuple[Any, ...]:
    return model.symbol == key.symbol, model.timeframe == key.timeframe, model.ts == key.ts


def _newest(connection: Connection, model: Any, key: BarKey) -> Rows:
    return connection.execute(select(model.__table__).where(*_is(model, key)).order_by(model.id.desc())).all()


def _around(connection: Connection, key: BarKey, count: int) -> Rows:
    own = select(*_SHOWN).where(_BAR.symbol == key.symbol, _BAR.timeframe == key.timeframe)
    before = own.where(_BAR.ts <= key.ts).order_by(_BAR.ts.desc()).limit(count + 1)
    after = own.where(_BAR.ts > key.ts).order_by(_BAR.ts).limit(count)
    both = union_all(before.subquery().select(), after.subquery().select()).subquery()
    return connection.execute(select(both).order_by(both.c.ts)).all()
