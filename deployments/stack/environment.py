"""What each process of the stack gets to know: our variables, and Prefect's made from them."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from pydantic import SecretStr

from deployments.stack.processes import MARKER
from trading.config import SECTIONS, Settings

if TYPE_CHECKING:
    from deployments.stack.endpoints import Endpoints

HEARTBEAT_SECONDS = 30
"""Seconds between a flow run's heartbeats: Prefect's minimum; three missed ones mean dead."""

QUERY_SECONDS = 0.25
"""Seconds between a worker's looks at whether it was told of work; it asks the server far less often."""

_MESSAGING_DB, _DOCKET_DB = 14, 15


def marker(home: Path) -> str:
    """Return what every process of the stack of this state directory carries in its environment."""
    return hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:16]


def pool_of(service: str) -> str:
    """Return the work pool of a service."""
    return service.replace("_", "-")


def base(settings: Settings, endpoints: Endpoints) -> dict[str, str]:
    """Return the environment of every process: the user's, our variables, Prefect's client settings."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    inherited["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), inherited.get("PATH", os.defpath)])
    _cache_bytecode(inherited, settings.home)
    private = settings.home / "prefect"
    return (
        inherited
        | own_variables(settings, endpoints)
        | {
            MARKER: marker(settings.home),
            "PREFECT_API_URL": endpoints.prefect_url,
            "PREFECT_API_AUTH_STRING": settings.prefect.auth.get_secret_value(),
            "PREFECT_HOME": str(private),
            "PREFECT_PROFILES_PATH": str(private / "profiles.toml"),
            "PREFECT_LOGGING_LEVEL": settings.logging.level,
            "PREFECT_LOGGING_COLORS": "false",
            "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(HEARTBEAT_SECONDS),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1",
            "NO_COLOR": "1",
            "PYTHONUNBUFFERED": "1",
            "PYTHONUTF8": "1",
        }
    )


def _cache_bytecode(inherited: dict[str, str], home: Path) -> None:
    """Keep compiled modules in the state directory where the user wants none beside the sources.

    Without any, each of the processes compiles all of Prefect at every start, minutes in all.
    """
    unwanted = inherited.pop("PYTHONDONTWRITEBYTECODE", "")
    prefect = importlib.util.find_spec("prefect")
    compiled = bool(prefect and prefect.cached and Path(prefect.cached).exists())
    if unwanted and not compiled:
        inherited.setdefault("PYTHONPYCACHEPREFIX", str(home / "bytecode"))


def own_variables(settings: Settings, endpoints: Endpoints) -> dict[str, str]:
    """Return every variable of ours that has a value, pointing at the servers that are really used."""
    values: dict[str, str] = {"TRADING_HOME": str(settings.home)}
    for section, kind in SECTIONS.items():
        for name, field in kind.model_fields.items():
            value = getattr(getattr(settings, section), name)
            if isinstance(value, SecretStr):
                value = value.get_secret_value()
            elif isinstance(value, Path):
                value = value.resolve()
            if value not in (None, ""):
                values[str(field.alias)] = str(value)
    if endpoints.runs_postgres:
        values |= {"POSTGRES_HOST": "127.0.0.1", "POSTGRES_PORT": str(endpoints.postgres_port)}
    if endpoints.runs_redis:
        values |= {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(endpoints.redis_port)}
        if "REDIS_URL" in values:  # it names the server that we run, but not its password
            values["REDIS_URL"] = endpoints.redis_url(settings)
    return values


def prefect_database(settings: Settings, endpoints: Endpoints) -> tuple[str, str]:
    """Return (database name, asyncpg URL) of the Prefect server.

    An address that names the PostgreSQL run here keeps only its database: the login is ours.
    """
    given = settings.prefect.database_url
    if given is None:
        name = settings.postgres.prefect_db
    else:
        parts = urlsplit(given.get_secret_value())
        local = parts.hostname in {"localhost", "127.0.0.1", "::1"} and (parts.port or 5432) == endpoints.postgres_port
        name = parts.path.lstrip("/") or settings.postgres.prefect_db
        if not (endpoints.runs_postgres and local):
            return name, given.get_secret_value()
    login = ":".join(
        quote(text, safe="") for text in (settings.postgres.user, settings.postgres.password.get_secret_value())
    )
    host = f"{endpoints.postgres_host}:{endpoints.postgres_port}"
    return name, f"postgresql+asyncpg://{login}@{host}/{quote(name, safe='')}"


def prefect_server(settings: Settings, endpoints: Endpoints) -> dict[str, str]:
    """Return what the Prefect server gets on top of `base`."""
    auth = settings.prefect.auth.get_secret_value()
    messaging, docket = endpoints.redis_url(settings, _MESSAGING_DB), endpoints.redis_url(settings, _DOCKET_DB)
    return {
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": prefect_database(settings, endpoints)[1],
        "PREFECT_SERVER_DATABASE_MIGRATE_ON_START": "false",
        "PREFECT_SERVER_API_AUTH_STRING": auth,
        "PREFECT_MESSAGING_BROKER": "prefect_redis.messaging",
        "PREFECT_MESSAGING_CACHE": "prefect_redis.messaging",
        "PREFECT_SERVER_EVENTS_CAUSAL_ORDERING": "prefect_redis.ordering",
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect_redis.lease_storage",
        "PREFECT_SERVER_WORKER_CHANNEL_CLEANUP_QUEUE_STORAGE": "prefect_redis.cleanup_queue",
        "PREFECT_REDIS_MESSAGING_URL": messaging,
        "PREFECT_REDIS_WORKER_CLEANUP_QUEUE_URL": messaging,
        "PREFECT_SERVER_DOCKET_URL": docket,
        "PREFECT_SERVER_ENCRYPTION_KEY": settings.prefect.encryption_key.get_secret_value(),
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(settings.logging.retention_days * 86_400),
        "PREFECT_SERVER_EVENTS_RETENTION_PERIOD": f"P{settings.logging.retention_days}D",
        "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
        "PREFECT_SERVER_DATABASE_SQLALCHEMY_POOL_SIZE": "5",
        "PREFECT_SERVER_DATABASE_SQLALCHEMY_MAX_OVERFLOW": "10",
        # Nothing here needs these sweeps more often; every one of them costs processor time while idle.
        "PREFECT_SERVER_SERVICES_LATE_RUNS_LOOP_SECONDS": "30",
        "PREFECT_SERVER_SERVICES_PAUSE_EXPIRATIONS_LOOP_SECONDS": "60",
        "PREFECT_SERVER_SERVICES_REPOSSESSOR_LOOP_SECONDS": "15",
        "PREFECT_SERVER_SERVICES_CLEANUP_RECONCILER_LOOP_SECONDS": "30",
        "PREFECT_SERVER_SERVICES_SCHEDULER_RECENT_DEPLOYMENTS_LOOP_SECONDS": "15",
        "PREFECT_SERVER_SERVICES_FOREMAN_LOOP_SECONDS": "30",
        "PREFECT_UI_API_URL": "/api",
    }


def worker(settings: Settings, service: str) -> dict[str, str]:
    """Return what the worker of a service gets on top of `base`."""
    return {
        "PREFECT_WORKER_WEBSERVER_HOST": settings.web.bind,
        "PREFECT_WORKER_WEBSERVER_PORT": str(settings.web.service(service)),
        "PREFECT_WORKER_QUERY_SECONDS": str(QUERY_SECONDS),
        "PREFECT_WORKER_PREFETCH_SECONDS": "10",
        "PREFECT_WORKER_HEARTBEAT_SECONDS": "30",
    }
