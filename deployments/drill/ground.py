"""What a drill stands on: a PostgreSQL, a Redis and a simulator of its own, in a directory that is removed again."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from db.engine import make_engine
from deployments.drill.places import Places, leave
from deployments.drill.servers import Server, free_ports
from deployments.drill.simulated import Simulator
from deployments.stack import accounts, environment, migrations, redis_server, services, shutdown
from deployments.stack.endpoints import Endpoints
from deployments.stack.places import log_file, make_home
from deployments.stack.postgres_server import Server as Postgres
from deployments.stack.postgres_server import create_databases
from deployments.stack.processes import Identity
from trading.config import SECTIONS, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sqlalchemy import Engine

    from deployments.stack.component import Component

PREFIX = "trading-drill-"
OWNER = "owner.json"
TEMPLATE = "template"
"""The database at the newest migration, without rows, that others are copies of."""
NO_LIMIT = "100000000"
NOBODY = 9
"""The port of the discard service: nothing of the drill is a Prefect server."""

_numbers = count(1)


@dataclass(frozen=True)
class Ground:
    """The servers, by name, and what works on them; `engine` is the drill's own view of the books."""

    places: Places
    engine: Engine
    servers: Mapping[str, Server] = field(default_factory=dict)

    @property
    def simulator(self) -> Simulator:
        """The broker's stand-in."""
        return Simulator(self.places)

    def begin(self) -> None:
        """Make this process part of the system, with a new account and no fault armed."""
        self.places.take()
        self.simulator.begin()

    def recover(self) -> None:
        """After an exercise that broke off: take the places again, disarm every fault, start what it stopped."""
        for server in self.servers.values():
            if not server.runs:
                server.start()
        self.places.take()
        self.simulator.disarm()

    @contextmanager
    def fresh(self) -> Iterator[Ground]:
        """Yield the same on a new database, with a new account; this ground is taken again afterwards."""
        name = f"fresh_{next(_numbers)}"
        with _maintenance(self.places) as execute:
            execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        url = self.engine.url.set(database=name)
        places = replace(self.places, database=url.render_as_string(hide_password=False))
        engine = make_engine(url)
        try:
            other = replace(self, places=places, engine=engine)
            other.begin()
            yield other
        finally:
            engine.dispose()
            self.places.take()
            with _maintenance(self.places) as execute:
                execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def open_ground(on_step: Callable[[str], None] = lambda _: None) -> Iterator[Ground]:
    """Start everything on free ports, yield it, and leave nothing behind.

    `on_step` is told what is being waited for. The user's stack, its directory and its settings are not looked at.

    Raises
    ------
    ServerError, UnavailableError
        A server does not come up.
    """
    _clear_away()
    with ExitStack() as stack:
        home = Path(tempfile.mkdtemp(prefix=PREFIX)).resolve()
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        stack.callback(shutdown.sweep, environment.marker(home))
        _own(home)
        settings = _settings(home, *free_ports(3))
        servers = {}
        for component in _components(settings):
            on_step(component.name)
            servers[component.name] = server = Server(component, log_file(home, component.name))
            stack.callback(server.stop)
            server.start()
        on_step("the database")
        names = ("drill", TEMPLATE)
        create_databases(settings, "127.0.0.1", settings.postgres.port, (TEMPLATE,))
        _migrate(settings.postgres.url(TEMPLATE))
        places = _places(settings, names[0], with_redis="redis" in servers)
        with _maintenance(places) as execute:
            execute(f"CREATE DATABASE {names[0]} TEMPLATE {TEMPLATE}")
        engine = make_engine(places.database)
        stack.callback(engine.dispose)
        places.take()
        stack.callback(leave)
        yield Ground(places, engine, servers)


def _own(home: Path) -> None:
    """Make the directory ours: root's PostgreSQL may pass it, and a later drill knows when we are gone."""
    if accounts.unprivileged() is not None:
        home.chmod(0o755)
    make_home(home)
    me = Identity.of(os.getpid())
    (home / OWNER).write_text(json.dumps(asdict(me) if me else {}), encoding="utf-8")


def _clear_away() -> None:
    """End what a drill that was killed has left running, and remove its directory."""
    for home in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            owner = Identity(**json.loads((home / OWNER).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            continue  # it is being made or taken away at this moment
        if owner.process() is None:
            shutdown.sweep(environment.marker(home))
            shutil.rmtree(home, ignore_errors=True)


def _settings(home: Path, postgres: int, redis: int, simulator: int) -> Settings:
    """Return settings of the drill's own: no server and no key of the user's is in them."""
    chosen: dict[str, dict[str, Any]] = {
        "postgres": {"host": None, "port": postgres, "user": "postgres", "password": _secret()},
        "redis": {"host": None, "external_url": None, "port": redis, "password": _secret()},
        "prefect": {"api_url": None, "port": NOBODY, "auth": SecretStr(""), "database_url": None},
        "alpaca": {"api_key": None, "secret_key": None},
        "simulator": {
            "port": simulator,
            "api_key": SecretStr(f"DRILL{secrets.token_hex(8).upper()}"),
            "secret_key": _secret(),
            "data": None,
            "minutes": None,
            "start": "2012-11-30",
            "cash": 1_000_000.0,
        },
        "web": {"bind": "127.0.0.1", "token": _secret()},
    }
    sections = {name: kind(**chosen.get(name, {})) for name, kind in SECTIONS.items()}
    return Settings(**sections, home=home)


def _secret() -> SecretStr:
    return SecretStr(secrets.token_urlsafe(24))


def _components(settings: Settings) -> list[Component]:
    """Return what is run: as the stack runs it, but with a simulator that refuses no number of requests."""
    port, redis_port = settings.postgres.port, settings.redis.port
    ends = Endpoints(True, "127.0.0.1", port, True, redis_port, False, settings.prefect.url)
    base = environment.base(settings, ends)
    served = services.simulator(settings, base)
    return [
        Postgres(settings, port, base).component(),
        redis_server.component(settings, redis_port, base),
        replace(served, command=(*served.command, "--rate-limit", NO_LIMIT)),
    ]


def _places(settings: Settings, database: str, *, with_redis: bool) -> Places:
    login = settings.simulator
    return Places(
        database=settings.postgres.url(database),
        broker=f"http://127.0.0.1:{login.port}",
        key=login.api_key.get_secret_value(),
        secret=login.secret_key.get_secret_value(),
        redis_port=settings.redis.port if with_redis else 0,
        redis_password=settings.redis.password.get_secret_value(),
    )


def _migrate(url: str) -> None:
    from alembic import command
    from alembic.config import Config

    configuration = Config()
    configuration.set_main_option("script_location", str(migrations.location()).replace("%", "%%"))
    engine = make_engine(url)
    try:
        with engine.begin() as connection:
            configuration.attributes["connection"] = connection
            command.upgrade(configuration, "head")
    finally:
        engine.dispose()


@contextmanager
def _maintenance(places: Places) -> Iterator[Callable[[str], None]]:
    """Yield what runs a statement beside any transaction, on the maintenance database."""
    engine = make_engine(places.database)
    url = engine.url.set(database="postgres")
    engine.dispose()
    with make_engine(url).execution_options(isolation_level="AUTOCOMMIT").connect() as connection:

        def execute(statement: str) -> None:
            connection.exec_driver_sql(statement)

        yield execute
    connection.engine.dispose()
