"""Which servers exist already and are used, and which are run here."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from deployments.stack import probes
from trading.errors import ConfigurationError, UnavailableError

if TYPE_CHECKING:
    from trading.config import Settings

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0"})  # noqa: S104 - recognised, not bound


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Addresses of the three servers, and for each whether the stack runs it."""

    runs_postgres: bool
    postgres_host: str
    postgres_port: int
    runs_redis: bool
    redis_port: int
    runs_prefect: bool
    prefect_url: str

    @property
    def prefect_port(self) -> int:
        """Port of the Prefect API."""
        parts = urlsplit(self.prefect_url)
        return parts.port or (443 if parts.scheme == "https" else 80)

    def postgres_url(self, settings: Settings) -> str:
        """Return the address of the trading database, with its password in clear."""
        login = ":".join(
            quote(text, safe="") for text in (settings.postgres.user, settings.postgres.password.get_secret_value())
        )
        name = quote(settings.postgres.trading_db, safe="")
        return f"postgresql://{login}@{self.postgres_host}:{self.postgres_port}/{name}"

    def redis_url(self, settings: Settings, database: int = 0) -> str:
        """Return the address of one database of the Redis in use, with its password in clear."""
        if not self.runs_redis:
            return settings.redis.url(database)
        secret = quote(settings.redis.password.get_secret_value(), safe="")
        return f"redis://:{secret}@127.0.0.1:{self.redis_port}/{database}"


def find(settings: Settings) -> Endpoints:
    """Look which configured servers answer.

    A configured server that answers is used. A loopback address where nothing listens is run here.

    Raises
    ------
    UnavailableError
        A configured server elsewhere does not answer.
    ConfigurationError
        It answers and refuses the login.
    """
    runs_postgres, host, port = _postgres(settings)
    runs_redis, redis_port = _redis(settings)
    runs_prefect, url = _prefect(settings)
    return Endpoints(runs_postgres, host, port, runs_redis, redis_port, runs_prefect, url)


def _ours(variable: str, host: str, port: int) -> bool:
    """Tell whether we run the server of this address: loopback, and nothing there."""
    if probes.listens(host, port, timeout=3.0):
        return False
    if host in LOOPBACK:
        return True
    raise UnavailableError(
        f"{variable}: nothing answers at {host}:{port}; start that server, or unset {variable} to run one here"
    )


def _postgres(settings: Settings) -> tuple[bool, str, int]:
    given = settings.postgres
    if given.host is None or _ours("POSTGRES_HOST", given.host, given.port):
        return True, "127.0.0.1", given.port
    problem = probes.postgres_login(
        given.host, given.port, given.user, given.password.get_secret_value(), given.trading_db
    )
    if problem and "does not exist" in problem and given.trading_db in problem:
        problem = probes.postgres_login(given.host, given.port, given.user, given.password.get_secret_value())
    if problem and not any(word in problem for word in ("authentication", "password", "role ")):
        raise UnavailableError(
            f"POSTGRES_HOST: {given.host}:{given.port} answers, but not as PostgreSQL should ({problem}); "
            "correct POSTGRES_HOST, or unset it to run one here"
        )
    if problem:
        raise ConfigurationError(
            f"POSTGRES_PASSWORD: PostgreSQL at {given.host}:{given.port} refuses user {given.user!r} "
            f"({problem}); set POSTGRES_USER and POSTGRES_PASSWORD, or unset POSTGRES_HOST to run one here"
        )
    return False, given.host, given.port


def _redis(settings: Settings) -> tuple[bool, int]:
    given = settings.redis
    if given.embedded:
        return True, given.port
    parts = urlsplit(given.url())
    host, port = parts.hostname or "127.0.0.1", parts.port or 6379
    variable = "REDIS_URL" if given.external_url else "REDIS_HOST"
    if _ours(variable, host, port):
        return True, port
    problem = probes.redis_login(given.url())
    if problem:
        raise ConfigurationError(
            f"{variable}: Redis at {host}:{port} refuses the login ({problem}); "
            f"set REDIS_PASSWORD or correct {variable}, or unset it to run one here"
        )
    return False, port


def authorization(settings: Settings) -> dict[str, str]:
    """Return the header that the Prefect API asks for."""
    auth = settings.prefect.auth.get_secret_value()
    return {"Authorization": f"Basic {base64.b64encode(auth.encode()).decode()}"} if auth else {}


def _prefect(settings: Settings) -> tuple[bool, str]:
    given = settings.prefect
    if given.api_url is None:
        return True, f"http://127.0.0.1:{given.port}/api"
    parts = urlsplit(given.api_url)
    if not parts.hostname or parts.scheme not in {"http", "https"}:
        raise ConfigurationError(f"PREFECT_API_URL: {given.api_url!r} is no address; expected http://HOST:PORT/api")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if _ours("PREFECT_API_URL", parts.hostname, port):
        return True, f"http://127.0.0.1:{port}/api"
    try:
        status, _ = probes.http_get(f"{given.api_url}/admin/version", authorization(settings), timeout=10)
    except OSError as error:
        raise UnavailableError(
            f"PREFECT_API_URL: no Prefect server answers at {given.api_url} ({error}); correct or unset it"
        ) from None
    if status in {401, 403}:
        raise ConfigurationError(
            f"PREFECT_API_AUTH_STRING: the Prefect server at {given.api_url} refuses it; set user:password"
        )
    if status != 200:  # noqa: PLR2004 - HTTP's OK
        raise ConfigurationError(
            f"PREFECT_API_URL: {given.api_url} answers {status}, so it is no Prefect API; it ends in /api"
        )
    return False, given.api_url
