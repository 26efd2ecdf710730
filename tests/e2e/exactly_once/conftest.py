"""The parts of the drill's ground by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from deployments.drill.ground import Ground
    from deployments.drill.places import Places
    from deployments.drill.simulated import Simulator


@pytest.fixture
def places(ground: Ground) -> Places:
    return ground.places


@pytest.fixture
def engine(ground: Ground) -> Engine:
    return ground.engine


@pytest.fixture
def simulator(ground: Ground) -> Simulator:
    return ground.simulator
