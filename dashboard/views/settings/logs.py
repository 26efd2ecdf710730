"""The log lines of all services, filtered, newest first."""

from __future__ import annotations

import streamlit as st

from dashboard import paging, resources
from dashboard.frame import section
from dashboard.tables import Column, show

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
SERVICES = (
    "data_ingestion",
    "strategy_engine",
    "execution",
    "risk_management",
    "analytics",
    "notification",
    "prefect",
    "api",
    "dashboard",
    "simulator",
)
COLUMNS = (
    Column("at", "Time (ET)", "time"),
    Column("level", "Level", width="small"),
    Column("service", "Service"),
    Column("message", "Message", width=760),
    Column("logger", "Logger"),
    Column("flow_run_id", "Run"),
)
PAGE = 200


def draw() -> None:
    """Draw the tab."""
    section("Logs", "newest first; collected by the deployment aggregate-logs")
    first, second, third, fourth = st.columns([1, 1, 2, 1.6])
    service = first.selectbox("Service", SERVICES, index=None, placeholder="every service", accept_new_options=True)
    level = second.selectbox("Level", LEVELS, index=None, placeholder="every level", help="this severe or more")
    search = third.text_input("Search", placeholder="text in the message")
    run = fourth.text_input("Flow run", placeholder="flow run id").strip()
    asked = (service, level, search, run)
    cursors = paging.walked("log-cursors", asked)
    found = resources.read(
        "/logs", service=service, level=level, search=search, run=run, limit=PAGE, cursor=cursors[-1]
    )
    show(found["items"], COLUMNS, key="logs", empty="No log lines match.", most_rows=18)
    paging.turn(cursors, found["next"], key="logs")
