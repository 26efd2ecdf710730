"""How a command reaches the running system: its database, or all of it."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy.exc import OperationalError, ProgrammingError

from db.engine import make_engine
from deployments.stack import endpoints, journal, probes, processes
from deployments.stack.plan import environment_in_use, settings_in_use
from trading.config import home
from trading.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from trading.config import Settings


@contextmanager
def database() -> Iterator[Connection]:
    """Yield a connection in a transaction that is committed at the end.

    Raises
    ------
    UnavailableError
        Nothing answers, or what answers is not the system's database.
    """
    settings = settings_in_use(home())
    engine = make_engine(settings.postgres.url(settings.postgres.trading_db))
    try:
        with engine.begin() as connection:
            yield connection
    except (OperationalError, ProgrammingError) as error:
        raise _unavailable(settings, error) from None
    finally:
        engine.dispose()


@contextmanager
def system() -> Iterator[None]:
    """Make this process part of the running system, so that its steps find blocks and settings.

    Raises
    ------
    UnavailableError
        The database or the Prefect server does not answer, at the beginning or any time later.
    """
    with database():
        pass
    settings = settings_in_use(home())
    if probes.http_ok(f"{settings.prefect.url}/health", endpoints.authorization(settings)) is not None:
        raise UnavailableError(f"nothing answers at {settings.prefect.url}; run `trading start`")
    _take_environment(settings)
    from tasks import resources

    try:
        resources.database()
    except ValueError as error:
        words = " ".join(str(error).split())
        raise UnavailableError(f"{settings.prefect.url} is not set up ({words}); run `trading start`") from None
    try:
        yield
    except OperationalError as error:
        raise _unavailable(settings, error) from None


def _take_environment(settings: Settings) -> None:
    if journal.read(home()).alive:
        os.environ.update(environment_in_use(home()))
    os.environ["PREFECT_API_URL"] = settings.prefect.url
    if settings.prefect.auth.get_secret_value():
        os.environ["PREFECT_API_AUTH_STRING"] = settings.prefect.auth.get_secret_value()
    os.environ.setdefault("PREFECT_LOGGING_LEVEL", "WARNING")
    os.environ.pop(processes.MARKER, None)


def _unavailable(settings: Settings, error: OperationalError | ProgrammingError) -> UnavailableError:
    chosen = settings.postgres
    place = f"{chosen.address}:{chosen.port}/{chosen.trading_db}"
    words = " ".join(str(error.orig).split())
    if isinstance(error, ProgrammingError):
        return UnavailableError(f"{place} lacks what this needs ({words}); run `trading start`")
    if probes.listens(chosen.address, chosen.port):
        return UnavailableError(f"{place} refuses: {words}; see `trading config`")
    return UnavailableError(f"nothing answers at {chosen.address}:{chosen.port}; run `trading start`")
