"""The pages against the real api over the seeded world of tests/api."""

from __future__ import annotations

import sys
from importlib import util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import streamlit as st
from _pytest.fixtures import FixtureFunctionDefinition  # the type of a fixture has no public name
from streamlit.testing.v1 import AppTest

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

PAGES = ("portfolio", "analysis", "screener", "author", "settings")


def _fixtures_of_the_api() -> Any:
    # Test folders are no packages, so that the file is loaded by its place.
    place = Path(__file__).parents[1] / "api" / "conftest.py"
    specification = util.spec_from_file_location("api_fixtures", place)
    assert specification is not None
    assert specification.loader is not None
    module = util.module_from_spec(specification)
    sys.modules["api_fixtures"] = module
    specification.loader.exec_module(module)
    return module


_API = _fixtures_of_the_api()
TOKEN: str = _API.TOKEN
globals().update({name: item for name, item in vars(_API).items() if isinstance(item, FixtureFunctionDefinition)})


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
