"""Backtests: start one, look through them, see what each assumed."""

from __future__ import annotations

from datetime import date
from typing import Any

import streamlit as st

from dashboard import charts, facts, palette, resources, runs
from dashboard.format import figure, money, words
from dashboard.frame import empty, section
from dashboard.tables import Column, show

DEPLOYMENT = "backtest-strategy/backtest-strategy"
COLUMNS = (
    Column("strategy", "Strategy"),
    Column("range_start", "From", "day"),
    Column("range_end", "To", "day"),
    Column("capital", "Capital", "money"),
    Column("total_return", "Return", "signed_percent"),
    Column("sharpe", "Sharpe", "ratio"),
    Column("max_drawdown", "Max drawdown", "percent"),
    Column("strategy_version", "Version"),
    Column("created_at", "Made (ET)", "time"),
)
TRADES = (
    Column("symbol", "Symbol", width="small"),
    Column("quantity", "Quantity", "quantity"),
    Column("entry_at", "Entry (ET)", "time"),
    Column("entry_price", "Entry price", "price"),
    Column("exit_at", "Exit (ET)", "time"),
    Column("exit_price", "Exit price", "price"),
    Column("pnl", "Profit", "signed_money"),
    Column("return", "Return", "signed_percent"),
)


def draw() -> None:
    """Draw the tab."""
    with st.expander("New backtest", icon=":material/play_arrow:"):
        new_backtest([str(row["name"]) for row in resources.strategies()], place="analysis")
    runs.follow("analysis")
    found = [{**row, **_shown(row["metrics"])} for row in resources.rows("/api/backtests", limit=200)]
    if not found:
        empty("No backtests yet: start one above; it takes seconds.")
        return
    chosen = show(found, COLUMNS, key="backtests", empty="", select=True, most_rows=6)
    if chosen is None:
        st.caption("The newest is shown; choose another one in the table.")
    show_backtest(resources.read(f"/api/backtests/{(chosen or found[0])['id']}", lasting=True))


def new_backtest(strategies: list[str], *, place: str) -> None:
    """Draw the form that starts a backtest run; what it leaves is followed in `place`."""
    if not strategies:
        st.caption("There are no strategies yet: write one under Author.")
        return
    with st.form(f"backtest-{place}", border=False):
        first, second, third, fourth = st.columns(4)
        name = first.selectbox("Strategy", strategies)
        start = second.date_input("From", value=None, min_value=date(1990, 1, 1), help="empty: five years back")
        end = third.date_input("To", value=None, min_value=date(1990, 1, 1), help="empty: the newest stored bar")
        capital = fourth.number_input("Capital, USD", value=100_000.0, min_value=1.0, step=10_000.0, format="%.0f")
        if st.form_submit_button("Start backtest", type="primary", icon=":material/play_arrow:"):
            asked: dict[str, Any] = {"strategy": name, "capital": capital}
            asked |= {
                label: day.isoformat() for label, day in (("start", start), ("end", end)) if isinstance(day, date)
            }
            runs.start(DEPLOYMENT, asked, place=place)


def show_backtest(found: resources.Row) -> None:
    """Draw a backtest: metrics, equity, assumptions, trades."""
    section(f"{found['strategy']} {found['strategy_version']}", f"{found['range_start']} to {found['range_end']}")
    facts.show_metrics(found["metrics"])
    if found["equity"]:
        alt = f"Equity and drawdown of the backtest of {found['strategy']}"
        charts.draw(charts.equity(found["equity"], palette.current(), height=340), key="backtest-equity", alt=alt)
    left, right = st.columns([1, 2.2], gap="medium")
    with left:
        section("Assumptions")
        costs = {words(name): figure(value) for name, value in found["costs"].items()}
        facts.show("Costs", {"Opening capital": money(found["capital"], places=0), **costs})
        for sentence in sentences(found["assumptions"]):
            st.caption(f"• {sentence}")
    with right:
        section("Trades", f"{len(found['trades'])} round trips")
        show(found["trades"], TRADES, key="backtest-trades", empty="No trades in this period.")


def sentences(assumptions: Any) -> list[str]:
    """Return assumptions as sentences, whether they come as a list, a document of them, or one text."""
    if isinstance(assumptions, dict):
        return [
            line
            for name, value in assumptions.items()
            for line in (sentences(value) if isinstance(value, list) else [f"{words(name)}: {figure(value)}"])
        ]
    return [str(item) for item in assumptions] if isinstance(assumptions, list) else [str(assumptions)]


def _shown(metrics: resources.Row) -> resources.Row:
    return {name: metrics.get(name) for name in ("total_return", "sharpe", "max_drawdown")}
