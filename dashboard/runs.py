"""Starting runs of deployments and following them to their end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard import resources
from dashboard.client import ApiError

if TYPE_CHECKING:
    from dashboard.resources import Row

FOLLOWED = "followed-runs"
FINAL = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
KEPT = 3


def start(deployment: str, parameters: dict[str, Any], *, place: str) -> None:
    """Start a run and follow it in `place`; a refusal becomes the api's error line."""
    try:
        started = resources.start_run(deployment, parameters)
    except ApiError as error:
        st.error(str(error), icon=":material/error:")
        return
    runs = _followed(place)
    runs.insert(0, {"id": started["flow_run_id"], "name": started["name"], "url": started["url"], "state_type": None})
    del runs[KEPT:]


def follow(place: str) -> None:
    """Draw the runs started from `place`; unfinished ones are asked after every 2 seconds."""
    runs = _followed(place)
    if not runs:
        return
    unfinished = any(run["state_type"] not in FINAL for run in runs)
    st.fragment(_lines, run_every=2 if unfinished else None)(place, waiting=unfinished)


def _followed(place: str) -> list[Row]:
    runs: list[Row] = st.session_state.setdefault(f"{FOLLOWED}-{place}", [])
    return runs


def _lines(place: str, *, waiting: bool) -> None:
    runs = _followed(place)
    for number, run in enumerate(runs):
        if run["state_type"] not in FINAL:
            runs[number] = run = _now(run)  # noqa: PLW2901 - the line shows the run as it is now
        _line(run)
    if waiting and all(run["state_type"] in FINAL for run in runs):
        resources.changed()
        st.rerun()


def _now(run: Row) -> Row:
    try:
        return resources.run(str(run["id"]))
    except ApiError as error:
        return {**run, "state": "unknown", "message": str(error)}


def _line(run: Row) -> None:
    state = str(run.get("state") or "Scheduled")
    text = f"**{_plain(run['name'])}** · {_plain(state)}"
    if run.get("seconds"):
        text += f" · {float(run['seconds']):.1f} s"
    text += f" · [open in Prefect]({run['url']})"
    message = str(run.get("message") or "")
    if run["state_type"] == "COMPLETED":
        st.success(text, icon=":material/check_circle:")
    elif run["state_type"] in FINAL:
        st.error(f"{text}  \n{_plain(message)}", icon=":material/error:")
    else:
        st.info(text, icon=":material/hourglass_top:")


def _plain(text: object) -> str:
    """Return text with Markdown's own characters escaped."""
    return "".join(f"\\{letter}" if letter in "\\`*_{}[]<>()#+!|$:~" else letter for letter in str(text))
