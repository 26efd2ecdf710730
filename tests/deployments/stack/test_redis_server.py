from __future__ import annotations

import stat
import sys
from typing import TYPE_CHECKING

import pytest
import redis

from deployments.stack import redis_server
from tests.deployments.stack.running import kill_hard, running

if TYPE_CHECKING:
    from trading.config import Settings

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no Redis wheel for Windows")


def test_the_server_asks_for_the_password_and_keeps_data_through_a_power_cut(
    settings: Settings, base: dict[str, str]
) -> None:
    component = redis_server.component(settings, settings.redis.port, base)
    with running(component, settings.home) as process:
        client = redis.Redis.from_url(settings.redis.url(5))
        client.set("kept", "yes")
        with pytest.raises(redis.AuthenticationError):
            redis.Redis(port=settings.redis.port).ping()
        assert client.config_get("databases") == {"databases": "16"}
        client.waitaof(1, 0, 2000)
        client.close()
        kill_hard(process)
    with running(component, settings.home):
        client = redis.Redis.from_url(settings.redis.url(5))
        assert client.get("kept") == b"yes"
        client.close()


def test_the_password_is_in_a_private_file_only(settings: Settings, base: dict[str, str]) -> None:
    component = redis_server.component(settings, settings.redis.port, base)
    assert component.prepare is not None
    component.prepare()
    secret, config = settings.redis.password.get_secret_value(), settings.home / "redis" / "redis.conf"
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert secret in config.read_text()
    assert not any(secret in part for part in component.command)
    assert secret not in repr(component)


def test_odd_characters_in_directory_and_password_are_quoted(settings: Settings) -> None:
    text = redis_server.configuration(settings.home / 'a "b" c', 6379, 'x\\y"z')
    assert f'dir "{settings.home}/a \\"b\\" c"' in text
    assert 'requirepass "x\\\\y\\"z"' in text
