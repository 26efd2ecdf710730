from __future__ import annotations

import stat
import sys
from typing import TYPE_CHECKING

import pytest
from cryptography.fernet import Fernet

from deployments.stack.credentials import GENERATED, ensure_secrets
from deployments.stack.places import make_home, write_private
from trading.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path


def test_every_secret_is_made_once_and_kept_private(home: Path) -> None:
    first, again = ensure_secrets(home), ensure_secrets(home)
    assert first == again
    text = (home / "secrets.env").read_text()
    assert all(text.count(f"\n{variable}=") == 1 for variable in GENERATED)
    if sys.platform != "win32":
        assert stat.S_IMODE((home / "secrets.env").stat().st_mode) == 0o600
    assert Fernet(first.prefect.encryption_key.get_secret_value().encode()) is not None
    assert ":" in first.prefect.auth.get_secret_value()


def test_what_is_set_already_is_not_generated(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTGRES_PASSWORD", "mine")
    settings = ensure_secrets(home, skip=frozenset({"REDIS_PASSWORD"}))
    assert settings.postgres.password.get_secret_value() == "mine"
    assert not settings.redis.password.get_secret_value()
    assert "POSTGRES_PASSWORD" not in (home / "secrets.env").read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX")
def test_a_private_file_is_private_when_it_replaces_an_open_one(home: Path) -> None:
    target = home / "file"
    target.write_text("old")
    target.chmod(0o644)
    write_private(target, "new")
    assert target.read_text() == "new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert [entry.name for entry in home.iterdir() if entry.name.startswith(".file")] == []


def test_a_state_directory_that_cannot_be_made_is_one_line(home: Path) -> None:
    (home / "file").write_text("")
    with pytest.raises(ConfigurationError, match="TRADING_HOME: cannot write in"):
        make_home(home / "file" / "below")


def test_no_key_is_invented_for_a_database_that_another_key_locked(home: Path) -> None:
    ensure_secrets(home)
    (home / "postgres" / "data").mkdir(parents=True)
    assert ensure_secrets(home).prefect.encryption_key.get_secret_value()
    (home / "secrets.env").unlink()
    with pytest.raises(ConfigurationError, match=r"secrets\.env is gone, but the database .* is in .*postgres"):
        ensure_secrets(home)
    assert not (home / "secrets.env").exists()
