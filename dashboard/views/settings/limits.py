"""The risk limits, what broke them, and the portfolio's risk against them."""

from __future__ import annotations

import streamlit as st

from dashboard import charts, palette, resources
from dashboard.format import NOTHING, figure, percent, words
from dashboard.frame import attempt, empty, section
from dashboard.lineage import PASSED
from dashboard.tables import Column, show

LIMITS = (
    Column("title", "Limit"),
    Column("value", "Value", "figure"),
    Column("default", "Default", "figure"),
    Column("description", "Meaning", width="large"),
    Column("updated_by", "Set by", width="small"),
)
BREACHES = (
    Column("at", "Time (ET)", "time"),
    Column("limit_name", "Limit"),
    Column("value", "Value", "figure"),
    Column("threshold", "Limit at", "figure"),
    Column("sentence", "What happened", width="large"),
    Column("alerted", "Alerted", "flag", width="small"),
)
DECISIONS = (
    Column("session", "Session", "day"),
    Column("symbol", "Symbol", width="small"),
    Column("side", "Side", width="small"),
    Column("requested_quantity", "Requested", "quantity"),
    Column("approved_quantity", "Approved", "quantity"),
    Column("verdict", "Verdict"),
    Column("why", "Why", width="large"),
)


def draw() -> None:
    """Draw the tab."""
    found = resources.risk()
    _snapshot(found)
    section("Limits", "choose one to change it; every order is checked against all of them")
    rows = [
        {**limit, "title": words(limit["name"]), "updated_by": limit["updated_by"] or "default"}
        for limit in found["limits"]
    ]
    chosen = show(rows, LIMITS, key="limits", empty="The api lists no limits.", select=True)
    if chosen is not None:
        _change(chosen)
    section("Breaches", "newest first")
    show(found["breaches"], BREACHES, key="breaches", empty="No limit has been broken.", most_rows=6)
    section("Decisions", "what the limits made of the newest proposed orders")
    decisions = [
        {**row, "why": why(row["checks"])} for row in resources.rows("/api/risk/decisions", account=resources.account())
    ]
    show(decisions, DECISIONS, key="decisions", empty="No order has been proposed yet.", most_rows=6)


def why(checks: list[resources.Row]) -> str:
    """Return the sentences of the checks that changed an order, or that all were passed."""
    decided = [str(check.get("sentence", "")) for check in checks if check.get("outcome") != PASSED]
    if decided:
        return "; ".join(decided)
    return f"all {len(checks)} limits passed" if checks else NOTHING


def _snapshot(found: resources.Row) -> None:
    snapshot = found["snapshot"]
    section("Portfolio risk")
    if snapshot is None:
        empty("No risk snapshot yet: run the deployment `monitor-portfolio-risk` under Deployments.")
        return
    figures = (
        ("Gross exposure", percent(snapshot["gross_exposure"], places=1)),
        ("Net exposure", percent(snapshot["net_exposure"], places=1)),
        ("Largest position", percent(snapshot["largest_weight"], places=1)),
        ("Drawdown", percent(snapshot["drawdown"])),
        ("Value at risk 95 %", percent(snapshot["var_95"])),
        ("Beta", figure(snapshot["beta"])),
    )
    for cell, (name, value) in zip(st.columns(len(figures), gap="small"), figures, strict=True):
        cell.metric(name, value)
    history = found["history"][::-1]
    if len(history) > 1:
        drawn = charts.exposure(history, palette.current())
        charts.draw(drawn, key="exposure", alt="Gross and net exposure over time")


def _change(limit: resources.Row) -> None:
    name = str(limit["name"])
    with st.form(f"limit-{name}"):
        st.markdown(f"**{words(name)}**")
        value = st.columns(3)[0].number_input(
            str(limit["description"]), value=float(limit["value"]), format="%g", key=f"limit-value-{name}"
        )
        with st.container(horizontal=True):
            saving = st.form_submit_button("Set limit", type="primary")
            resetting = st.form_submit_button(f"Back to the default, {figure(float(limit['default']))}")
    if saving or resetting:
        wanted = float(limit["default"]) if resetting else float(value)
        if attempt(lambda: resources.set_limit(name, wanted), done=f"{words(name)} is {figure(wanted)} now."):
            st.rerun()
