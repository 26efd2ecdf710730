"""Evaluating strategies on completed, fresh, unquarantined bars."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from prefect import task

from db.repositories import assets, exclusions, strategies
from tasks.panels import decision_bar, load_panel
from tasks.policies import REPEATABLE
from tasks.resources import broker, database, flow_run_id
from trading.calendar import session_of
from trading.report import Report
from trading.signals import Undecided, decide, stale
from trading.strategies import ACTIVE, SHIPPED

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from trading.bars import Panel
    from trading.signals import Signal
    from trading.strategies import Strategy


@task(**REPEATABLE)
def strategies_to_run(name: str | None) -> list[str]:
    """Return the named strategy, or all active ones; the shipped ones are stored at the first call.

    Raises
    ------
    UnknownNameError
        There is no strategy of that name.
    """
    with database().begin() as connection:
        strategies.ship(connection, SHIPPED.values(), active=ACTIVE)
        if name is not None:
            return [strategies.named(connection, name).name]
        return [strategy.name for strategy in strategies.active(connection)]


@task(**REPEATABLE)
def decide_signals(name: str, *, as_of: datetime | None) -> Report:
    """Evaluate a strategy on the last bar complete at `as_of` (default: the broker's now), once a version and bar."""
    now = as_of or broker().clock().now
    with database().begin() as connection:
        strategy = strategies.named(connection, name)
        bar_ts = decision_bar(strategy.timeframe, now)
        figures = {"strategy": name, "version": strategy.version, "bar": bar_ts}
        if not strategies.evaluated(connection, version=strategy.version, bar_ts=bar_ts):
            universe = list(strategy.universe) or assets.tracked(connection)
            panel = load_panel(connection, universe, timeframe=strategy.timeframe, bars=strategy.warm_up, until=bar_ts)
            unusable = _missing(panel, bar_ts) or stale(strategy.timeframe, bar_ts, now)
            if unusable:
                _record(connection, strategy, panel, bar_ts, [], [Undecided(symbol, unusable) for symbol in universe])
                return Report(f"Signals of {name}", {**figures, "signals": 0}, notes=[f"No signals: {unusable}."])
            poor = exclusions.excluded(connection, session=session_of(bar_ts), timeframe=strategy.timeframe)
            _record(connection, strategy, panel, bar_ts, *decide(strategy, panel, excluded=poor))
        rows = [
            {
                "symbol": row.symbol,
                "direction": row.direction,
                "weight": row.target_weight,
                "reason": row.reason,
            }
            for row in strategies.signals_of(connection, version=strategy.version, bar_ts=bar_ts)
        ]
    return Report(f"Signals of {name}", {**figures, "signals": len(rows)}, rows)


def _missing(panel: Panel, bar_ts: datetime) -> str | None:
    if len(panel) and panel.last_timestamp == bar_ts:
        return None
    last = f"the last is of {panel.last_timestamp:%Y-%m-%d %H:%M} UTC" if len(panel) else "there are none"
    return f"the bar of {bar_ts:%Y-%m-%d %H:%M} UTC is missing, {last}"


def _record(  # noqa: PLR0917 - what one evaluation is made of
    connection: Connection,
    strategy: Strategy,
    panel: Panel,
    bar_ts: datetime,
    signals: list[Signal],
    undecided: list[Undecided],
) -> None:
    shared = {
        "strategy_version": strategy.version,
        "timeframe": strategy.timeframe,
        "flow_run_id": flow_run_id(),
    }
    run = {
        **shared,
        "bar_ts": bar_ts,
        "bars_sha256": panel.fingerprint(),
        "undecided": {entry.symbol: entry.reason for entry in undecided},
    }
    rows = [
        {
            **shared,
            "strategy": strategy.name,
            "bars_sha256": panel.of(signal.symbol).fingerprint(),
            **asdict(signal),
        }
        for signal in signals
    ]
    strategies.record_run(connection, run, rows)
