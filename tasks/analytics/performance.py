"""Equity curves and the metric set, of the account and of each strategy in it."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pandas as pd
from prefect import task

from db.repositories import accounts, assets, messages, orders, positions, results, strategies
from tasks.books import open_books
from tasks.panels import load_sessions
from tasks.policies import REPEATABLE
from tasks.resources import broker, channels, database, flow_run_id
from trading.calendar import session_of
from trading.errors import UnknownNameError
from trading.performance import Metrics, metrics
from trading.report import Report

if TYPE_CHECKING:
    from datetime import date, datetime

    from sqlalchemy import Connection

PORTFOLIO = "portfolio"
UNIVERSE = "universe"
"""The benchmark made of the tracked universe, bought in equal parts at the first close and held."""


@task(**REPEATABLE)
def measure_performance(*, scope: str, start: date | None, end: date | None, benchmark: str) -> Report:
    """Compute equity curve and metrics of `portfolio`, of one strategy, or of `all` of them.

    Raises
    ------
    UnknownNameError
        The scope or the benchmark does not exist.
    """
    gateway = broker()
    clock = gateway.clock()
    rows: list[dict[str, Any]] = []
    undefined: dict[str, str] = {}
    with database().begin() as connection:
        account = open_books(connection, gateway, clock).number
        portfolio = _period(positions.equity(connection, account), start, end)
        if portfolio.empty:
            return Report("Performance", {"sessions": 0}, notes=["No equity yet: run update-positions first."])
        market = _benchmark(connection, benchmark, portfolio)
        for name in _scopes(connection, account, scope):
            curve = portfolio if name == PORTFOLIO else _strategy_curve(connection, account, name, portfolio)
            figures = _figures(curve, market)
            undefined |= {name: figures.undefined} if figures.undefined else {}
            _record(connection, account, name, curve=curve, market=market, figures=figures, benchmark=benchmark)
            rows.append({"scope": name, "final equity": _number(curve.iloc[-1]), **_shown(figures)})
        _tell(connection, account, undefined, at=clock.now)
    period = f"{portfolio.index[0]} to {portfolio.index[-1]}"
    notes = [f"{name}: {why}." for name, why in undefined.items()]
    return Report(f"Performance {period}", {"sessions": len(portfolio), "benchmark": benchmark}, rows, notes)


def _figures(curve: pd.Series[float], market: pd.Series[float] | None) -> Metrics:
    """Return the metrics, none but the reason for a curve with sessions that have no value."""
    absent = curve[curve.isna()]
    if absent.empty:
        return metrics(curve, market)
    why = f"{len(absent)} session(s) have no value, the first {absent.index[0]}: a symbol held then has no bar"
    return Metrics(sessions=len(curve), undefined=why)


def _tell(connection: Connection, account: str, undefined: dict[str, str], *, at: datetime) -> None:
    """Put a critical message into the outbox for each scope that has no returns any more, once per reason."""
    rows = [
        {
            "kind": "risk",
            "key": f"performance:{account}:{name}:{why}",
            "severity": "critical",
            "subject": f"No performance of {name}: a person is needed",
            "body": f"{why} (account {account})",
            "at": at,
            "flow_run_id": flow_run_id(),
        }
        for name, why in undefined.items()
    ]
    if rows:
        messages.post(connection, rows, channels=channels().names())


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _period(curve: pd.Series[float], start: date | None, end: date | None) -> pd.Series[float]:
    inside = [(start is None or day >= start) and (end is None or day <= end) for day in curve.index]
    return curve[inside]


def _scopes(connection: Connection, account: str, scope: str) -> list[str]:
    traded = {row.strategy for row in orders.fills(connection, account)}
    known = [PORTFOLIO, *sorted(traded)]
    if scope == "all":
        return known
    if scope not in known:
        raise UnknownNameError("scope", scope, ["all", *known])
    return [scope]


def _benchmark(connection: Connection, name: str, curve: pd.Series[float]) -> pd.Series[float] | None:
    """Return the benchmark's value by session, beginning at 1; None without bars."""
    symbols = assets.tracked(connection) if name == UNIVERSE else [name]
    if name != UNIVERSE:
        assets.require(connection, symbols)
    closes = _closes(connection, symbols, curve)
    whole = closes.dropna(axis=1)
    if whole.empty:
        return None
    level: pd.Series[float] = (whole / whole.iloc[0]).mean(axis=1)
    return level


def _closes(connection: Connection, symbols: list[str], curve: pd.Series[float]) -> pd.DataFrame:
    """Return closes by session and symbol on the curve's sessions, the last known one where a bar is missing."""
    panel = load_sessions(connection, symbols, start=curve.index[0], end=curve.index[-1])
    frame = panel.frame("close")
    frame.index = pd.Index([session_of(ts.to_pydatetime()) for ts in frame.index], name="session")
    return frame.reindex(curve.index).ffill()


def _strategy_curve(connection: Connection, account: str, name: str, portfolio: pd.Series[float]) -> pd.Series[float]:
    """Return what a strategy's share of the opening equity has become: cash flows of its fills plus its holdings."""
    fills = orders.fills(connection, account, strategy=name)
    closes = _closes(connection, sorted({fill.symbol for fill in fills}), portfolio)
    by_session: dict[date, list[Any]] = defaultdict(list)
    for fill in fills:
        by_session[session_of(fill.filled_at)].append(fill)
    cash = _share(connection, name) * float(accounts.opening(connection, account).opening_equity)
    held: dict[str, float] = defaultdict(float)
    values = []
    for session in portfolio.index:
        for fill in by_session.get(session, ()):
            signed = float(fill.quantity) * (1 if fill.side == "buy" else -1)
            cash -= signed * float(fill.price)
            held[fill.symbol] += signed
        marks = closes.loc[session]
        values.append(cash + sum(quantity * float(marks[symbol]) for symbol, quantity in held.items() if quantity))
    return pd.Series(values, index=portfolio.index, name="equity", dtype="float64")


def _share(connection: Connection, name: str) -> float:
    try:
        return strategies.named(connection, name).capital_fraction
    except UnknownNameError:
        return 1.0


def _record(
    connection: Connection,
    account: str,
    scope: str,
    *,
    curve: pd.Series[float],
    market: pd.Series[float] | None,
    figures: Metrics,
    benchmark: str,
) -> None:
    row = {
        "account": account,
        "scope": scope,
        "period_start": curve.index[0],
        "period_end": curve.index[-1],
        "benchmark": benchmark if market is not None else None,
        "metrics": {**figures.as_dict(), "final_equity": _number(curve.iloc[-1])},
        "flow_run_id": flow_run_id(),
    }
    results.record_performance(connection, row)
    curve = curve.dropna()
    peaks = curve.cummax()
    falls = (curve / peaks - 1).where(peaks > 0, 0.0)  # nothing falls from a peak of nothing
    scaled = market * float(curve.iloc[0]) if market is not None and len(curve) else None
    results.record_curve(
        connection,
        [
            {
                "account": account,
                "scope": scope,
                "session": session,
                "equity": float(curve[session]),
                "benchmark": float(scaled[session]) if scaled is not None else None,
                "drawdown": float(falls[session]),
            }
            for session in curve.index
        ],
    )


def _shown(figures: Metrics) -> dict[str, float | int | None]:
    return {
        "return": figures.total_return,
        "cagr": figures.cagr,
        "volatility": figures.volatility,
        "sharpe": figures.sharpe,
        "max drawdown": figures.max_drawdown,
        "beta": figures.beta,
    }
