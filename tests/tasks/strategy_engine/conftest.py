"""Steps on a database of their own, without a system."""

from __future__ import annotations

import pytest

from tests.deployments.data.conftest import data, unset

__all__ = ["data", "unset"]


@pytest.fixture(autouse=True)
def own_resources() -> None:
    """Take the place of the fixture that makes steps part of a whole system."""
