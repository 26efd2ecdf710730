"""Strategies, their versions, and what their runs decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from db.models.strategy_engine import IndicatorValue, Signal, StrategyRun, StrategyVersion
from db.models.strategy_engine import Strategy as StrategyRow
from db.statements import insert_missing, upsert
from trading.errors import InvalidValueError, UnknownNameError
from trading.strategies import Strategy

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Connection, Row

STATUSES = ("active", "paused", "retired")


def save(connection: Connection, strategy: Strategy, *, by: str) -> str:
    """Store a definition under its content's hash and make it current; return the version.

    A strategy seen for the first time comes up paused.
    """
    version = strategy.version
    definition = strategy.model_dump(mode="json")
    content = {"version": version, "strategy": strategy.name, "definition": definition}
    upsert(connection, StrategyVersion, [content], keys=["version"])  # the description may change within a version
    row = insert(StrategyRow).values(name=strategy.name, current_version=version, status="paused", updated_by=by)
    changed = {"current_version": version, "updated_by": by, "updated_at": func.now()}
    differs = StrategyRow.current_version != version
    connection.execute(row.on_conflict_do_update(index_elements=["name"], set_=changed, where=differs))
    return version


def ship(connection: Connection, strategies: Iterable[Strategy], *, active: Collection[str]) -> None:
    """Store the strategies that come with the project, those of `active` trading, unless people have them already."""
    present = set(connection.scalars(select(StrategyRow.name)))
    for strategy in strategies:
        if strategy.name not in present:
            save(connection, strategy, by="system")
            if strategy.name in active:
                set_status(connection, strategy.name, "active", by="system")


def set_status(connection: Connection, name: str, status: str, *, by: str) -> None:
    """Activate, pause or retire a strategy.

    Raises
    ------
    UnknownNameError
        There is no such strategy.
    InvalidValueError
        The status is none of `STATUSES`.
    """
    if status not in STATUSES:
        raise InvalidValueError("status", status, f"one of {', '.join(STATUSES)}")
    named(connection, name)
    connection.execute(
        update(StrategyRow)
        .where(StrategyRow.name == name, StrategyRow.status != status)
        .values(status=status, updated_by=by, updated_at=func.now())
    )


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
