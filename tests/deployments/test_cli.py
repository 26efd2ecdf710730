from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from trading.config import SECTIONS

if TYPE_CHECKING:
    from pathlib import Path

COMMANDS = ("start", "stop", "status", "verify", "demo", "config")


def trading(home: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    ours = {str(field.alias) for kind in SECTIONS.values() for field in kind.model_fields.values()}
    clean = {name: value for name, value in os.environ.items() if name not in ours}
    return subprocess.run(
        [sys.executable, "-m", "deployments.cli", *arguments],
        env={**clean, "TRADING_HOME": str(home), "COLUMNS": "200", "PREFECT_HOME": str(home / "prefect"), **variables},
        cwd=home,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_help_teaches_and_is_quick(tmp_path: Path) -> None:
    began = time.process_time(), os.times().children_user
    answer = trading(tmp_path, "--help")
    assert answer.returncode == 0
    assert all(command in answer.stdout for command in COMMANDS)
    assert "trading demo" in answer.stdout
    assert os.times().children_user - began[1] < 3.0


@pytest.mark.parametrize("arguments", [("nonsense",), ("start", "--nonsense"), ("demo", "--sessions", "0")])
def test_a_usage_error_is_exit_code_2(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    answer = trading(tmp_path, *arguments)
    assert answer.returncode == 2
    assert "Traceback" not in answer.stderr


def test_config_shows_every_setting_and_no_secret(tmp_path: Path) -> None:
    answer = trading(tmp_path, "config", "--json", POSTGRES_PASSWORD="hush", REDIS_URL="redis://:hush@localhost:1/0")
    rows = {row["variable"]: row for row in json.loads(answer.stdout)}
    assert rows["TRADING_HOME"]["value"] == str(tmp_path)
    assert rows["POSTGRES_PORT"]["value"] == "5432"
    assert "hush" not in answer.stdout
    assert all(row["meaning"] for row in rows.values())


def test_a_bad_setting_is_one_line_and_exit_code_1(tmp_path: Path) -> None:
    answer = trading(tmp_path, "config", POSTGRES_PORT="many")
    assert answer.returncode == 1
    assert answer.stderr.startswith("POSTGRES_PORT: ")
    assert len(answer.stderr.strip().splitlines()) == 1


def test_a_stack_that_does_not_run_is_said_so(tmp_path: Path) -> None:
    status = trading(tmp_path, "status")
    assert status.returncode == 1
    assert "not running" in status.stdout
    assert json.loads(trading(tmp_path, "status", "--json").stdout)["alive"] is False
    stopped = trading(tmp_path, "stop")
    assert stopped.returncode == 0
    assert "nothing was running" in stopped.stdout


def test_a_demonstration_refuses_a_real_account(tmp_path: Path) -> None:
    answer = trading(tmp_path, "demo", ALPACA_API_KEY="PK1", ALPACA_SECRET_KEY="s")
    assert answer.returncode == 1
    assert answer.stderr.startswith("ALPACA_API_KEY: ")
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize("detach", [("--detach",), ()])
def test_a_start_that_cannot_succeed_starts_nothing(tmp_path: Path, detach: tuple[str, ...]) -> None:
    answer = trading(tmp_path, "start", *detach, POSTGRES_HOST="db.invalid")
    assert answer.returncode == 1
    assert "POSTGRES_HOST: nothing answers at db.invalid:5432" in answer.stderr
    assert "Traceback" not in answer.stderr + answer.stdout
    assert not (tmp_path / "secrets.env").exists()
    assert not (tmp_path / "postgres").exists()
