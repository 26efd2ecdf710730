"""Research runs: every try of a sweep, as a heat map and a ranked table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard import charts, palette, resources
from dashboard.facts import NAMES
from dashboard.format import NOTHING, figure, percent, when, words
from dashboard.frame import empty, section
from dashboard.heat_maps import research_heat_map
from dashboard.tables import Column, show

if TYPE_CHECKING:
    from collections.abc import Mapping

RUNS = (
    Column("strategy", "Strategy"),
    Column("kind", "Kind"),
    Column("status", "Status"),
    Column("tries", "Tries", "id"),
    Column("created_at", "Made (ET)", "time"),
)
TOGETHER = (
    Column("total_return", "Return", "signed_percent"),
    Column("sharpe", "Sharpe", "ratio"),
    Column("max_drawdown", "Max drawdown", "percent"),
)
APART = (
    Column("symbols", "Symbols", "id"),
    Column("symbols_with_gain", "With a gain", "percent"),
    Column("median_return", "Median return", "signed_percent"),
    Column("median_sharpe", "Median Sharpe", "ratio"),
    Column("median_drawdown", "Median drawdown", "percent"),
)
"""The columns of tries on one account, and of tries on each symbol by itself."""
METRICS = (
    "sharpe",
    "total_return",
    "cagr",
    "max_drawdown",
    "sortino",
    "calmar",
    "volatility",
    "median_sharpe",
    "median_return",
)


def draw() -> None:
    """Draw the tab."""
    found = resources.rows("/api/research", limit=100)
    if not found:
        empty("No research yet: run the deployment `run-backtest` under Settings with a parameter grid.")
        return
    chosen = show(found, RUNS, key="research", empty="", select=True, most_rows=5) or found[0]
    detail = resources.read(f"/api/research/{chosen['id']}", lasting=chosen["status"] == "completed")
    results = detail["results"]
    section(f"{detail['kind']} of {detail['strategy']}", f"{len(results)} tries, {when(detail['created_at'])}")
    if not results:
        empty("This run has no results yet.")
        return
    if told := luck(detail):
        st.caption(told)
    _map(results)
    _table(results)


def _map(results: list[resources.Row]) -> None:
    names = varying(results)
    measured = [name for name in METRICS if any(name in row["metrics"] for row in results)]
    if len(names) < 2 or not measured:  # noqa: PLR2004 - a map has two axes
        return
    first, second, third = st.columns(3)
    metric = first.selectbox("Metric", measured, format_func=lambda name: NAMES.get(name, words(name)))
    across = second.selectbox("Across", names, index=0)
    down = third.selectbox("Down", [name for name in names if name != across])
    drawn = research_heat_map(results, metric, across, down, palette.current())
    charts.draw(drawn, key="research-map", alt=f"{metric} by {across} and {down}")


def varying(results: list[resources.Row]) -> list[str]:
    """Return the parameters that take more than one value over the tries."""
    seen: dict[str, set[str]] = {}
    for row in results:
        for name, value in row["parameters"].items():
            seen.setdefault(name, set()).add(figure(value))
    return [name for name, values in seen.items() if len(values) > 1]


def window(tried: Mapping[str, Any]) -> str:
    """Return the sessions of a try: those it was chosen on, and those it was judged on when they are others."""
    if tried.get("train_end"):
        return f"{tried['start']} to {tried['train_end']}, judged to {tried['end']}"
    return f"{tried['start']} to {tried['end']}" if tried else NOTHING


def luck(detail: Mapping[str, Any]) -> str:
    """Return in words how far the best try is luck."""
    if detail["deflated_sharpe"] is None:
        return ""
    return (
        f"The best try's true Sharpe ratio is above zero with probability {percent(detail['deflated_sharpe'])}, "
        f"counting the {detail['tries_recorded']:,} tries recorded for {detail['strategy']} "
        "(deflated Sharpe, Bailey and Lopez de Prado 2014)."
    )


def _table(results: list[resources.Row]) -> None:
    def rank(row: dict[str, Any]) -> float:
        value = row["metrics"].get("sharpe", row["metrics"].get("median_sharpe"))
        return float("-inf") if value is None else float(value)

    ranked = [
        {"parameters": figure(row["parameters"]), "window": window(row["window"]), **row["metrics"]}
        for row in sorted(results, key=rank, reverse=True)
    ]
    columns = (
        Column("parameters", "Parameters", width="large"),
        Column("window", "Sessions", width="medium"),
        *(APART if any("median_sharpe" in row["metrics"] for row in results) else TOGETHER),
    )
    show(ranked, columns, key="research-results", empty="")
