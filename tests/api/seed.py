"""A small coherent world for the tests of the api and the dashboard: real bars, one account, its decisions.

`plant(connection)` fills an empty, migrated database. Everything follows from `TRADES`: each is decided on the
bar before, sized, checked, ordered and filled at the open, and the positions, the equity and the round trips
are what comes of those fills.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import select

from db import partitions
from db.models import analytics, data_ingestion, execution, risk_management, strategy_engine
from tests.api.seed_around import plant_doubts, plant_research, plant_risk, plant_voices
from tests.api.seed_facts import (
    ACCOUNT,
    CAPITAL,
    CROSSOVER,
    EARLIER,
    LAST,
    MOMENTUM,
    RUN,
    SECTORS,
    SESSIONS,
    TRADES,
    Bar,
    add,
    add_one,
    at,
    bars,
)
from trading.strategies import SHIPPED

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection


@dataclass
class Books:
    """What the fills come to, session by session."""

    cash: Decimal = CAPITAL
    held: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    cost: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    realised: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    open_fills: dict[tuple[str, str], tuple[int, Bar]] = field(default_factory=dict)
    highest: Decimal = CAPITAL

    def fill(self, strategy: str, symbol: str, side: str, shares: Decimal, price: Decimal) -> None:
        key, signed = (strategy, symbol), shares if side == "buy" else -shares
        self.cash -= signed * price
        if side == "sell":
            self.realised[key] = self.realised.get(key, Decimal(0)) + shares * (price - self.cost[key])
        else:
            self.cost[key] = price
        self.held[key] = self.held.get(key, Decimal(0)) + signed

    def value(self, session: int) -> Decimal:
        return sum((shares * bars(key[1])[session].close for key, shares in self.held.items()), Decimal(0))


def plant(connection: Connection) -> None:
    """Fill an empty, migrated database."""
    _plant_market(connection)
    versions = _plant_strategies(connection)
    books = _plant_chain(connection, versions)
    plant_risk(connection)
    plant_research(connection, versions)
    plant_voices(connection)
    _plant_positions(connection, books)


def _plant_market(connection: Connection) -> None:
    partitions.ensure(connection, "1Day", np.array(["2012-01-03"], dtype="datetime64[us]"))
    facts = {"exchange": "NASDAQ", "status": "active", "tradable": True, "shortable": True, "fractionable": True}
    add(
        connection,
        data_ingestion.Asset,
        *(
            {
                "symbol": name,
                "name": f"{name} common stock",
                "tracked": True,
                "sector": sector,
                "tags": ["demo"],
                **facts,
            }
            for name, sector in SECTORS.items()
        ),
        {"symbol": "XOM", "name": "Exxon 100% oil", "tracked": False, "sector": None, "tags": [], **facts},
    )
    run = add_one(
        connection,
        data_ingestion.IngestionRun,
        source="broker",
        timeframe="1Day",
        symbols=sorted(SECTORS),
        range_start=bars("AAPL")[0].ts,
        range_end=bars("AAPL")[-1].ts,
        bars_received=5 * SESSIONS,
        bars_written=5 * SESSIONS,
        status="completed",
        finished_at=at(LAST, 16, 5),
        flow_run_id=RUN,
    )
    for symbol in SECTORS:
        rows = [
            {"symbol": symbol, "timeframe": "1Day", "ts": bar.ts, **_prices(bar), "ingestion_run_id": run}
            for bar in bars(symbol)
        ]
        add(connection, data_ingestion.Bar, *rows)
    plant_doubts(connection)
    values = {"sma_20": 0.98, "sma_50": 1.02, "rsi_14": None}
    add(
        connection,
        strategy_engine.IndicatorValue,
        *(
            {
                "symbol": symbol, "timeframe": "1Day", "indicator": name, "bar_ts": bars(symbol)[-1].ts,
                "flow_run_id": RUN,
                "value": float(bars(symbol)[-1].close) * factor if factor else 55.5,
            }
            for symbol in SECTORS
            for name, factor in values.items()
        ),
    )  # fmt: skip


def _prices(bar: Bar) -> dict[str, Any]:
    return {
        "open": bar.open, "high": bar.high, "low": bar.low, "close": bar.close, "volume": bar.volume,
        "source": "broker", "quality": "suspect" if bar.session == date(2012, 6, 18) else "good",
    }  # fmt: skip


def _plant_strategies(connection: Connection) -> dict[str, str]:
    versions = {}
    for name in (CROSSOVER, MOMENTUM):
        strategy = SHIPPED[name]
        older = strategy.model_copy(update={"capital_fraction": 0.25})
        for definition, hour in ((older, 9), (strategy, 10)):
            add(
                connection,
                strategy_engine.StrategyVersion,
                {
                    "version": definition.version, "strategy": name, "created_at": at(date(2012, 11, 1), hour),
                    "definition": definition.model_dump(mode="json"),
                },
            )  # fmt: skip
        versions[name] = strategy.version
        row = {"name": name, "current_version": strategy.version, "status": "active", "updated_by": "system"}
        add(connection, strategy_engine.Strategy, row)
    return versions


def _plant_chain(connection: Connection, versions: dict[str, str]) -> Books:
    accounts = (
        {"account": EARLIER, "kind": "simulator", "opening_equity": 50_000, "opening_cash": 50_000,
         "first_seen_at": at(LAST, 9), "last_seen_at": at(LAST, 10)},
        {"account": ACCOUNT, "kind": "simulator", "opening_equity": CAPITAL, "opening_cash": CAPITAL,
         "first_seen_at": bars("AAPL")[59].ts, "last_seen_at": at(LAST, 16, 20)},
    )  # fmt: skip
    add(connection, execution.Account, *accounts)
    books = Books()
    for session in range(59, SESSIONS):
        for trade in TRADES:
            if trade[0] == session:
                _plant_trade(connection, books, versions[trade[1]], trade)
        _plant_equity(connection, books, session)
    _plant_other_orders(connection)
    return books


def _plant_trade(connection: Connection, books: Books, version: str, trade: tuple[int, str, str, str, int]) -> None:
    session, strategy, symbol, side, shares = trade
    decided, today = bars(symbol)[session - 1], bars(symbol)[session]
    names = {"strategy": strategy, "symbol": symbol, "flow_run_id": RUN}
    run = _strategy_run(connection, version, decided.ts)
    signal = add_one(
        connection, strategy_engine.Signal, **names, strategy_run_id=run, strategy_version=version, timeframe="1Day",
        bar_ts=decided.ts, target_weight=0.2 if side == "buy" else 0.0, direction="long" if side == "buy" else "flat",
        strength=0.7, reason=f"20-bar average {'above' if side == 'buy' else 'below'} the 50-bar average",
        values={"sma_20": 101.5, "sma_50": 99.25},
    )  # fmt: skip
    before = books.held.get((strategy, symbol), Decimal(0))
    target = add_one(
        connection, risk_management.SizedTarget, **names, account=ACCOUNT, signal_id=signal, session=today.session,
        method="equal_weight", price=decided.close, current_quantity=before,
        workings={"capital": 50000.0, "weight": 0.2},
        target_quantity=before + (shares if side == "buy" else -shares),
    )  # fmt: skip
    decision = add_one(
        connection, risk_management.RiskDecision, **names, account=ACCOUNT, sized_target_id=target,
        session=today.session, side=side, requested_quantity=shares, approved_quantity=shares, verdict="approved",
        checks=[{"name": "max_position_weight", "value": 0.2, "limit": 0.6, "outcome": "pass",
        "sentence": "position weight 20 % within 60 %"}],
    )  # fmt: skip
    order = add_one(
        connection, execution.Order, **names, account=ACCOUNT, risk_decision_id=decision, strategy_version=version,
        client_order_id=f"{strategy}-{symbol}-{session}", broker_order_id=f"broker-{session}-{symbol}", side=side,
        type="market",
        time_in_force="day", quantity=shares, bar_ts=decided.ts, status="filled", filled_quantity=shares,
        filled_average_price=today.open, intended_at=at(today.session, 9, 20), submitted_at=at(today.session, 9, 21),
        closed_at=at(today.session, 9, 30),
    )  # fmt: skip
    for event, minute in (("accepted", 21), ("fill", 30)):
        row = {"order_id": order, "key": event, "event": event, "status": "filled" if event == "fill" else "accepted"}
        add(
            connection,
            execution.OrderEvent,
            {**row, "at": at(today.session, 9, minute), "detail": {}, "flow_run_id": RUN},
        )
    moment = at(today.session, 9, 30)
    fill = add_one(
        connection, execution.Fill, **names, account=ACCOUNT, order_id=order, execution_id=f"exec-{order}", side=side,
        quantity=shares, price=today.open, filled_at=moment, applied_at=moment,
    )  # fmt: skip
    if side == "sell":
        _plant_round_trip(connection, books.open_fills[strategy, symbol], (fill, today), names, shares)
    else:
        books.open_fills[strategy, symbol] = (fill, today)
    books.fill(strategy, symbol, side, Decimal(shares), today.open)


def _strategy_run(connection: Connection, version: str, bar_ts: datetime) -> int:
    table = strategy_engine.StrategyRun
    known = select(table.id).where(table.strategy_version == version, table.bar_ts == bar_ts)
    found = connection.scalar(known)
    row = {"strategy_version": version, "timeframe": "1Day", "bar_ts": bar_ts, "bars_sha256": "0" * 64, "undecided": {}}
    return found or add_one(connection, table, **row, flow_run_id=RUN)


def _plant_round_trip(
    connection: Connection, entry: tuple[int, Bar], out: tuple[int, Bar], names: dict[str, Any], shares: int
) -> None:
    bought, sold = entry[1].open, out[1].open
    row = {
        **names, "account": ACCOUNT, "side": "long", "quantity": shares, "entry_fill_id": entry[0],
        "exit_fill_id": out[0],
        "entry_at": at(entry[1].session, 9, 30), "exit_at": at(out[1].session, 9, 30), "entry_price": bought,
        "exit_price": sold, "pnl": shares * (sold - bought), "rate_of_return": float(sold / bought - 1), "mae": -0.031,
        "mfe": 0.058,
        "exit_reason": "signal",
    }  # fmt: skip
    add(connection, analytics.RoundTrip, row)
    buckets = {
        "symbol": names["symbol"],
        "weekday": f"{out[1].session:%A} {out[1].session:%d}",
        "exit_reason": f"signal {out[0]}",
    }
    for dimension, bucket in buckets.items():
        add(
            connection, analytics.TradeBreakdown,
            {"account": ACCOUNT, "scope": "portfolio", "dimension": dimension, "bucket": bucket, "trades": 1,
             "winners": int(sold > bought), "pnl": row["pnl"], "average_return": row["rate_of_return"]},
        )  # fmt: skip


def _plant_equity(connection: Connection, books: Books, session: int) -> None:
    day, value = bars("AAPL")[session].session, books.value(session)
    equity = books.cash + value
    add(
        connection, execution.EquitySnapshot,
        {"account": ACCOUNT, "session": day, "at": at(day, 16), "equity": equity, "cash": books.cash,
         "buying_power": books.cash, "long_value": value, "short_value": 0, "flow_run_id": RUN},
    )  # fmt: skip
    benchmark = CAPITAL * bars("MSFT")[session].close / bars("MSFT")[59].close
    books.highest = max(books.highest, equity)
    point = {"session": day, "equity": equity, "benchmark": benchmark, "drawdown": float(equity / books.highest - 1)}
    add(connection, analytics.EquityPoint, {"account": ACCOUNT, "scope": "portfolio", **point})
    metrics = {
        "sessions": session - 58,
        "total_return": float(equity / CAPITAL - 1),
        "sharpe": 0.84,
        "max_drawdown": 0.067,
        "beta": None,
    }
    if session == SESSIONS - 1:
        for scope in ("portfolio", CROSSOVER, MOMENTUM):
            row = {
                "account": ACCOUNT,
                "scope": scope,
                "period_start": bars("AAPL")[59].session,
                "period_end": day,
                "benchmark": "MSFT",
            }
            add(connection, analytics.Performance, {**row, "metrics": metrics, "flow_run_id": RUN})


def _plant_other_orders(connection: Connection) -> None:
    common = {
        "account": ACCOUNT, "side": "buy", "time_in_force": "gtc", "quantity": 10, "broker_order_id": None,
        "filled_quantity": 0,
        "type": "limit", "intended_at": at(LAST, 15), "submitted_at": at(LAST, 15), "flow_run_id": RUN,
    }  # fmt: skip
    add(
        connection, execution.Order,
        {**common, "client_order_id": "by-hand", "strategy": "external", "symbol": "XOM", "limit_price": 80,
         "status": "accepted", "closed_at": None, "problem": None},
        {**common, "client_order_id": "refused", "strategy": CROSSOVER, "symbol": "FB", "limit_price": 20,
         "status": "rejected", "closed_at": at(LAST, 15), "problem": "insufficient buying power (40310000)"},
    )  # fmt: skip


def _plant_positions(connection: Connection, books: Books) -> None:
    for (strategy, symbol), shares in books.held.items():
        close, cost = bars(symbol)[-1].close, books.cost[strategy, symbol]
        add(
            connection, execution.Position,
            {"account": ACCOUNT, "strategy": strategy, "symbol": symbol, "quantity": shares, "average_cost": cost,
             "realised_pnl": books.realised.get((strategy, symbol), 0), "market_price": close,
             "market_value": shares * close,
             "unrealised_pnl": shares * (close - cost), "marked_at": at(LAST, 16)},
        )  # fmt: skip
