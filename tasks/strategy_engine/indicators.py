"""Indicator values of the universe's latest bars, for the screener and the dashboard."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

from prefect import task

from db.repositories import strategies
from tasks.panels import decision_bar, load_panel
from tasks.policies import REPEATABLE
from tasks.resources import broker, cache, database, flow_run_id
from trading.indicators import compute, memory, warm_up
from trading.report import Report

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

CACHED_SECONDS = 7 * 24 * 3600


@task(**REPEATABLE)
def compute_indicators(
    symbols: Sequence[str], *, indicators: Sequence[str], timeframe: str, as_of: datetime | None
) -> Report:
    """Compute indicators on the bars completed by `as_of` (default: the broker's now) and store the latest values.

    Raises
    ------
    UnknownNameError
        An indicator is not in the catalogue.
    """
    bar_ts = decision_bar(timeframe, as_of or broker().clock().now)
    needed = max(max(2 * warm_up(spec), memory(spec)) for spec in indicators)
    with database().connect() as connection:
        panel = load_panel(connection, symbols, timeframe=timeframe, bars=needed, until=bar_ts)
    title = f"Indicators on {timeframe} bars"
    if not len(panel):
        return Report(title, {"bar": bar_ts, "values": 0}, notes=["No bars: run fetch-market-data first."])
    latest = {spec: compute(spec, panel)[-1] for spec in indicators}
    values = [
        (symbol, spec, float(row[column]))
        for spec, row in latest.items()
        for column, symbol in enumerate(panel.symbols)
        if math.isfinite(row[column])
    ]
    with database().begin() as connection:
        strategies.record_indicators(
            connection, values, timeframe=timeframe, bar_ts=panel.last_timestamp, flow_run_id=flow_run_id()
        )
    rows = [
        {"symbol": symbol} | {spec: float(latest[spec][column]) for spec in indicators}
        for column, symbol in enumerate(panel.symbols)
    ]
    known = {symbol: {spec: value for name, spec, value in values if name == symbol} for symbol in panel.symbols}
    notes = _cache(timeframe, panel.last_timestamp, known)
    return Report(title, {"bar": panel.last_timestamp, "symbols": len(rows), "values": len(values)}, rows, notes)


def _cache(timeframe: str, bar_ts: datetime, values: dict[str, dict[str, float]]) -> list[str]:
    """Keep the values in Redis; return a line where it is away, which keeps nobody from trading."""
    from redis import RedisError

    document = json.dumps({"bar_ts": bar_ts.isoformat(), "values": values})
    try:
        cache("strategy_engine").set(f"indicators:{timeframe}", document, ex=CACHED_SECONDS)
    except RedisError as error:
        return [f"not cached, Redis does not answer ({type(error).__name__}); the values are in the database"]
    return []
