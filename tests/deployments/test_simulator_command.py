from __future__ import annotations

from typing import TYPE_CHECKING

from typer.testing import CliRunner

from deployments.cli import app

if TYPE_CHECKING:
    import pytest


def test_the_simulators_own_help_is_shown() -> None:
    result = CliRunner().invoke(app, ["simulator", "--help"])
    assert result.exit_code == 0
    assert "--pace FACTOR" in result.output


def test_options_reach_the_simulator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMULATOR_API_KEY", "")
    result = CliRunner().invoke(app, ["simulator", "--port", "0"])
    assert result.exit_code == 2
    assert "SIMULATOR_API_KEY and SIMULATOR_SECRET_KEY are not both set" in result.output
