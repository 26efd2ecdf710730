"""The api answering on a real socket, over the seeded world in a real PostgreSQL."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import uvicorn
from sqlalchemy import text

from api.app import create_app
from db.engine import make_engine
from tests.api import seed as world_seed
from tests.postgres import TOKEN, settings_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import ModuleType

    from trading.config import Settings

_numbers = count()


@pytest.fixture(scope="session")
def seed() -> ModuleType:
    """Return the module of the seeded world, for the figures it is made of."""
    return world_seed


@pytest.fixture(scope="session")
def world(postgres: int, execute: Callable[[str], None], migrated: str, home: Path) -> str:
    """Return the name of a database with the seeded world: a template."""
    execute(f"CREATE DATABASE world TEMPLATE {migrated}")
    settings = settings_of(home, postgres, "world")
    engine = make_engine(settings.postgres.url("world"))
    with engine.begin() as connection:
        world_seed.plant(connection)
    engine.dispose()
    (home / "reports").mkdir()
    (home / "reports" / "tearsheet.html").write_text("<h1>tearsheet</h1>")
    (home.parent / "outside.csv").write_text("1")
    return "world"


@contextmanager
def served(settings: Settings) -> Iterator[httpx.Client]:
    """Serve the api on a free port and yield a client that shows the token."""
    server = uvicorn.Server(uvicorn.Config(create_app(settings), log_level="warning"))
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=120) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join(30)


@pytest.fixture(scope="session")
def api(postgres: int, world: str, execute: Callable[[str], None], home: Path) -> Iterator[httpx.Client]:
    """Yield a client of the api over the seeded world, for tests that only read."""
    execute(f"CREATE DATABASE reading TEMPLATE {world}")
    with served(settings_of(home, postgres, "reading")) as client:
        yield client


@pytest.fixture
def own_database(world: str, execute: Callable[[str], None]) -> str:
    """Return the name of a copy of the world that the test may change."""
    name = f"own_{next(_numbers)}"
    execute(f"CREATE DATABASE {name} TEMPLATE {world}")
    return name


@pytest.fixture
def own_api(postgres: int, own_database: str, home: Path) -> Iterator[httpx.Client]:
    """Yield a client of the api over the test's own copy of the world."""
    with served(settings_of(home, postgres, own_database)) as client:
        yield client


@pytest.fixture
def rows_of_own(postgres: int, own_database: str, home: Path) -> Callable[[str], list[Any]]:
    """Return a function that runs a statement in the test's own copy and returns its rows."""

    def run(statement: str) -> list[Any]:
        engine = make_engine(settings_of(home, postgres, own_database).postgres.url(own_database))
        with engine.begin() as connection:
            result = connection.execute(text(statement))
            rows = [tuple(row) for row in result] if result.returns_rows else []
        engine.dispose()
        return rows

    return run


@pytest.fixture
def execute_in_own(rows_of_own: Callable[[str], list[Any]]) -> Callable[[str], None]:
    """Return a function that runs a statement in the test's own copy of the world."""

    def run(statement: str) -> None:
        rows_of_own(statement)

    return run


@pytest.fixture
def empty_api(postgres: int, migrated: str, execute: Callable[[str], None], home: Path) -> Iterator[httpx.Client]:
    """Yield a client of the api over a migrated database without rows."""
    name = f"own_{next(_numbers)}"
    execute(f"CREATE DATABASE {name} TEMPLATE {migrated}")
    with served(settings_of(home, postgres, name)) as client:
        yield client


@pytest.fixture(scope="session")
def serve() -> Callable[[Settings], AbstractContextManager[httpx.Client]]:
    """Return what serves the api over given settings."""
    return served


@pytest.fixture(scope="session")
def settings_for() -> Callable[..., Settings]:
    """Return what makes settings of a database of the test server."""
    return settings_of


@pytest.fixture(scope="session")
def orchestrated(world: str, execute: Callable[[str], None]) -> str:
    """Return the name of a copy of the world for the tests that start runs."""
    execute(f"CREATE DATABASE orchestrated TEMPLATE {world}")
    return "orchestrated"
