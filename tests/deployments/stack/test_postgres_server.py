from __future__ import annotations

import os
import stat
import sys
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from deployments.stack import accounts, probes
from deployments.stack.component import Account
from deployments.stack.postgres_server import Server, create_databases
from tests.deployments.stack.running import kill_hard, running
from trading.config import Settings
from trading.errors import UnavailableError


def connect(settings: Settings, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(
        host="127.0.0.1",
        port=settings.postgres.port,
        user=settings.postgres.user,
        password=settings.postgres.password.get_secret_value(),
        dbname=database,
        autocommit=True,
    )


def test_the_server_asks_for_the_password_and_survives_a_power_cut(settings: Settings, base: dict[str, str]) -> None:
    server = Server(settings, settings.postgres.port, base)
    component = server.component()
    with running(component, settings.home) as process:
        assert create_databases(settings, "127.0.0.1", settings.postgres.port, ("one", "two")) == "created one, two"
        assert create_databases(settings, "127.0.0.1", settings.postgres.port, ("one", "two")) == "present"
        with connect(settings, "one") as connection:
            connection.execute("CREATE EXTENSION pg_trgm")
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
            assert connection.execute("SHOW fsync").fetchone() == ("on",)
        refusal = probes.postgres_login("127.0.0.1", settings.postgres.port, "postgres", "wrong")
        assert refusal is not None
        assert "password authentication failed" in refusal
        assert "trust" not in (server.data / "pg_hba.conf").read_text().replace("# ", "").split("TYPE")[-1]
        kill_hard(process)
    with running(component, settings.home), connect(settings, "one") as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_a_changed_password_is_followed(
    settings: Settings, base: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(Server(settings, settings.postgres.port, base).component(), settings.home):
        pass
    monkeypatch.setenv("POSTGRES_PASSWORD", 'it\'s "new"')
    changed = Settings.load(settings.home)
    with (
        running(Server(changed, changed.postgres.port, base).component(), settings.home),
        connect(changed) as connection,
    ):
        assert connection.execute("SELECT current_user").fetchone() == ("postgres",)


def test_a_stale_pid_file_of_a_reused_process_id_is_removed(settings: Settings, base: dict[str, str]) -> None:
    server = Server(settings, settings.postgres.port, base)
    server.prepare()
    stale = server.data / "postmaster.pid"
    stale.write_text(f"{os.getpid()}\n{server.data}\n")
    with running(server.component(), settings.home), connect(settings) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_the_password_is_on_no_command_line(settings: Settings, base: dict[str, str]) -> None:
    component = Server(settings, settings.postgres.port, base).component()
    secret = settings.postgres.password.get_secret_value()
    assert not any(secret in part for part in component.command)
    assert secret not in repr(component)


def test_databases_of_a_server_that_is_gone_are_one_line(settings: Settings) -> None:
    with pytest.raises(UnavailableError, match="cannot create the databases") as caught:
        create_databases(settings, "127.0.0.1", settings.postgres.port, ("one",))
    assert "\n" not in str(caught.value)


posix = pytest.mark.skipif(sys.platform == "win32", reason="accounts and modes are POSIX")


@posix
def test_a_private_directory_on_the_way_is_not_reachable(home: Path) -> None:
    stranger = Account("stranger", 54321, 54321)
    inner = home / "private" / "inner"
    inner.mkdir(parents=True)
    assert accounts.reachable(inner, stranger)
    (home / "private").chmod(0o700)
    assert not accounts.reachable(inner, stranger)
    assert accounts.database_directory(inner, stranger).parent == Path("/var/lib/trading-system")
    assert stat.S_IMODE((home / "private").stat().st_mode) == 0o700


@posix
def test_the_owner_and_the_group_are_judged_by_their_own_bits(home: Path) -> None:
    (home / "mine").mkdir()
    facts = (home / "mine").stat()
    owner = Account("owner", facts.st_uid, 54321)
    (home / "mine").chmod(0o077)
    assert not accounts.reachable(home / "mine", owner)
    if facts.st_uid == 0:
        assert accounts.reachable(home / "mine", replace(owner, uid=54321, gid=facts.st_gid))


def test_without_another_account_the_data_is_in_the_home(home: Path) -> None:
    assert accounts.database_directory(home, None) == home / "postgres"
