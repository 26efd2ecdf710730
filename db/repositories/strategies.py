"""Strategies, their versions, and what their runs decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import case, func, select, update
from sqlalchemy.dialects.postgresql import insert

from db.models.strategy_engine import IndicatorValue, Signal, StrategyRun, StrategyVersion
from db.models.strategy_engine import Strategy as StrategyRow
from db.repositories import audit, checks
from db.statements import insert_missing, upsert
from trading.errors import InvalidValueError, NotCheckedError, UnknownNameError
from trading.strategies import Strategy

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Connection, Row

STATUSES = ("active", "paused", "retired")
SHIPPED_ACTIVE = "shipped for the demonstration, not checked"
"""Why a strategy that comes with the project trades from the start."""


def save(connection: Connection, strategy: Strategy, *, by: str) -> str:
    """Store a definition under its content's hash and make it current; return the version.

    A strategy seen for the first time comes up paused. One that trades is paused by a version that may not: whose
    last check failed, or that has none.
    """
    version = strategy.version
    definition = strategy.model_dump(mode="json")
    content = {"version": version, "strategy": strategy.name, "definition": definition}
    upsert(connection, StrategyVersion, [content], keys=["version"])  # the description may change within a version
    row = insert(StrategyRow).values(name=strategy.name, current_version=version, status="paused", updated_by=by)
    changed = {"current_version": version, "updated_by": by, "updated_at": func.now()}
    if not _may_trade(connection, strategy.name, version):
        changed["status"] = case((StrategyRow.status == "active", "paused"), else_=StrategyRow.status)
    differs = StrategyRow.current_version != version
    connection.execute(row.on_conflict_do_update(index_elements=["name"], set_=changed, where=differs))
    return version


def _may_trade(connection: Connection, name: str, version: str) -> bool:
    try:
        checks.require(connection, name, version)
    except NotCheckedError:
        return False
    return True


def ship(connection: Connection, strategies: Iterable[Strategy], *, active: Collection[str]) -> None:
    """Store the strategies that come with the project, unless people have them already.

    Those of `active` trade from the start, unchecked, which the audit trail says: the demonstration trades them.
    """
    present = set(connection.scalars(select(StrategyRow.name)))
    for strategy in strategies:
        if strategy.name not in present:
            save(connection, strategy, by="system")
            if strategy.name in active:
                set_status(connection, strategy.name, "active", by="system", anyway=SHIPPED_ACTIVE)
                detail = status_detail("active", SHIPPED_ACTIVE)
                audit.record(connection, actor="system", action="strategy.status", subject=strategy.name, detail=detail)


def set_status(connection: Connection, name: str, status: str, *, by: str, anyway: str | None = None) -> None:
    """Activate, pause or retire a strategy.

    Its current version trades only after a check that did not fail; `anyway` is the reason to overrule that, which
    the caller writes into the audit trail (`status_detail`).

    Raises
    ------
    UnknownNameError
        There is no such strategy.
    InvalidValueError
        The status is none of `STATUSES`, or the reason is empty.
    NotCheckedError
        It is to trade, and its version was not checked, or failed.
    """
    if status not in STATUSES:
        raise InvalidValueError("status", status, f"one of {', '.join(STATUSES)}")
    if anyway is not None and not anyway.strip():
        raise InvalidValueError("the reason to activate anyway", anyway, "a few words for the audit trail")
    named(connection, name)
    held = select(StrategyRow.status, StrategyRow.current_version).where(StrategyRow.name == name).with_for_update()
    before, version = connection.execute(held).one()
    if status == "active" and before != "active" and anyway is None:
        checks.require(connection, name, version)
    connection.execute(
        update(StrategyRow)
        .where(StrategyRow.name == name, StrategyRow.status != status)
        .values(status=status, updated_by=by, updated_at=func.now())
    )


def status_detail(status: str, anyway: str | None) -> dict[str, str]:
    """Return what the audit trail says of a change of status: the reason where a check was overruled."""
    return {"status": status} if anyway is None else {"status": status, "anyway": anyway}


def named(connection: Connection, name: str) -> Strategy:
    """Return the current version of one strategy.

    Raises
    ------
    UnknownNameError
        There is no such strategy.
    """
    known = dict(connection.execute(_current(StrategyRow.name)).all())
    if name not in known:
        raise UnknownNameError("strategy", name, known)
    return Strategy.model_validate(known[name])


def of_version(connection: Connection, name: str, version: str) -> Strategy:
    """Return a version of a strategy, named by the beginning of its hash.

    Raises
    ------
    UnknownNameError
        The strategy has no such version, or more than one.
    """
    statement = select(StrategyVersion.version, StrategyVersion.definition).where(StrategyVersion.strategy == name)
    known = dict(connection.execute(statement).all())
    found = [one for one in known if one.startswith(version)]
    if len(found) != 1:
        raise UnknownNameError(f"version of {name}", version, known)
    return Strategy.model_validate(known[found[0]])


def active(connection: Connection) -> list[Strategy]:
    """Return the current versions of the strategies that trade, by name."""
    rows = connection.execute(_current(StrategyRow.name).where(StrategyRow.status == "active"))
    return [Strategy.model_validate(definition) for _, definition in rows]


def _current(*columns: Any) -> Any:
    return (
        select(*columns, StrategyVersion.definition)
        .join(StrategyVersion, StrategyVersion.version == StrategyRow.current_version)
        .order_by(StrategyRow.name)
    )


def record_run(connection: Connection, run: Mapping[str, Any], signals: Iterable[Mapping[str, Any]]) -> tuple[int, int]:
    """Write one evaluation and its signals, unless that bar was evaluated before; return (run id, new signals).

    An evaluation that could decide nothing is replaced by the next of the same bar.
    """
    insert_missing(connection, StrategyRun, [run])
    same = (StrategyRun.strategy_version == run["strategy_version"], StrategyRun.bar_ts == run["bar_ts"])
    identity = connection.scalars(select(StrategyRun.id).where(*same)).one()
    empty = ~select(Signal.id).where(Signal.strategy_run_id == identity).exists()
    seen = {name: run[name] for name in ("bars_sha256", "undecided", "flow_run_id")}
    connection.execute(update(StrategyRun).where(*same, empty).values(**seen))
    return identity, insert_missing(connection, Signal, [{**signal, "strategy_run_id": identity} for signal in signals])


def evaluated(connection: Connection, *, version: str, bar_ts: datetime) -> bool:
    """Whether a strategy version has decided something on a bar; an evaluation without a signal may be repeated."""
    statement = (
        select(StrategyRun.id)
        .join(Signal, Signal.strategy_run_id == StrategyRun.id)
        .where(StrategyRun.strategy_version == version, StrategyRun.bar_ts == bar_ts)
        .limit(1)
    )
    return connection.scalar(statement) is not None


def signals_of(connection: Connection, *, version: str, bar_ts: datetime) -> Sequence[Row[Any]]:
    """Return the signals of one strategy version on one bar, by symbol."""
    statement = select(Signal.__table__).where(Signal.strategy_version == version, Signal.bar_ts == bar_ts)
    return connection.execute(statement.order_by(Signal.symbol)).all()


def record_indicators(
    connection: Connection,
    values: Iterable[tuple[str, str, float]],
    *,
    timeframe: str,
    bar_ts: datetime,
    flow_run_id: UUID | None,
) -> int:
    """Write the latest (symbol, indicator, value) rows of the universe."""
    rows = [
        {
            "symbol": symbol,
            "indicator": indicator,
            "value": value,
            "timeframe": timeframe,
            "bar_ts": bar_ts,
            "flow_run_id": flow_run_id,
        }
        for symbol, indicator, value in sorted(values, key=lambda row: row[:2])
    ]
    return upsert(connection, IndicatorValue, rows, keys=["symbol", "timeframe", "indicator"])
