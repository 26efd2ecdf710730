"""What stands around the books of the seeded world: doubts of bars, risk, research, messages, logs, reports."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from db.models import analytics, data_ingestion, notification, risk_management, strategy_engine
from db.models import logging as log_tables
from tests.api.seed_facts import (
    ACCOUNT,
    CAPITAL,
    CROSSOVER,
    LAST,
    MISSING,
    RUN,
    SECTORS,
    SESSIONS,
    add,
    add_one,
    at,
    bars,
    midnight,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection


def plant_doubts(connection: Connection) -> None:
    daily = {"timeframe": "1Day", "flow_run_id": RUN}
    doubts = (
        ("FB", bars("FB")[10].ts, "price_jumps", "warning", "suspect", "close moved 11.7 % without a split"),
        ("FB", bars("FB")[40].ts, "volume_spikes", "warning", "suspect", "volume is 120 usual bars"),
        ("IBM", bars("IBM")[40].ts, "volume_spikes", "warning", "suspect", "volume is 150 usual bars"),
        ("AAPL", midnight(MISSING), "missing_sessions", "warning", "suspect", "no bar of the session"),
    )
    names = ("symbol", "ts", "rule", "severity", "verdict", "detail")
    add(connection, data_ingestion.QualityIssue, *({**dict(zip(names, row, strict=True)), **daily} for row in doubts))
    out = {"session": LAST, "timeframe": "1Day", "reason": "4 of 63 bars (6.3%) are missing, at most 5.0% may be"}
    add(connection, data_ingestion.UniverseExclusion, {**out, "symbol": "XOM"})


def plant_risk(connection: Connection) -> None:
    for back in range(5):
        session = SESSIONS - 1 - back
        day = bars("AAPL")[session].session
        add(
            connection, risk_management.RiskSnapshot,
            {"account": ACCOUNT, "at": at(day, 16), "session": day, "equity": 99_000 + back, "gross_exposure": 0.5,
             "net_exposure": 0.5, "largest_weight": 0.22, "beta": 1.1, "var_95": 0.013, "cvar_95": 0.019,
             "drawdown": 0.02,
             "daily_return": -0.001, "state": "ACTIVE", "flow_run_id": RUN},
        )  # fmt: skip
    breach = {
        "limit_name": "reduce_drawdown",
        "value": 0.16,
        "threshold": 0.15,
        "sentence": "drawdown 16 % over 15 %",
        "flow_run_id": RUN,
    }
    add(connection, risk_management.LimitBreach, {"account": ACCOUNT, "session": LAST, "at": at(LAST, 12), **breach})
    changes = (("ACTIVE", "REDUCING", "drawdown 16 % over 15 %", 12), ("REDUCING", "ACTIVE", "drawdown recovered", 15))
    for old, new, reason, hour in changes:
        row = {"account": ACCOUNT, "old": old, "new": new, "reason": reason, "changed_by": "monitor_portfolio_risk"}
        add(connection, risk_management.TradingStateChange, {**row, "changed_at": at(LAST, hour), "flow_run_id": RUN})
    state = {
        "account": ACCOUNT,
        "state": "ACTIVE",
        "reason": "drawdown recovered",
        "changed_by": "monitor_portfolio_risk",
    }
    add(connection, risk_management.TradingState, {**state, "changed_at": at(LAST, 15)})
    add(connection, risk_management.RiskLimit, {"name": "max_position_weight", "value": 0.5, "updated_by": "api"})


def plant_research(connection: Connection, versions: dict[str, str]) -> None:
    history = bars("IBM")
    backtest = add_one(
        connection, strategy_engine.Backtest, key="crossover-2012", strategy=CROSSOVER,
        strategy_version=versions[CROSSOVER],
        range_start=history[0].session, range_end=LAST, capital=CAPITAL, costs={"commission_bps": 0, "slippage_bps": 2},
        bars_sha256="1" * 64, metrics={"total_return": 0.034, "sharpe": 0.6, "max_drawdown": 0.05}, flow_run_id=RUN,
        assumptions={"text": ["fills at the next open", "whole shares"]},
    )  # fmt: skip
    for number, entry in enumerate((20, 60, 100)):
        bought, sold = history[entry], history[entry + 15]
        add(
            connection, strategy_engine.BacktestTrade,
            {"backtest_id": backtest, "ordinal": number, "symbol": "IBM", "quantity": 100,
             "entry_at": at(bought.session, 9, 30),
             "entry_price": bought.open, "exit_at": at(sold.session, 9, 30), "exit_price": sold.open,
             "pnl": 100 * (sold.open - bought.open), "rate_of_return": float(sold.open / bought.open - 1)},
        )  # fmt: skip
    points = (
        {"backtest_id": backtest, "session": bar.session, "equity": CAPITAL * bar.close / history[0].close}
        for bar in history
    )
    add(connection, strategy_engine.BacktestEquity, *points)
    research = add_one(
        connection, analytics.ResearchRun, key="sweep-2012", kind="sweep", strategy=CROSSOVER, status="completed",
        flow_run_id=RUN,
        specification={"grid": {"fast": [10, 20, 30], "slow": [50, 100]}, "symbols": sorted(SECTORS)},
    )  # fmt: skip
    tries = [(fast, slow) for fast in (10, 20, 30) for slow in (50, 100)]
    for ordinal, (fast, slow) in enumerate(tries):
        add(
            connection, analytics.ResearchResult,
            {"research_run_id": research, "ordinal": ordinal, "parameters": {"fast": fast, "slow": slow},
             "window": {"start": history[0].session.isoformat(), "train_end": None, "end": LAST.isoformat()},
             "metrics": {"sharpe": 0.3 + ordinal / 10, "total_return": 0.01 * ordinal, "sessions": 1250,
                         "skew": -3.0, "kurtosis": 10.0}},
        )  # fmt: skip


def plant_voices(connection: Connection) -> None:
    for number, (kind, severity) in enumerate(
        (("trade", "info"), ("risk", "warning"), ("health", "critical"), ("summary", "info"))
    ):
        message = add_one(
            connection, notification.Message, key=f"message-{number}", kind=kind, severity=severity,
            subject=f"A {kind} message",
            body="Body with <b>markup</b>", at=at(LAST, 10 + number), created_at=at(LAST, 10 + number), flow_run_id=RUN,
        )  # fmt: skip
        failed = kind == "health"
        add(
            connection, notification.Delivery,
            {"message_id": message, "channel": "inbox", "status": "failed" if failed else "delivered",
             "attempts": 1 + failed,
             "error": "connection refused" if failed else None, "delivered_at": None if failed else at(LAST,
             11 + number)},
        )  # fmt: skip
    levels = ("DEBUG", "INFO", "INFO", "WARNING", "ERROR")
    add(
        connection, log_tables.LogEntry,
        *(
            {"key": f"log-{number}", "at": at(LAST, 9) + timedelta(seconds=number // 2), "service": ("api",
             "execution")[number % 2],
             "level": levels[number % 5], "logger": "seed", "message": f"line {number}, 100% done",
             "flow_run_id": RUN if number % 2 else None}
            for number in range(50)
        ),
    )  # fmt: skip
    health = {
        "healthy": True,
        "latency_ms": 2.5,
        "detail": "answers",
        "since": at(LAST, 9),
        "checked_at": at(LAST, 16),
        "flow_run_id": RUN,
    }
    add(connection, notification.ComponentHealth, {"component": "postgresql", **health})
    add(
        connection, analytics.Report,
        {"account": ACCOUNT, "kind": "tearsheet", "period_start": bars("AAPL")[59].session, "period_end": LAST,
         "path": "reports/tearsheet.html", "sha256": "2" * 64, "bytes": 18, "flow_run_id": RUN},
        {"account": ACCOUNT, "kind": "csv", "period_start": bars("AAPL")[59].session, "period_end": LAST,
         "path": "../outside.csv", "sha256": "3" * 64, "bytes": 1, "flow_run_id": RUN},
    )  # fmt: skip
