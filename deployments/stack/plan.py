"""From settings to the units the supervisor runs."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from deployments.stack import endpoints, environment, journal, redis_server, services
from deployments.stack.component import Component, Step, Unit
from deployments.stack.credentials import ensure_secrets
from deployments.stack.places import make_home, run_directory, write_private
from deployments.stack.postgres_server import Server, create_databases
from trading.config import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from deployments.stack.endpoints import Endpoints


@dataclass(frozen=True)
class Plan:
    """Everything one start needs to know."""

    settings: Settings
    endpoints: Endpoints
    units: tuple[Unit, ...]
    directories: tuple[Path, ...]
    environment: dict[str, str] = field(repr=False)


def make(home: Path) -> Plan:
    """Read the settings, look which servers exist, generate secrets, and lay out the units.

    Raises
    ------
    ConfigurationError, UnavailableError
        A setting, or a server it names, is no use; one line says which.
    """
    make_home(home)
    found = endpoints.find(Settings.load(home))
    foreign = {
        "POSTGRES_PASSWORD": not found.runs_postgres,
        "REDIS_PASSWORD": not found.runs_redis,
        "PREFECT_API_AUTH_STRING": not found.runs_prefect,
        "PREFECT_ENCRYPTION_KEY": not found.runs_prefect,
    }
    settings = ensure_secrets(home, skip=frozenset(name for name, skip in foreign.items() if skip))
    base = environment.base(settings, found)
    _remember_environment(home, environment.own_variables(settings, found), found)
    units: list[Unit] = []
    directories = [home]
    if found.runs_postgres:
        server = Server(settings, found.postgres_port, base)
        directories.append(server.directory)
        units.append(server.component())
    if found.runs_redis:
        units.append(redis_server.component(settings, found.redis_port, base))
    units.append(_databases(settings, found))
    if found.runs_prefect:
        units += [services.prefect_server(settings, found, base), services.settle(settings, found)]
    if settings.simulated:
        units.append(services.simulator(settings, base))
    units += [
        *services.steps(settings, found, base),
        *services.workers(settings, found, base),
        services.api(settings, base),
        services.dashboard(settings, base),
    ]
    return Plan(settings, found, connected(units), tuple(directories), base)


def _databases(settings: Settings, found: Endpoints) -> Step:
    names = [settings.postgres.trading_db]
    if found.runs_prefect:
        names.append(environment.prefect_database(settings, found)[0])
    return Step(
        name="databases",
        needs=("postgres",),
        action=lambda: create_databases(settings, found.postgres_host, found.postgres_port, tuple(names)),
    )


def connected(units: list[Unit]) -> tuple[Unit, ...]:
    """Drop needs on servers that are not run here: they answer already."""
    known = {unit.name for unit in units}

    def ours(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in names if name in known)

    return tuple(
        replace(unit, needs=ours(unit.needs), uses=ours(unit.uses))
        if isinstance(unit, Component)
        else replace(unit, needs=ours(unit.needs))
        for unit in units
    )


def _remember_environment(home: Path, values: dict[str, str], found: Endpoints) -> None:
    values = values | {"PREFECT_API_URL": found.prefect_url}
    write_private(run_directory(home) / "environment.json", json.dumps(values))


def environment_in_use(home: Path) -> dict[str, str]:
    """Return our variables as the running stack has them; empty when none was started yet."""
    try:
        values = json.loads((run_directory(home) / "environment.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(name): str(value) for name, value in values.items()}


def settings_in_use(home: Path) -> Settings:
    """Return the settings as the running stack has them; without one, as a start would read them now."""
    if not journal.read(home).alive:
        return Settings.load(home)
    before = dict(os.environ)
    os.environ.update(environment_in_use(home))
    try:
        return Settings.load(home)
    finally:
        os.environ.clear()
        os.environ.update(before)
