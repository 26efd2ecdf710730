"""Round trips: the list and its sums."""

from __future__ import annotations

import streamlit as st

from dashboard import charts, facts, palette, resources
from dashboard.format import money, percent, words
from dashboard.frame import empty, section
from dashboard.tables import Column, show
from dashboard.views.analysis.scope import PORTFOLIO, pick

DIMENSIONS = ("symbol", "weekday", "hour", "exit_reason")
COLUMNS = (
    Column("symbol", "Symbol", width="small"),
    Column("strategy", "Strategy"),
    Column("side", "Side", width="small"),
    Column("quantity", "Quantity", "quantity"),
    Column("entry_at", "Entry (ET)", "time"),
    Column("entry_price", "Entry price", "price"),
    Column("exit_at", "Exit (ET)", "time"),
    Column("exit_price", "Exit price", "price"),
    Column("pnl", "Profit", "signed_money"),
    Column("return", "Return", "signed_percent"),
    Column("mae", "MAE", "signed_percent", help="how far it went against us meanwhile"),
    Column("mfe", "MFE", "signed_percent", help="how far it went for us meanwhile"),
    Column("exit_reason", "Exit reason"),
)


def draw() -> None:
    """Draw the tab."""
    scope = pick("trades")
    found = resources.round_trips(None if scope == PORTFOLIO else scope)
    if not found:
        empty("No round trips yet: one appears when shares that were bought are sold and `analyze-trades` has run.")
        return
    left, right = st.columns([1, 2.4], gap="medium")
    with left:
        section("In short")
        facts.show("All round trips", summary(found))
    with right:
        _breakdown(scope)
    section("Round trips", f"{len(found)}, first bought first sold")
    show(found, COLUMNS, key="round-trips", empty="")


def summary(found: list[resources.Row]) -> dict[str, str]:
    """Return counts, win rate and sums of round trips, written out."""
    gains = [float(row["pnl"]) for row in found if float(row["pnl"]) > 0]
    losses = [float(row["pnl"]) for row in found if float(row["pnl"]) < 0]
    total = sum(gains) + sum(losses)
    return {
        "Round trips": f"{len(found):,}",
        "Won": percent(len(gains) / len(found), places=0),
        "Profit": money(total, sign=True),
        "Average gain": money(sum(gains) / len(gains) if gains else None, sign=True),
        "Average loss": money(sum(losses) / len(losses) if losses else None, sign=True),
        "Profit factor": f"{sum(gains) / -sum(losses):.2f}" if losses else "no losses",
        "Best": money(max(float(row["pnl"]) for row in found), sign=True),
        "Worst": money(min(float(row["pnl"]) for row in found), sign=True),
    }


def _breakdown(scope: str) -> None:
    head, control = st.columns([1, 2], vertical_alignment="center")
    with head:
        section("Profit by")
    with control, st.container(horizontal=True, horizontal_alignment="right"):
        dimension = st.segmented_control(
            "Dimension",
            DIMENSIONS,
            default="symbol",
            required=True,
            format_func=words,
            label_visibility="collapsed",
        )
    buckets = resources.breakdown(scope, dimension or "symbol")
    if not buckets:
        empty("Nothing to sum for this dimension yet: run the deployment `analyze-trades` under Settings.")
        return
    charts.draw(charts.breakdown(buckets, palette.current()), key="breakdown", alt=f"Profit by {dimension}")
