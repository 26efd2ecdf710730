"""A database and a simulator of the tests' own, and ways to let either fail."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import pytest

from db.engine import make_engine
from tasks import resources
from tests.bare import Places, Simulator, begin, forget
from tests.ports import free_port
from tests.postgres import settings_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy import Engine

_numbers = count()


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    started = Simulator(tmp_path_factory.mktemp("simulator"), free_port())
    yield started
    started.stop()


@pytest.fixture(scope="module")
def engine(postgres: int, migrated: str, execute: Callable[[str], None], home: Path) -> Iterator[Engine]:
    name = f"exactly_once_{next(_numbers)}"
    execute(f"CREATE DATABASE {name} TEMPLATE {migrated}")
    made = make_engine(settings_of(home, postgres, name).postgres.url(name))
    yield made
    made.dispose()
    execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def places(engine: Engine, simulator: Simulator) -> Iterator[Places]:
    """Make this process part of a system of a database and a simulator with a new account."""
    address = engine.url
    password = str(address.password)
    found = Places(str(address.host), int(address.port or 0), str(address.database), password, simulator.url)
    before = resources.loaded
    found.take()
    begin()
    yield found
    forget()
    resources.loaded = before
