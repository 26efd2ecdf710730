"""Files are read without a system: these tests start none; those that write have a database of their own."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def own_resources() -> None:
    """Take the place of the fixture that makes steps part of a whole system."""
