from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from deployments.cli import app

if TYPE_CHECKING:
    from pathlib import Path

    from tests.deployments.data.conftest import Data

COMMANDS = ("import", "actions", "export", "gaps", "show", "quality", "restore", "universe")


def trading(*words: str) -> tuple[int, str]:
    answer = CliRunner().invoke(app, list(words), env={"COLUMNS": "160"})
    return answer.exit_code, answer.output


@pytest.mark.parametrize("command", [(), *((name,) for name in COMMANDS), ("universe", "top"), ("universe", "tag")])
def test_help_teaches_with_an_example(command: tuple[str, ...]) -> None:
    code, shown = trading("data", *command, "--help")

    assert code == 0
    assert re.search(r"Example:\s+trading data", shown)


@pytest.mark.parametrize(
    "words",
    [
        ("import",),
        ("import", "x.csv", "--timeframe", "2Day"),
        ("import", "x.csv", "--timezone", "Mars"),
        ("import", "x.csv", "--map", "close"),
        ("import", "x.csv", "--map", "closing=Last"),
        ("import", "x.csv", "--symbol", "no symbol"),
        ("import", "x.csv", "--start", "13.8.2012"),
        ("show", "not a symbol"),
        ("gaps", "--start", "2013-01-01", "--end", "2012-01-01"),
        ("gaps", "--start", "1889-01-01"),
        ("export", "bars.xlsx"),
        ("restore", "2012-01-01"),
        ("universe", "top", "0"),
        ("nonsense",),
    ],
)
def test_a_usage_error_is_exit_code_2_and_no_traceback(unset: pytest.MonkeyPatch, words: tuple[str, ...]) -> None:
    code, shown = trading("data", *words)

    assert code == 2, f"{shown} {unset}"
    assert "Traceback" not in shown


@pytest.mark.parametrize(
    "words",
    [
        ("import", "x.csv"),
        ("export", "x.csv"),
        ("gaps",),
        ("show", "AAPL"),
        ("quality",),
        ("restore", "2012-01-01", "2012-12-31"),
        ("universe", "list"),
        ("universe", "add", "AAPL"),
        ("universe", "top", "5"),
    ],
)
def test_where_nothing_runs_one_line_says_what_to_start(unset: pytest.MonkeyPatch, words: tuple[str, ...]) -> None:
    unset.setenv("POSTGRES_PORT", "9")

    code, shown = trading("data", *words)

    assert (code, shown) == (1, "nothing answers at 127.0.0.1:9; run `trading start`\n")


def test_a_wrong_password_is_not_taken_for_a_server_that_does_not_run(
    data: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSTGRES_PASSWORD", "wrong")

    answer = data.run("gaps")

    assert answer.exit_code == 1
    assert "refuses: " in answer.output
    assert "password authentication failed" in answer.output
    assert len(answer.output.splitlines()) == 1


def test_a_database_without_tables_says_so(data: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADING_DB_NAME", "postgres")

    answer = data.run("gaps")

    assert answer.exit_code == 1
    assert "lacks what this needs" in answer.output
    assert "run `trading start`" in answer.output


@pytest.mark.parametrize("words", [("gaps",), ("show", "AAPL"), ("export", "x.csv"), ("universe", "top", "5")])
def test_where_no_bars_are_stored_one_line_says_how_to_get_some(
    data: Data, tmp_path: Path, words: tuple[str, ...]
) -> None:
    answer = data.run(*words)

    assert answer.exit_code == 1
    assert answer.output == "no 1Day bars are stored; `trading data import` or fetch-market-data brings some\n"
    assert not (tmp_path / "x.csv").exists()
