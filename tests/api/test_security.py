from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
from pydantic import SecretStr

from api.app import create_app
from api.security import token
from trading.config import Settings, Web
from trading.errors import ConfigurationError

if TYPE_CHECKING:
    from fastapi import FastAPI

CLOSED = ["/health", "/metrics", "/logs", "/api/portfolio", "/openapi.json", "/docs", "/nowhere", "/live/", "//live"]


@pytest.mark.parametrize(
    "shown", [None, "", "Bearer", "Bearer wrong", "Bearer token-of-the-test", "Token token-of-the-tests"]
)
def test_nothing_but_liveness_answers_without_the_token(api: httpx.Client, shown: str | None) -> None:
    headers = {} if shown is None else {"Authorization": shown}
    with httpx.Client(base_url=api.base_url, headers=headers) as stranger:
        for path in CLOSED:
            answer = stranger.get(path)
            assert answer.status_code == 401, path
            assert list(answer.json()) == ["error"]
            assert "WWW-Authenticate" in answer.headers


def test_liveness_needs_no_token(api: httpx.Client) -> None:
    assert httpx.get(f"{api.base_url}/live").json() == {"status": "live"}


def test_a_change_without_the_token_is_refused_before_its_body_is_read(api: httpx.Client) -> None:
    answer = httpx.post(f"{api.base_url}/api/risk/state", content=b"{not json")
    assert answer.status_code == 401


def test_a_browser_may_show_the_token_as_a_password_for_the_documentation_only(api: httpx.Client) -> None:
    login = ("anyone", "token-of-the-tests")
    assert httpx.get(f"{api.base_url}/docs", auth=login).status_code == 200
    assert httpx.get(f"{api.base_url}/docs", auth=("anyone", "wrong")).status_code == 401
    assert httpx.get(f"{api.base_url}/api/portfolio", auth=login).status_code == 401
    assert httpx.get(f"{api.base_url}/docs", headers={"Authorization": "Basic ???"}).status_code == 401


def test_an_api_without_a_token_does_not_start(api: httpx.Client) -> None:
    assert api.get("/live").status_code == 200  # the settings below differ from its own by the token only
    loaded = Settings.load()
    open_to_all = loaded.model_copy(update={"web": Web(token=SecretStr(""))})
    with pytest.raises(ConfigurationError, match="TRADING_API_TOKEN is empty"):
        token(open_to_all)
    with pytest.raises(ConfigurationError):
        _app(open_to_all)


def _app(settings: Settings) -> FastAPI:
    return create_app(settings)


def test_the_token_and_the_passwords_are_masked_among_the_settings(api: httpx.Client) -> None:
    shown = api.get("/api/settings").text
    assert "token-of-the-tests" not in shown
    assert "pass word" not in shown
    assert "TRADING_API_TOKEN" in shown
