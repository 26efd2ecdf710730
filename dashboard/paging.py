"""Pages of a long list: cursors forward, and the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from collections.abc import Hashable

Cursors = list[str | None]


def walked(place: str, asked: Hashable) -> Cursors:
    """Return the cursors of the pages walked so far in `place`; another question starts at the newest."""
    before, cursors = st.session_state.get(place, (None, []))
    if before != asked:
        cursors = [None]
        st.session_state[place] = (asked, cursors)
    found: Cursors = cursors
    return found


def turn(cursors: Cursors, following: str | None, *, key: str) -> None:
    """Draw the buttons to newer and older pages; `following` is the cursor of the page after this one."""
    with st.container(horizontal=True):
        newer, older = ":material/chevron_left:", ":material/chevron_right:"
        if st.button("Newer", disabled=len(cursors) == 1, icon=newer, key=f"{key}-newer"):
            cursors.pop()
            st.rerun()
        if st.button("Older", disabled=following is None, icon=older, key=f"{key}-older"):
            cursors.append(following)
            st.rerun()
