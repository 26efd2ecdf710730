"""The pages against the real api over the seeded world."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.postgres import TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

PAGES = ("portfolio", "analysis", "screener", "author", "settings")


def script(page: str) -> None:
    """Run one page as the navigation of app.py runs it."""
    from importlib import import_module

    import_module(f"dashboard.views.{page}").draw()


@pytest.fixture
def look_at(monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Return a function that opens a page against an api (a client of it, or its address)."""

    def open_page(page: str, api: httpx.Client | str, *, token: str = TOKEN, **session: Any) -> AppTest:
        monkeypatch.setenv("TRADING_API_URL", api if isinstance(api, str) else str(api.base_url).rstrip("/"))
        monkeypatch.setenv("TRADING_API_TOKEN", token)
        st.cache_data.clear()
        app = AppTest.from_function(script, args=(page,), default_timeout=30)
        for name, value in session.items():
            app.session_state[name] = value
        app.run()
        assert not app.exception, app.exception[0].value
        return app

    return open_page
