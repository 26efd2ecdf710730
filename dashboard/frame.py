"""What every page has: its heading with the account's state, guarded sections, empty states."""

from __future__ import annotations

from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard import resources
from dashboard.client import ApiError
from dashboard.format import when

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dashboard.resources import Row

STATE_SIGNS = {"ACTIVE": ("●", "up"), "REDUCING": ("▼", "caution"), "HALTED": ("■", "down")}
STATE_MEANINGS = {
    "ACTIVE": "orders of every kind are sent",
    "REDUCING": "only orders that reduce a position are sent",
    "HALTED": "open orders are cancelled; only orders that reduce a position are sent, until a person resumes",
}


@contextmanager
def guarded() -> Iterator[None]:
    """Draw what fits; an error of the api becomes one line in the place of the rest."""
    try:
        yield
    except ApiError as error:
        st.error(str(error), icon=":material/error:")


def attempt(action: Callable[[], Any], *, done: str) -> bool:
    """Do what a button asks: a toast with `done` on success, else the api's error line; returns which."""
    try:
        action()
    except ApiError as error:
        st.error(str(error), icon=":material/error:")
        return False
    st.toast(done, icon=":material/check:")
    return True


def page(title: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Make a function a page: heading and account first, then its content, or why there is none."""

    def decorate(content: Callable[[], None]) -> Callable[[], None]:
        def draw() -> None:
            try:
                accounts = resources.accounts()
                found = resources.portfolio() if accounts else None
            except ApiError as error:
                _heading(title, "")
                _unreachable(error)
                return
            _bar(title, found, accounts)
            content()

        draw.__name__ = content.__name__
        draw.__doc__ = content.__doc__
        return draw

    return decorate


def empty(sentence: str, *, icon: str = ":material/inbox:") -> None:
    """Draw an empty state that says what to do."""
    with st.container(border=True, horizontal_alignment="center"):
        st.markdown(f"{icon} {sentence}", text_alignment="center")


def section(title: str, note: str = "") -> None:
    """Draw the heading of a part of a page, with a quiet note beside it."""
    aside = f'<span class="note">{escape(note)}</span>' if note else ""
    st.html(f'<h2 class="section">{escape(title)}{aside}</h2>')


def badge(state: str) -> str:
    """Return the trading state as HTML: a sign, a colour and the word."""
    sign, colour = STATE_SIGNS.get(state, ("?", "muted"))
    meaning = escape(STATE_MEANINGS.get(state, "unknown state"))
    return f'<span class="state {colour}" title="{meaning}">{sign} {escape(state)}</span>'


def _bar(title: str, found: Row | None, accounts: list[Row]) -> None:
    """Draw the heading, and a choice of account when there is more than one."""
    with st.container(key="page-head", horizontal=True, vertical_alignment="center", gap="medium"):
        if found is None:
            _heading(title, "")
            return
        several = len(accounts) > 1
        whose = f"{found['kind']} account" + ("" if several else f" {found['account']}")
        context = f"{whose} · {when(found.get('at'))}" if found.get("at") else whose
        about = f'<span class="context">{escape(context)}</span>{badge(str(found["trading_state"]))}'
        _heading(title, about)
        if several:
            _choice(str(found["account"]), [str(row["account"]) for row in accounts])


def _choice(current: str, names: list[str]) -> None:
    index = names.index(current) if current in names else 0
    chosen = st.selectbox("Account", names, index=index, label_visibility="collapsed", width=180)
    if chosen != current:
        st.session_state["account"] = chosen
        st.rerun()


def _heading(title: str, about: str) -> None:
    st.html(f'<header class="page"><h1>{escape(title)}</h1><div class="about">{about}</div></header>')


def _unreachable(error: ApiError) -> None:
    st.error(str(error), icon=":material/cloud_off:")
    if st.button("Try again", icon=":material/refresh:"):
        st.rerun()
    _retry()


@st.fragment(run_every=10)
def _retry() -> None:
    """Try again by itself while the page is open."""
    try:
        resources.accounts()
    except ApiError:
        return
    st.rerun()
