"""The choice between the whole portfolio and one strategy."""

from __future__ import annotations

import streamlit as st

from dashboard import resources

PORTFOLIO = "portfolio"


def pick(key: str) -> str:
    """Draw the choice and return the scope."""
    found = resources.scopes()
    options = [PORTFOLIO, *[name for name in found if name != PORTFOLIO]]
    chosen = st.segmented_control(
        "Scope", options, default=PORTFOLIO, required=True, key=f"scope-{key}", label_visibility="collapsed"
    )
    return chosen or PORTFOLIO
