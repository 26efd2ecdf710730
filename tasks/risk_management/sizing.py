"""From signals to target quantities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prefect import task

from db.repositories import accounts, risk, strategies
from tasks.books import held_by_strategy, open_books
from tasks.panels import decision_bar, load_panel
from tasks.policies import REPEATABLE
from tasks.resources import broker, database, flow_run_id
from trading.report import Report
from trading.sizing import Sizing, size, size_inputs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from sqlalchemy import Connection

    from trading.sizing import Method
    from trading.strategies import Strategy


@task(**REPEATABLE)
def size_targets(*, as_of: datetime | None, method: Method | None) -> Report:
    """Size the signals of every active strategy for the coming session, each once per account."""
    gateway = broker()
    clock = gateway.clock()
    rows: list[dict[str, Any]] = []
    with database().begin() as connection:
        account = open_books(connection, gateway, clock)
        accounts.lock(connection, account.number, "size")
        held = held_by_strategy(connection, account.number)
        sized = risk.sized_signals(connection, account=account.number, session=clock.session)
        for strategy in strategies.active(connection):
            rows += _targets(
                connection,
                strategy if method is None else _with_method(strategy, method),
                version=strategy.version,
                bar_ts=decision_bar(strategy.timeframe, as_of or clock.now),
                held=held[strategy.name],
                equity=float(account.equity),
                done=sized,
            )
        shared = {"account": account.number, "session": clock.session, "flow_run_id": flow_run_id()}
        new = risk.record_targets(connection, [{**shared, **row} for row in rows])
    return _report(rows, session=clock.session, equity=float(account.equity), new=new)


def _with_method(strategy: Strategy, method: Method) -> Strategy:
    sizing = Sizing.model_validate({**strategy.sizing.model_dump(), "method": method})
    return strategy.model_copy(update={"sizing": sizing})


def _targets(
    connection: Connection,
    strategy: Strategy,
    *,
    version: str,
    bar_ts: datetime,
    held: Mapping[str, float],
    equity: float,
    done: set[int],
) -> list[dict[str, Any]]:
    signals = {
        row.symbol: row
        for row in strategies.signals_of(connection, version=version, bar_ts=bar_ts)
        if row.id not in done
    }
    if not signals:
        return []
    panel = load_panel(
        connection,
        sorted(signals),
        timeframe=strategy.timeframe,
        bars=strategy.sizing.warm_up,
        until=bar_ts,
    )
    inputs = size_inputs(
        panel,
        weights={symbol: row.target_weight for symbol, row in signals.items()},
        current=held,
        capital=equity * strategy.capital_fraction,
    )
    return [
        {
            "signal_id": signals[target.symbol].id,
            "strategy": strategy.name,
            "symbol": target.symbol,
            "method": strategy.sizing.method,
            "price": target.workings["price"],
            "target_quantity": target.target_quantity,
            "current_quantity": target.current_quantity,
            "workings": target.workings,
        }
        for target in size(strategy.sizing, inputs)
        if target.workings["price"] is not None
    ]


def _report(rows: list[dict[str, Any]], *, session: date, equity: float, new: int) -> Report:
    shown = [
        {
            "strategy": row["strategy"],
            "symbol": row["symbol"],
            "now": row["current_quantity"],
            "target": row["target_quantity"],
            "price": row["price"],
            "why": row["workings"]["outcome"],
        }
        for row in rows
    ]
    return Report(f"Targets for {session}", {"session": session, "equity": equity, "new targets": new}, shown)
