from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from deployments.stack import environment, shutdown
from deployments.stack.places import make_home
from tests.places import passable_directory
from tests.ports import free_port
from trading.config import SECTIONS, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A state directory that every account can enter, no setting in the environment, nothing left behind."""
    for kind in SECTIONS.values():
        for field in kind.model_fields.values():
            monkeypatch.delenv(str(field.alias), raising=False)
    with passable_directory() as place:
        monkeypatch.setenv("TRADING_HOME", str(place))
        monkeypatch.chdir(place)
        make_home(place)
        yield place
        shutdown.sweep(environment.marker(place))
        monkeypatch.undo()


@pytest.fixture
def settings(home: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings with generated secrets and ports of their own."""
    from deployments.stack.credentials import ensure_secrets

    for variable in ("POSTGRES_PORT", "REDIS_PORT", "PREFECT_PORT", "SIMULATOR_PORT"):
        monkeypatch.setenv(variable, str(free_port()))
    return ensure_secrets(home)


@pytest.fixture
def base(home: Path) -> dict[str, str]:
    """The least environment of a child, marked as part of this test's stack."""
    return {"PATH": os.environ["PATH"], "TRADING_STACK": environment.marker(home)}
