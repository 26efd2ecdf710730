"""Which symbols are tracked, their sectors and tags, and what was ingested."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from dashboard import resources
from dashboard.client import ApiError
from dashboard.frame import empty, section
from dashboard.tables import Column, show

EDITABLE = ("tracked", "sector", "tags")
INGESTION = (
    Column("started_at", "Started (ET)", "time"),
    Column("source", "Source", width="small"),
    Column("timeframe", "Timeframe", width="small"),
    Column("symbols", "Symbols", "list", width="medium"),
    Column("range_start", "From (ET)", "time"),
    Column("range_end", "To (ET)", "time"),
    Column("bars_received", "Received", "quantity"),
    Column("bars_written", "Written", "quantity"),
    Column("actions_written", "Corporate actions", "quantity"),
    Column("status", "Status", width="small"),
)


def draw() -> None:
    """Draw the tab."""
    found = resources.rows("/api/universe")
    tracked = sum(1 for row in found if row["tracked"])
    section("Universe", f"{tracked} of {len(found)} symbols tracked; tracked ones are fetched and screened")
    if found:
        _editor(found)
    else:
        empty("No symbols yet: the deployment `fetch-market-data` brings the broker's.")
    section("Ingestion", "newest first")
    runs = resources.rows("/api/ingestion", limit=50)
    show(runs, INGESTION, key="ingestion", empty="Nothing has been fetched yet.", most_rows=6)


def _editor(found: list[resources.Row]) -> None:
    names = ["symbol", "name", "exchange", "tracked", "sector", "tags", "tradable", "shortable"]
    table = pd.DataFrame([{name: row[name] for name in names} for row in found])
    table["sector"] = table["sector"].fillna("").astype("object")
    settings = st.column_config
    edited = st.data_editor(
        table,
        key="universe",
        hide_index=True,
        disabled=[name for name in names if name not in EDITABLE],
        column_config={
            "symbol": settings.TextColumn("Symbol", width="small"),
            "name": settings.TextColumn("Name"),
            "exchange": settings.TextColumn("Exchange", width="small"),
            "tracked": settings.CheckboxColumn("Tracked", width="small"),
            "sector": settings.TextColumn("Sector", max_chars=80),
            "tags": settings.ListColumn("Tags"),
            "tradable": settings.CheckboxColumn("Tradable", width="small"),
            "shortable": settings.CheckboxColumn("Shortable", width="small"),
        },
    )
    pending = changes(table, edited)
    label = f"Save {len(pending)} changed" if pending else "Save changes"
    if st.button(label, type="primary", disabled=not pending, key="save-universe"):
        _save(pending)


def changes(before: pd.DataFrame, after: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Return symbol -> the editable values that differ between two tables with the same rows."""
    found: dict[str, dict[str, Any]] = {}
    for old, new in zip(before.to_dict("records"), after.to_dict("records"), strict=True):
        different = {
            name: _plain(name, new[name]) for name in EDITABLE if _plain(name, old[name]) != _plain(name, new[name])
        }
        if different:
            found[str(old["symbol"])] = different
    return found


def _plain(name: str, value: Any) -> Any:
    if name == "tags":
        return [str(tag) for tag in value] if value is not None else []
    if name == "tracked":
        return bool(value)
    return str(value).strip() if isinstance(value, str) else ""


def _save(pending: dict[str, dict[str, Any]]) -> None:
    """Send one change after the other; stop at the first that the api refuses."""
    saved: list[str] = []
    for symbol, change in pending.items():
        try:
            resources.update_asset(symbol, change)
        except ApiError as error:
            st.error(
                f"{symbol}: {error}" + (f" (saved before: {', '.join(saved)})" if saved else ""),
                icon=":material/error:",
            )
            return
        saved.append(symbol)
    st.toast(f"Saved {', '.join(saved)}.", icon=":material/check:")
    st.session_state.pop("universe", None)
    st.rerun()
