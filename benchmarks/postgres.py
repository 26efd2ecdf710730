"""A PostgreSQL of a benchmark's own: the wheel's, tuned and as durable as the one `trading start` runs."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic import command
from alembic.config import Config
from pydantic import SecretStr

from db.engine import make_engine
from deployments.stack.postgres_server import Server
from trading import config
from trading.config import SECTIONS, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

STARTING_SECONDS = 60


@contextmanager
def server() -> Iterator[str]:
    """Yield the SQLAlchemy URL of an empty database, fsync on; the server and its files are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="trading-benchmark-", ignore_cleanup_errors=True) as place:
        Path(place).chmod(0o755)  # root's PostgreSQL runs under another account, which has to pass
        state = Path(place) / "state"
        state.mkdir(mode=0o755)
        settings = _settings(state, _free_port())
        component = Server(settings, settings.postgres.port, os.environ).component()
        assert component.prepare is not None
        component.prepare()
        account = component.account
        process = subprocess.Popen(
            component.command,
            env=dict(component.environment),
            cwd=component.directory,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            end = time.monotonic() + STARTING_SECONDS
            while (problem := component.probe()) is not None:
                assert time.monotonic() < end, problem
                time.sleep(0.05)
            yield settings.postgres.url("postgres")
        finally:
            process.send_signal(getattr(signal, "SIGQUIT", component.stop_signal))
            process.wait(30)


def migrate(url: str) -> None:
    """Bring a database to the newest migration."""
    configuration = Config()
    configuration.set_main_option("script_location", str(Path(config.__file__).parents[1] / "db" / "migrations"))
    engine = make_engine(url)
    with engine.begin() as connection:
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, "head")
    engine.dispose()


def _settings(home: Path, port: int) -> Settings:
    chosen: dict[str, Any] = {"postgres": {"host": "127.0.0.1", "port": port, "password": SecretStr("benchmark")}}
    sections = {name: kind(**chosen.get(name, {})) for name, kind in SECTIONS.items()}
    return Settings(**sections, home=home)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
