"""A real PostgreSQL with the seeded world, and the api answering on a real socket."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psycopg
import pytest
import uvicorn
from alembic import command
from alembic.config import Config
from pydantic import SecretStr
from sqlalchemy import text

from api.app import create_app
from db.engine import make_engine
from deployments.stack.postgres_server import Server
from tests.api import seed as world_seed
from trading import config
from trading.config import SECTIONS, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

TOKEN = "token-of-the-tests"
_numbers = count()


@pytest.fixture(scope="session")
def seed() -> ModuleType:
    """Return the module of the seeded world, for the figures it is made of."""
    return world_seed


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def settings_of(home: Path, port: int, database: str, **prefect: Any) -> Settings:
    """Return settings of the test server's database; nothing else of them answers unless `prefect` says so."""
    unused = {"port": 9}
    chosen: dict[str, dict[str, Any]] = {
        "postgres": {
            "host": "127.0.0.1",
            "port": port,
            "password": SecretStr("pass word"),
            "trading_db": database,
        },
        "redis": unused,
        "prefect": prefect or unused,
        "simulator": unused,
        "web": {"token": SecretStr(TOKEN)},
    }
    sections = {name: kind(**chosen.get(name, {})) for name, kind in SECTIONS.items()}
    return Settings(**sections, home=home)


@pytest.fixture(scope="session", autouse=True)
def _own_prefect_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep Prefect's client, which the api loads when it is first asked, away from the user's profile."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PREFECT_HOME", str(tmp_path_factory.mktemp("prefect-home")))
        yield


@pytest.fixture(scope="session")
def home() -> Iterator[Path]:
    place = Path(tempfile.mkdtemp(prefix="trading-api-"))
    place.chmod(0o755)  # the account that PostgreSQL runs under has to pass
    (place / "state").mkdir(mode=0o755)
    yield place / "state"
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(home: Path) -> Iterator[int]:
    """Yield the port of a PostgreSQL server of the tests' own."""
    port = free_port()
    component = Server(settings_of(home, port, "postgres"), port, os.environ).component()
    assert component.prepare is not None
    component.prepare()
    account = component.account
    process = subprocess.Popen(
        (*component.command, "-c", "fsync=off"),  # nothing of it outlives the tests
        env=dict(component.environment),
        cwd=component.directory,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 30
        while (problem := component.probe()) is not None:
            assert time.monotonic() < deadline, problem
            time.sleep(0.05)
        yield port
    finally:
        process.send_signal(signal.SIGQUIT if hasattr(signal, "SIGQUIT") else component.stop_signal)
        process.wait(30)
        if component.directory is not None and not component.directory.is_relative_to(home):
            shutil.rmtree(component.directory)


@pytest.fixture(scope="session")
def execute(postgres: int) -> Callable[[str], None]:
    """Return a function that runs a statement beside any transaction, on the maintenance database."""

    def run(statement: str) -> None:
        with psycopg.connect(
            host="127.0.0.1", port=postgres, user="postgres", password="pass word", dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(statement.encode())

    return run


@pytest.fixture(scope="session")
def migrated(postgres: int, execute: Callable[[str], None], home: Path) -> str:
    """Return the name of a database at the newest migration, without rows: a template."""
    execute("CREATE DATABASE empty")
    _upgrade(settings_of(home, postgres, "empty"))
    return "empty"


def _upgrade(settings: Settings) -> None:
    configuration = Config()
    configuration.set_main_option("script_location", str(Path(config.__file__).parents[1] / "db" / "migrations"))
    engine = make_engine(settings.postgres.url(settings.postgres.trading_db))
    with engine.begin() as connection:
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, "head")
    engine.dispose()


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
def free() -> Callable[[], int]:
    """Return what finds a free port."""
    return free_port


@pytest.fixture(scope="session")
def orchestrated(world: str, execute: Callable[[str], None]) -> str:
    """Return the name of a copy of the world for the tests that start runs."""
    execute(f"CREATE DATABASE orchestrated TEMPLATE {world}")
    return "orchestrated"
