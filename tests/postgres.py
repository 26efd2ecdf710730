"""A real PostgreSQL server for the tests that need no more than a database."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from pydantic import SecretStr

from db import arrow
from db.engine import make_engine
from deployments.stack.postgres_server import Server
from tests.places import passable_directory
from tests.ports import free_port
from trading import config
from trading.config import SECTIONS, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Engine

TOKEN = "token-of-the-tests"
_numbers = count()


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


@pytest.fixture(scope="session")
def home() -> Iterator[Path]:
    with passable_directory() as place:
        (place / "state").mkdir(mode=0o755)
        yield place / "state"


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


@contextmanager
def fresh_database(postgres: int, migrated: str, execute: Callable[[str], None], home: Path) -> Iterator[Engine]:
    """Make a database at the newest migration, without rows, that is gone afterwards."""
    name = f"fresh_{next(_numbers)}"
    execute(f"CREATE DATABASE {name} TEMPLATE {migrated}")
    engine = make_engine(settings_of(home, postgres, name).postgres.url(name))
    yield engine
    arrow.dispose(engine.url)
    engine.dispose()
    execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def engine(postgres: int, migrated: str, execute: Callable[[str], None], home: Path) -> Iterator[Engine]:
    """Yield an engine on an empty database of the test's own."""
    with fresh_database(postgres, migrated, execute, home) as found:
        yield found


def _upgrade(settings: Settings) -> None:
    configuration = Config()
    configuration.set_main_option("script_location", str(Path(config.__file__).parents[1] / "db" / "migrations"))
    engine = make_engine(settings.postgres.url(settings.postgres.trading_db))
    with engine.begin() as connection:
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, "head")
    engine.dispose()
