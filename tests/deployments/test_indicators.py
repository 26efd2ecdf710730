from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from deployments.cli import app
from trading.indicators import CATALOGUE


def answer(*words: str) -> str:
    found = CliRunner().invoke(app, ["indicators", *words], env={"COLUMNS": "160"})
    assert found.exit_code == 0
    return found.stdout


def test_every_indicator_is_listed_with_what_a_reader_needs() -> None:
    entries = {entry["name"]: entry for entry in json.loads(answer("--json"))}
    assert set(entries) == set(CATALOGUE)
    for entry in entries.values():
        assert entry["name"] in entry["outputs"]
        assert entry["source"].startswith(("numba kernel", "pandas-ta "))
        assert entry["warm_up"] >= 1
        assert all(one["least"] <= one["default"] <= one["most"] for one in entry["parameters"])
    table = answer()
    assert len(table.splitlines()) > len(CATALOGUE)
    assert "supertrend_direction" in table


def test_one_indicator_is_shown_in_full() -> None:
    assert answer("supertrend").splitlines() == [
        "name         supertrend",
        "description  Trailing line at a multiple of Wilder's ATR from the middle of the bar (Seban).",
        "parameters   length 7 (whole, 2 to 1000); multiplier 3 (0.1 to 10)",
        "inputs       high, low, close",
        "outputs      supertrend, supertrend_direction",
        "warm-up      8 bars",
        "memory       1710 bars",
        "settles      as a rule when its memory is over; no bound can be proved",
        "source       pandas-ta supertrend",
    ]
    assert json.loads(answer("sma", "--json"))["settles"] == "with its first value"
    assert json.loads(answer("ema", "--json"))["settles"] == "to 1e-9 when its memory is over"
    assert json.loads(answer("obv", "--json"))["memory"] is None


@pytest.mark.parametrize("word", ["supertrnd", "smaa", ""])
def test_an_unknown_indicator_is_one_line_with_a_suggestion(word: str) -> None:
    found = CliRunner().invoke(app, ["indicators", word])
    assert found.exit_code == 1
    assert found.stderr.startswith(f"unknown indicator {word!r}; ")
    assert found.stderr.count("\n") == 1
