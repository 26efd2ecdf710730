"""What tests share, each started when it is first asked for."""

from __future__ import annotations

import os
import tempfile

import pytest
from hypothesis import settings as hypothesis_settings

os.environ.setdefault("PREFECT_HOME", tempfile.mkdtemp(prefix="prefect-home-"))  # before prefect is imported

hypothesis_settings.register_profile("shared machine", deadline=None)
hypothesis_settings.load_profile("shared machine")

pytest_plugins = ("tests.postgres", "tests.served_api", "tests.prefect_server", "tests.stack")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let two processes share the tests: one has all that need the whole system, files stay together."""
    for item in items:
        whole_system = "stack" in getattr(item, "fixturenames", ())
        item.add_marker(pytest.mark.xdist_group("stack" if whole_system else str(item.path)))
