"""Steps on a database of their own, without a system."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import pytest

from db.engine import make_engine
from tests.postgres import settings_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy import Engine

_numbers = count()


@pytest.fixture(autouse=True)
def own_resources() -> None:
    """Take the place of the fixture that makes steps part of a whole system."""


@pytest.fixture
def engine(postgres: int, migrated: str, execute: Callable[[str], None], home: Path) -> Iterator[Engine]:
    """Yield an engine on an empty database of the test's own."""
    name = f"booking_{next(_numbers)}"
    execute(f"CREATE DATABASE {name} TEMPLATE {migrated}")
    engine = make_engine(settings_of(home, postgres, name).postgres.url(name))
    yield engine
    engine.dispose()
