"""Small tables of names and figures as HTML: metrics, assumptions, costs."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard.format import NOTHING, figure, number, percent, words

if TYPE_CHECKING:
    from collections.abc import Mapping

GROUPS: dict[str, tuple[str, ...]] = {
    "Return": ("total_return", "cagr", "best_day", "worst_day", "positive_days"),
    "Risk": ("volatility", "max_drawdown", "max_drawdown_days", "var_95", "cvar_95"),
    "Ratios": ("sharpe", "sortino", "calmar", "alpha", "beta"),
}
"""The metrics in the order people read them; any other but the number of sessions follows in a group of its own."""

NAMES = {
    "cagr": "Annual return (CAGR)",
    "var_95": "Value at risk, 95 %, one day",
    "cvar_95": "Expected shortfall, 95 %, one day",
    "max_drawdown_days": "Longest drawdown, days",
    "positive_days": "Days with a gain",
    "alpha": "Alpha, annual",
    "volatility": "Volatility, annual",
}
SIGNED = ("total_return", "median_return", "cagr", "best_day", "worst_day", "alpha")
FRACTIONS = ("max_drawdown", "positive_days", "var_95", "cvar_95", "volatility", "win_rate", "exposure", "turnover")
RATIOS = ("sharpe", "median_sharpe", "sortino", "calmar", "beta", "profit_factor")


def metric(name: str, value: Any) -> str:
    """Return a metric as people write it: fractions as percentages, ratios with two places."""
    if value is None or isinstance(value, str | bool):
        return figure(value)
    if name in SIGNED:
        return percent(value, sign=True)
    if name in FRACTIONS:
        return percent(value)
    return number(value) if name in RATIOS else figure(value)


def grouped(metrics: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return the metrics that are single figures, written out, by group."""
    known = {"sessions", *(name for names in GROUPS.values() for name in names)}
    rest = tuple(name for name, value in metrics.items() if name not in known and not isinstance(value, dict | list))
    groups = {**GROUPS, "Further": rest}
    found = {
        title: {NAMES.get(name, words(name)): metric(name, metrics[name]) for name in names if name in metrics}
        for title, names in groups.items()
    }
    return {title: figures for title, figures in found.items() if figures}


def show_metrics(metrics: Mapping[str, Any]) -> None:
    """Draw a metric set as cards side by side."""
    groups = grouped(metrics)
    if not groups:
        st.caption("No metrics yet: they need at least two sessions.")
        return
    for cell, (title, figures) in zip(st.columns(len(groups), gap="small"), groups.items(), strict=True):
        with cell:
            show(title, figures)


def show(title: str, figures: Mapping[str, str]) -> None:
    """Draw names and written-out figures as one card."""
    lines = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(value or NOTHING)}</td></tr>'
        for name, value in figures.items()
    )
    st.html(f'<div class="card"><table class="facts"><caption>{escape(title)}</caption>{lines}</table></div>')
