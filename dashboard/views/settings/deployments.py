"""The Prefect deployments: schedules, last runs, run now."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

import streamlit as st

from dashboard import resources, runs
from dashboard.frame import attempt, empty, section
from dashboard.schema_form import Form, FormError, given
from dashboard.tables import Column, show

COLUMNS = (
    Column("flow", "Deployment"),
    Column("pool", "Pool"),
    Column("when", "Schedule"),
    Column("sign", "State", width="small"),
    Column("last", "Last run"),
    Column("last_at", "Last run at (ET)", "time"),
    Column("seconds", "Seconds", "figure", width="small"),
)


def draw() -> None:
    """Draw the tab."""
    found = resources.deployments()
    address = os.environ.get("PREFECT_UI_URL", "")
    section("Deployments", f"{len(found)}; choose one to run, pause or resume it")
    rows = [_row(deployment) for deployment in found]
    chosen = show(
        rows,
        COLUMNS,
        key="deployments",
        empty="No deployments: run `trading start`, which makes them.",
        select=True,
    )
    if urlsplit(address).scheme in ("http", "https"):
        st.link_button("Open Prefect", address, icon=":material/open_in_new:", type="tertiary")
    runs.follow("deployments")
    if chosen is None:
        if found:
            empty(
                "Choose a deployment in the table to run it now or to change its schedule.",
                icon=":material/touch_app:",
            )
        return
    _schedule(chosen)
    _run_now(chosen)


def schedule_words(deployment: resources.Row) -> str:
    """Return a deployment's schedules, or that it has none."""
    found = [f"{item['schedule']} ({item['timezone'] or 'UTC'})" for item in deployment["schedules"]]
    return "; ".join(found) or "on demand"


def resting(deployment: resources.Row) -> bool:
    """Return whether a deployment has schedules of which none is at work."""
    schedules = deployment["schedules"]
    return bool(schedules) and (deployment["paused"] or not any(item["active"] for item in schedules))


def _row(deployment: resources.Row) -> resources.Row:
    last = deployment["last_run"] or {}
    sign = "–" if not deployment["schedules"] else ("‖ paused" if resting(deployment) else "● active")  # noqa: RUF001 - an en dash reads as none
    return {
        **deployment,
        "when": schedule_words(deployment),
        "sign": sign,
        "last": last.get("state") or "never",
        "last_at": last.get("started_at") or last.get("expected_start_at"),
        "seconds": last.get("seconds"),
    }


def _schedule(deployment: resources.Row) -> None:
    name = str(deployment["name"])
    section(name, schedule_words(deployment))
    if deployment["description"]:
        st.caption(str(deployment["description"]))
    if not deployment["schedules"]:
        return
    pausing = not resting(deployment)
    label, done = ("Pause schedule", "rests") if pausing else ("Resume schedule", "is at work again")
    icon = ":material/pause:" if pausing else ":material/play_circle:"
    if st.button(label, icon=icon, key=f"pause-{name}") and attempt(
        lambda: resources.set_paused(name, paused=pausing), done=f"The schedule of {name} {done}."
    ):
        st.rerun()


def _run_now(deployment: resources.Row) -> None:
    name = str(deployment["name"])
    schema = deployment["parameter_schema"] or {}
    with st.form(f"run-{name}"):
        st.markdown("**Run now**")
        if not schema.get("properties"):
            st.caption("This flow takes no parameters.")
        try:
            asked = Form(schema, f"run-{name}").fields(deployment["parameters"] or {})
        except FormError as error:
            st.error(str(error), icon=":material/error:")
            asked = None
        pressed = st.form_submit_button("Run now", type="primary", icon=":material/play_arrow:")
    if pressed and asked is not None:
        runs.start(name, given(schema, asked), place="deployments")
        st.rerun()
