"""The inbox: everything the system found worth telling."""

from __future__ import annotations

import streamlit as st

from dashboard import resources
from dashboard.frame import section
from dashboard.tables import Column, show

KINDS = ("trade", "risk", "health", "summary")
SIGNS = {"info": "○ info", "warning": "▲ warning", "critical": "■ critical"}
COLUMNS = (
    Column("at", "Time (ET)", "time"),
    Column("sign", "Severity", width="small"),
    Column("kind", "Kind", width="small"),
    Column("subject", "Subject", width="large"),
    Column("channels", "Delivered to"),
)


def draw() -> None:
    """Draw the tab."""
    section("Messages", "newest first; choose one to read it")
    kind = st.pills("Kind", KINDS, key="message-kind", label_visibility="collapsed")
    found = [_row(message) for message in resources.rows("/api/messages", kind=kind, limit=200)]
    chosen = show(found, COLUMNS, key="messages", empty="No messages yet.", select=True)
    if chosen is not None:
        with st.container(border=True):
            st.text(f"{chosen['subject']}\n\n{chosen['body']}", width="stretch")


def _row(message: resources.Row) -> resources.Row:
    deliveries = [
        f"{delivery['channel']} ({delivery['status']}{': ' + delivery['error'] if delivery['error'] else ''})"
        for delivery in message["deliveries"]
    ]
    severity = str(message["severity"])
    return {**message, "sign": SIGNS.get(severity, severity), "channels": ", ".join(deliveries)}
