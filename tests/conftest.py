"""What tests share, each started when it is first asked for."""

from __future__ import annotations

import os
import tempfile

import pytest
from hypothesis import settings as hypothesis_settings

os.environ.setdefault("PREFECT_HOME", tempfile.mkdtemp(prefix="prefect-home-"))  # before prefect is imported

hypothesis_settings.register_profile("shared machine", deadline=None)
hypothesis_settings.load_profile("shared machine")

pytest_plugins = ("tests.postgres", "tests.served_api", "tests.prefect_server", "tests.stack", "tests.drill_ground")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let two processes share the tests: one begins with all that need the whole system, files stay together."""
    items.sort(key=lambda item: not _needs_the_system(item))
    for item in items:
        item.add_marker(pytest.mark.xdist_group("stack" if _needs_the_system(item) else item.nodeid.partition("::")[0]))


def _needs_the_system(item: pytest.Item) -> bool:
    return "stack" in getattr(item, "fixturenames", ())
