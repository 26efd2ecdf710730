from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from deployments.stack import endpoints, environment, plan, redis_server
from deployments.stack.component import Component
from deployments.stack.credentials import ensure_secrets
from deployments.stack.postgres_server import Server
from tests.deployments.stack.running import running
from tests.ports import free_port
from trading.config import Settings
from trading.errors import ConfigurationError, UnavailableError

if TYPE_CHECKING:
    from pathlib import Path


def test_without_configuration_everything_is_run_here(settings: Settings) -> None:
    found = endpoints.find(settings)
    assert (found.runs_postgres, found.runs_redis, found.runs_prefect) == (True, True, True)
    assert found.prefect_url == f"http://127.0.0.1:{settings.prefect.port}/api"


def test_the_variables_of_the_mission_document_run_everything_here(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    postgres, redis, prefect = free_port(), free_port(), free_port()
    given = {
        "POSTGRES_HOST": "localhost",
        "POSTGRES_PORT": str(postgres),
        "POSTGRES_PASSWORD": "your_password_here",
        "REDIS_HOST": "localhost",
        "REDIS_PORT": str(redis),
        "REDIS_URL": f"redis://localhost:{redis}/0",
        "PREFECT_API_URL": f"http://localhost:{prefect}/api",
        "PREFECT_API_DATABASE_CONNECTION_URL": f"postgresql+asyncpg://postgres:password@localhost:{postgres}/prefect",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    settings = ensure_secrets(home)
    found = endpoints.find(settings)
    assert (found.runs_postgres, found.runs_redis, found.runs_prefect) == (True, True, True)
    assert (found.postgres_port, found.redis_port, found.prefect_port) == (postgres, redis, prefect)
    name, url = environment.prefect_database(settings, found)
    assert (name, url) == (
        "prefect",
        f"postgresql+asyncpg://postgres:your_password_here@127.0.0.1:{postgres}/prefect",
    )
    handed_on = environment.own_variables(settings, found)
    secret = settings.redis.password.get_secret_value()
    assert secret
    assert handed_on["REDIS_URL"] == f"redis://:{secret}@127.0.0.1:{redis}/0"


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"POSTGRES_HOST": "db.invalid"}, "POSTGRES_HOST: nothing answers at db.invalid:"),
        ({"REDIS_URL": "redis://db.invalid:6379/0"}, "REDIS_URL: nothing answers at db.invalid:6379"),
        ({"PREFECT_API_URL": "http://db.invalid/api"}, "PREFECT_API_URL: nothing answers at db.invalid:80"),
        ({"PREFECT_API_URL": "nonsense"}, "PREFECT_API_URL: 'nonsense' is no address"),
    ],
)
def test_a_server_elsewhere_that_does_not_answer_is_one_line(
    settings: Settings, variables: dict[str, str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises((UnavailableError, ConfigurationError)) as caught:
        endpoints.find(Settings.load(settings.home))
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_servers_that_answer_are_used_and_wrong_passwords_refused(
    settings: Settings, base: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    postgres = Server(settings, settings.postgres.port, base).component()
    redis = redis_server.component(settings, settings.redis.port, base)
    monkeypatch.setenv("POSTGRES_HOST", "127.0.0.1")
    monkeypatch.setenv("REDIS_HOST", "127.0.0.1")
    with running(postgres, settings.home), running(redis, settings.home):
        found = endpoints.find(Settings.load(settings.home))
        assert (found.runs_postgres, found.runs_redis) == (False, False)
        made = plan.make(settings.home)
        names = {unit.name for unit in made.units}
        assert {"postgres", "redis"} & names == set()
        assert all(set(unit.needs) <= names for unit in made.units)
        monkeypatch.setenv("POSTGRES_PASSWORD", "wrong")
        with pytest.raises(ConfigurationError, match=r"POSTGRES_PASSWORD: .* refuses user 'postgres'"):
            endpoints.find(Settings.load(settings.home))
        monkeypatch.delenv("POSTGRES_PASSWORD")
        monkeypatch.setenv("REDIS_PASSWORD", "wrong")
        with pytest.raises(ConfigurationError, match=r"REDIS_HOST: .* refuses the login"):
            endpoints.find(Settings.load(settings.home))


def test_two_homes_share_no_secret_and_no_marker(home: Path, tmp_path: Path) -> None:
    first, second = ensure_secrets(home), ensure_secrets(tmp_path)
    assert first.postgres.password != second.postgres.password
    assert environment.marker(home) != environment.marker(tmp_path)


def test_the_whole_plan_is_connected_and_secret_free_on_command_lines(settings: Settings) -> None:
    made = plan.make(settings.home)
    names = [unit.name for unit in made.units]
    assert len(names) == len(set(names))
    for unit in made.units:
        assert set(unit.needs) <= set(names)
        if isinstance(unit, Component):
            assert set(unit.uses) <= set(names)
    secrets = [
        settings.postgres.password,
        settings.redis.password,
        settings.prefect.auth,
        settings.simulator.secret_key,
        settings.web.token,
    ]
    words = [word for unit in made.units for word in unit.command]
    encoded = base64.b64encode(settings.prefect.auth.get_secret_value().encode()).decode()
    assert not any(secret.get_secret_value() in word for secret in secrets for word in words)
    assert not any(secret.get_secret_value() in repr(made) for secret in secrets)
    assert encoded not in repr(made)


def test_the_prefect_server_runs_on_our_postgres_and_redis_with_a_login(settings: Settings) -> None:
    found = endpoints.find(settings)
    values = environment.prefect_server(settings, found)
    assert values["PREFECT_SERVER_API_AUTH_STRING"] == settings.prefect.auth.get_secret_value()
    assert values["PREFECT_SERVER_DATABASE_CONNECTION_URL"].endswith(f"@127.0.0.1:{settings.postgres.port}/prefect")
    assert values["PREFECT_REDIS_MESSAGING_URL"].endswith(f"@127.0.0.1:{settings.redis.port}/14")
    assert values["PREFECT_SERVER_DOCKET_URL"].endswith(f"@127.0.0.1:{settings.redis.port}/15")
    assert environment.base(settings, found)["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
