"""Settings: what is traded, within which limits, by which schedules, and how the system is."""

from __future__ import annotations

import streamlit as st

from dashboard import resources
from dashboard.frame import guarded, page, section
from dashboard.tables import Column, show
from dashboard.views.settings import deployments, health, limits, logs, messages, quality, universe

CONFIGURATION = (
    Column("name", "Variable"),
    Column("value", "Effective value", width="large"),
    Column("description", "Meaning", width="large"),
)


def _configuration() -> None:
    section(
        "Effective configuration",
        "secrets are masked; change values in the environment or in .env, then restart",
    )
    show(
        resources.rows("/api/settings", lasting=True),
        CONFIGURATION,
        key="configuration",
        empty="",
        most_rows=24,
    )


TABS = {
    "Universe": universe.draw,
    "Data quality": quality.draw,
    "Risk limits": limits.draw,
    "Deployments": deployments.draw,
    "Health": health.draw,
    "Messages": messages.draw,
    "Logs": logs.draw,
    "Configuration": _configuration,
}


@page("Settings")
def draw() -> None:
    """Draw the page."""
    tabs = st.tabs(list(TABS), on_change="rerun", key="settings", bind="query-params")
    for tab, content in zip(tabs, TABS.values(), strict=True):
        if tab.open:
            with tab, guarded():
                content()
