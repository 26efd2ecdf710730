"""Analysis: how well it went, trade by trade, and how it would have gone."""

from __future__ import annotations

import streamlit as st

from dashboard.frame import guarded, page
from dashboard.views.analysis import backtests, performance, reports, research, trades

TABS = {
    "Performance": performance.draw,
    "Round trips": trades.draw,
    "Backtests": backtests.draw,
    "Research": research.draw,
    "Reports": reports.draw,
}


@page("Analysis")
def draw() -> None:
    """Draw the page."""
    tabs = st.tabs(list(TABS), on_change="rerun", key="analysis", bind="query-params")
    for tab, content in zip(tabs, TABS.values(), strict=True):
        if tab.open:
            with tab, guarded():
                content()
