from __future__ import annotations

import stat
import sys
import tomllib
from typing import TYPE_CHECKING

import pytest

from deployments.orchestration.profile_file import profile_name, save
from trading.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

URL, AUTH = "http://127.0.0.1:4200/api", "trading:secret"


def test_an_untouched_prefect_gets_our_profile_as_the_active_one(tmp_path: Path) -> None:
    path = tmp_path / "new" / "profiles.toml"
    assert save(path, "trading", api_url=URL, auth=AUTH) == ""
    content = tomllib.loads(path.read_text())
    assert content == {
        "active": "trading",
        "profiles": {"trading": {"PREFECT_API_URL": URL, "PREFECT_API_AUTH_STRING": AUTH}},
    }
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_profile_of_the_users_own_stays_active(tmp_path: Path) -> None:
    path = tmp_path / "profiles.toml"
    path.write_text('active = "work"\n[profiles.work]\nPREFECT_API_URL = "https://prefect.example/api"\n')
    assert save(path, "trading", api_url=URL, auth=AUTH) == "prefect profile use trading"
    content = tomllib.loads(path.read_text())
    assert content["active"] == "work"
    assert content["profiles"]["work"] == {"PREFECT_API_URL": "https://prefect.example/api"}
    assert content["profiles"]["trading"]["PREFECT_API_AUTH_STRING"] == AUTH


def test_prefects_default_with_a_server_chosen_is_the_users_own(tmp_path: Path) -> None:
    path = tmp_path / "profiles.toml"
    path.write_text('active = "local"\n[profiles.local]\nPREFECT_API_URL = "http://10.0.0.1:4200/api"\n')
    assert save(path, "trading", api_url=URL, auth=AUTH) != ""
    assert tomllib.loads(path.read_text())["active"] == "local"


def test_another_stack_does_not_take_the_profile_over(tmp_path: Path) -> None:
    path = tmp_path / "profiles.toml"
    save(path, "trading", api_url=URL, auth=AUTH)
    assert save(path, "trading-second", api_url="http://127.0.0.1:4300/api", auth=AUTH) != ""
    assert tomllib.loads(path.read_text())["active"] == "trading"
    assert save(path, "trading", api_url="http://127.0.0.1:4400/api", auth="trading:new") == ""
    assert tomllib.loads(path.read_text())["profiles"]["trading"]["PREFECT_API_AUTH_STRING"] == "trading:new"


def test_a_broken_file_is_named_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "profiles.toml"
    path.write_text("active = ")
    with pytest.raises(ConfigurationError, match="is no valid TOML"):
        save(path, "trading", api_url=URL, auth=AUTH)
    assert path.read_text() == "active = "


def test_the_default_home_has_the_short_name(tmp_path: Path) -> None:
    assert profile_name(tmp_path, tmp_path) == "trading"
    assert profile_name(tmp_path / "second", tmp_path) == "trading-second"
