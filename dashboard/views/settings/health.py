"""Whether every component answers."""

from __future__ import annotations

from html import escape

import streamlit as st

from dashboard import resources
from dashboard.frame import guarded, section


def draw() -> None:
    """Draw the tab; it asks again every 15 seconds while it is open."""
    _checks()


@st.fragment(run_every=15)
def _checks() -> None:
    with guarded():
        found = resources.read("/health")
        checks = found["checks"]
        broken = sum(1 for check in checks if not check["ok"])
        verdict = f"{broken} of {len(checks)} do not answer" if broken else f"all {len(checks)} answer"
        section("Health", f"{verdict}; asked every 15 seconds")
        lines = "".join(_line(check) for check in sorted(checks, key=lambda check: bool(check["ok"])))
        st.html(f'<ul class="checks">{lines}</ul>')


def _line(check: resources.Row) -> str:
    sign, colour = ("✓", "up") if check["ok"] else ("✕", "down")
    word = "healthy" if check["ok"] else "unhealthy"
    return (
        f'<li><span class="{colour}" title="{word}" aria-label="{word}">{sign}</span>'
        f'<span class="name">{escape(str(check["name"]))}</span>'
        f'<span class="latency">{float(check["latency_ms"] or 0):.0f} ms</span>'
        f'<span class="detail">{escape(str(check["detail"]))}</span></li>'
    )
