"""Round trips of the books, and what they have in common."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING, Any

from prefect import task

from db.repositories import bars as bars_repository
from db.repositories import orders, results
from tasks.books import open_books
from tasks.policies import REPEATABLE
from tasks.resources import broker, database, flow_run_id
from trading.calendar import NEW_YORK
from trading.fills import Fill, RoundTrip, excursions, round_trips
from trading.report import Report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date

    import pandas as pd
    from sqlalchemy import Connection

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class Trade:
    """A round trip with whose it was, and why it ended."""

    strategy: str
    trip: RoundTrip
    exit_reason: str


DIMENSIONS: dict[str, Callable[[Trade], str]] = {
    "symbol": lambda trade: trade.trip.symbol,
    "strategy": lambda trade: trade.strategy,
    "weekday": lambda trade: WEEKDAYS[trade.trip.entry_ts.astimezone(NEW_YORK).weekday()],
    "hour": lambda trade: f"{trade.trip.entry_ts.astimezone(NEW_YORK):%H}:00",
    "exit reason": lambda trade: trade.exit_reason,
}


@task(**REPEATABLE)
def analyse_trades(*, strategy: str | None, start: date | None, end: date | None) -> Report:
    """Rebuild the account's round trips and breakdowns from all its fills; show those of a strategy and period."""
    gateway = broker()
    clock = gateway.clock()
    with database().begin() as connection:
        account = open_books(connection, gateway, clock).number
        trades = _trades(connection, account)
        results.record_round_trips(connection, account, _rows(connection, account, trades))
        breakdowns = _breakdowns(account, trades)
        results.record_breakdowns(connection, account, breakdowns)
    shown = [trade for trade in trades if _asked(trade, strategy, start, end)]
    winners = sum(trade.trip.pnl > 0 for trade in shown)
    figures = {
        "round trips": len(shown),
        "winners": winners,
        "win rate": winners / len(shown) if shown else None,
        "profit": sum((trade.trip.pnl for trade in shown), Decimal(0)),
    }
    wanted = (strategy or "all",)
    rows = [
        {name: row[name] for name in ("dimension", "bucket", "trades", "winners", "pnl", "average_return")}
        for row in breakdowns
        if row["scope"] in wanted
    ]
    return Report("Trades", figures, rows)


def _asked(trade: Trade, strategy: str | None, start: date | None, end: date | None) -> bool:
    day = trade.trip.exit_ts.astimezone(NEW_YORK).date()
    inside = (start is None or day >= start) and (end is None or day <= end)
    return inside and strategy in (None, trade.strategy)


def _trades(connection: Connection, account: str) -> list[Trade]:
    fills = sorted(orders.fills(connection, account), key=lambda fill: fill.strategy)  # stable: time order stays
    reasons = orders.exit_reasons(connection, account)
    order_of = {fill.id: fill.order_id for fill in fills}
    trades = []
    for strategy, group in groupby(fills, key=lambda fill: fill.strategy):
        exact = [Fill(row.symbol, row.side, row.quantity, row.price, row.filled_at, key=row.id) for row in group]
        trades += [
            Trade(strategy, trip, reasons[order_of[trip.exit_key]])
            for trip in round_trips(exact)
            if trip.exit_key is not None
        ]
    return sorted(trades, key=lambda trade: trade.trip.exit_ts)


def _rows(connection: Connection, account: str, trades: Iterable[Trade]) -> list[dict[str, Any]]:
    listed = list(trades)
    bars = _bars(connection, listed)
    rows = []
    for trade in listed:
        trip = trade.trip
        moved = excursions(trip, bars[trip.symbol]) if trip.symbol in bars else None
        rows.append(
            {
                "account": account,
                "strategy": trade.strategy,
                "symbol": trip.symbol,
                "side": trip.direction,
                "quantity": trip.quantity,
                "entry_fill_id": trip.entry_key,
                "exit_fill_id": trip.exit_key,
                "entry_at": trip.entry_ts,
                "exit_at": trip.exit_ts,
                "entry_price": trip.entry_price,
                "exit_price": trip.exit_price,
                "pnl": trip.pnl,
                "rate_of_return": float(trip.rate_of_return),
                "mae": moved.adverse if moved else None,
                "mfe": moved.favourable if moved else None,
                "exit_reason": trade.exit_reason,
                "flow_run_id": flow_run_id(),
            }
        )
    return rows


def _bars(connection: Connection, trades: list[Trade]) -> dict[str, pd.DataFrame]:
    """Return the daily bars of every traded symbol over the time it was held."""
    from datetime import timedelta

    if not trades:
        return {}
    symbols = sorted({trade.trip.symbol for trade in trades})
    start = min(trade.trip.entry_ts for trade in trades) - timedelta(days=5)
    end = max(trade.trip.exit_ts for trade in trades)
    frame = bars_repository.read(connection, symbols, timeframe="1Day", start=start, end=end)
    return {str(symbol): group for symbol, group in frame.groupby("symbol")}


def _breakdowns(account: str, trades: list[Trade]) -> list[dict[str, Any]]:
    rows = []
    for scope in ("all", *sorted({trade.strategy for trade in trades})):
        mine = [trade for trade in trades if scope in ("all", trade.strategy)]
        for dimension, bucket_of in DIMENSIONS.items():
            buckets: dict[str, list[RoundTrip]] = defaultdict(list)
            for trade in mine:
                buckets[bucket_of(trade)].append(trade.trip)
            rows += [
                {
                    "account": account,
                    "scope": scope,
                    "dimension": dimension,
                    "bucket": bucket,
                    "trades": len(trips),
                    "winners": sum(trip.pnl > 0 for trip in trips),
                    "pnl": sum((trip.pnl for trip in trips), Decimal(0)),
                    "average_return": float(sum(trip.rate_of_return for trip in trips)) / len(trips),
                }
                for bucket, trips in sorted(buckets.items())
            ]
    return rows
