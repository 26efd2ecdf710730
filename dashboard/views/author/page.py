"""Author: choose a strategy, edit it, decide whether it trades, test it."""

from __future__ import annotations

import streamlit as st

from dashboard import resources, runs
from dashboard.format import when
from dashboard.frame import attempt, guarded, page, section
from dashboard.tables import Column, show
from dashboard.views.analysis.backtests import new_backtest
from dashboard.views.author import editor, versions

STATUSES = {
    "active": "evaluated on every completed bar, and traded",
    "paused": "keeps its positions, decides nothing",
    "retired": "out of use; its history stays",
}
SIGNS = {"active": "● active", "paused": "‖ paused", "retired": "○ retired"}
CHOSEN = "author-strategy"
COLUMNS = (
    Column("name", "Strategy"),
    Column("sign", "Status", width="small"),
    Column("kind", "Rule"),
    Column("universe", "Universe"),
    Column("timeframe", "Timeframe", width="small"),
    Column("share", "Capital", "share", help="share of the account's equity it manages"),
    Column("version", "Version"),
    Column("updated_at", "Changed (ET)", "time"),
    Column("updated_by", "By", width="small"),
)


@page("Author")
def draw() -> None:
    """Draw the page."""
    with guarded():
        found = resources.strategies()
        section("Strategies", "choose one to edit it")
        rows = [_row(strategy) for strategy in found]
        empty = "No strategies yet: write one below, or run `trading demo`, which brings two."
        chosen = show(rows, COLUMNS, key="strategies", empty=empty, select=True, most_rows=6)
        if chosen is not None:
            st.session_state[CHOSEN] = chosen["name"]
        names = [str(row["name"]) for row in found]
        current = st.session_state.get(CHOSEN)
        if current not in names:
            current = names[0] if names else None
        _strategy(current, names)


def _row(strategy: resources.Row) -> resources.Row:
    definition = strategy["definition"]
    return {
        **strategy,
        "sign": SIGNS.get(str(strategy["status"]), strategy["status"]),
        "kind": (definition.get("rule") or {}).get("kind"),
        "universe": ", ".join(definition.get("universe") or ()) or "all tracked",
        "timeframe": definition.get("timeframe"),
        "share": definition.get("capital_fraction"),
    }


def _strategy(name: str | None, names: list[str]) -> None:
    titles = ["New strategy"] if name is None else ["Definition", "Status", "Versions", "Backtest", "New strategy"]
    tabs = dict(zip(titles, st.tabs(titles, on_change="rerun", key="author"), strict=True))
    if tabs["New strategy"].open:
        with tabs["New strategy"], guarded():
            editor.create(names)
    if name is None:
        return
    contents = {"Definition": editor.edit, "Status": _status, "Versions": versions.draw}
    for title, content in contents.items():
        if tabs[title].open:
            with tabs[title], guarded():
                content(resources.strategy(name))
    if tabs["Backtest"].open:
        with tabs["Backtest"], guarded():
            new_backtest([name, *[other for other in names if other != name]], place="author")
            runs.follow("author")
            st.caption("Finished backtests are under Analysis, Backtests.")


def _status(found: resources.Row) -> None:
    name, current = str(found["name"]), str(found["status"])
    section(name, f"{current} since {when(found['updated_at'])}, changed by {found['updated_by']}")
    st.caption(checked(found))
    with st.form("strategy-status"):
        options = list(STATUSES)
        index = options.index(current) if current in options else 0
        chosen = st.radio(
            "Status", options, index=index, captions=list(STATUSES.values()), key=f"status-{name}-{current}"
        )
        reason = st.text_input(
            "Reason to activate it without a check that it did not fail",
            placeholder="empty: only after such a check",
            key=f"anyway-{name}-{current}",
        ).strip()
        if not st.form_submit_button("Change status", type="primary"):
            return
    anyway = reason or None if chosen == "active" else None
    if chosen == current:
        st.info(f"{name} is {current} already.")
    elif attempt(lambda: resources.set_strategy_status(name, chosen, anyway=anyway), done=f"{name} is {chosen} now."):
        st.rerun()


def checked(found: resources.Row) -> str:
    """Return what the last check of the current version said, in a line."""
    check = found["check"]
    if check is None:
        return f"Version {found['version']} was never checked: run the deployment check-strategy under Settings."
    poor = ", ".join(str(one["name"]) for one in check["checks"] if one["verdict"] == "fail")
    told = f"Checked {when(check['checked_at'])} by {check['actor']}: {check['verdict']}"
    return f"{told} ({poor})" if poor else told
