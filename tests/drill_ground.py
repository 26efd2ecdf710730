"""The drill's own servers for the tests of what survives faults: PostgreSQL, Redis, a simulator, no Prefect server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from deployments.drill.ground import Ground, open_ground
from deployments.drill.places import leave

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def drill_servers() -> Iterator[Ground]:
    """Start them once; no test is a part of them unless it asks for `ground`."""
    with open_ground() as opened:
        leave()
        yield opened


@pytest.fixture
def ground(drill_servers: Ground) -> Iterator[Ground]:
    """Make this process part of a system with a new account and no fault armed."""
    drill_servers.begin()
    yield drill_servers
    leave()
