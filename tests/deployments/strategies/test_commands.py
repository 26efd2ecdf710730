from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING

import pytest

from db.repositories import checks, strategies
from deployments.cli import app
from trading.bars import to_panel
from trading.signals import Undecided, decide
from trading.strategies import ACTIVE, SHIPPED, from_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from typer.testing import Result

    from tests.deployments.data.conftest import Data

MINE = "name: mine\nrule:\n  kind: conditions\n  entry: close > sma(close, 20)\n"


@pytest.fixture
def run(data: Data) -> Callable[..., Result]:
    def command(*words: str, given: str | None = None) -> Result:
        return data.runner.invoke(app, list(words), env={"COLUMNS": "160"}, input=given)

    return command


def test_only_the_first_two_trade_from_the_start(run: Callable[..., Result]) -> None:
    rows = json.loads(run("strategy", "list", "--json").stdout)
    assert {row["strategy"] for row in rows} == set(SHIPPED)
    assert {row["strategy"] for row in rows if row["status"] == "active"} == ACTIVE


def test_a_strategy_is_written_changed_compared_and_activated(run: Callable[..., Result], tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(MINE, encoding="utf-8")
    assert "is new, and paused" in run("strategy", "add", str(file)).output
    assert run("strategy", "show", "mine").stdout == MINE
    answer = run("strategy", "add", "-", given=MINE.replace("20", "30"))
    assert 'rule.entry: "close > sma(close, 20)" -> "close > sma(close, 30)"' in answer.output
    assert "close > sma(close, 20)" in run("strategy", "diff", "mine").output
    answer = run("strategy", "activate", "mine", "--anyway", "--reason", "a trial on paper")
    assert answer.output == "mine is active\n"
    rows = json.loads(run("strategy", "show", "mine", "--history", "--json").stdout)
    assert [row["did"] for row in rows] == ["strategy.status", "strategy.defined", "strategy.defined"]
    assert all(row["by"] for row in rows)


def checked(data: Data, version: str, verdict: str, *, symbols: list[str] | None = None) -> None:
    row = {
        "strategy": "mine", "strategy_version": version, "symbols": symbols, "range_start": date(2012, 1, 3),
        "range_end": date(2012, 12, 31), "bars_sha256": "0" * 64, "verdict": verdict, "actor": "test",
        "checks": [{"name": "costs", "verdict": verdict, "figure": 0.1, "sentence": "It costs."}],
    }  # fmt: skip
    with data.engine.begin() as connection:
        checks.record(connection, row)


def test_a_strategy_trades_only_after_a_check_of_its_version_that_did_not_fail(
    run: Callable[..., Result], data: Data
) -> None:
    version = from_text(MINE).version
    run("strategy", "add", "-", given=MINE)

    def answer(*words: str) -> str:
        found = run("strategy", "activate", "mine", *words)
        assert "Traceback" not in found.output
        return " ".join(found.output.split())

    assert f"mine {version} was never checked; run `trading check mine`" in answer()
    checked(data, version, "pass", symbols=["AAPL"])
    assert "was never checked" in answer(), "a check over other symbols is of another question"
    checked(data, version, "fail")
    assert f"mine {version} failed its last check (costs)" in answer()
    assert data.rows("SELECT status FROM strategy_engine.strategies WHERE name = 'mine'") == [("paused",)]
    checked(data, version, "warn")
    assert answer() == "mine is active"
    checked(data, version, "fail")
    assert answer() == "mine is active", "what trades already is not stopped by asking again"


def test_a_new_version_of_a_strategy_that_trades_waits_for_its_own_check(
    run: Callable[..., Result], data: Data
) -> None:
    run("strategy", "add", "-", given=MINE)
    old, new = from_text(MINE).version, from_text(MINE.replace("20", "30")).version
    checked(data, old, "pass")
    run("strategy", "activate", "mine")
    status = "SELECT current_version, status FROM strategy_engine.strategies WHERE name = 'mine'"

    answer = run("strategy", "add", "-", given=MINE.replace("20", "30"))

    assert "it is paused: `trading check mine`" in " ".join(answer.output.split())
    assert data.rows(status) == [(new, "paused")]
    checked(data, new, "pass")
    run("strategy", "activate", "mine")
    assert "paused" not in run("strategy", "add", "-", given=MINE).output
    assert data.rows(status) == [(old, "active")], "the version before was checked"


def test_a_check_is_overruled_with_a_reason_that_is_kept(run: Callable[..., Result]) -> None:
    run("strategy", "add", "-", given=MINE)
    for words in (["--anyway"], ["--reason", "why not"], ["--anyway", "--reason", "  "]):
        answer = run("strategy", "activate", "mine", *words)
        assert answer.exit_code != 0
        assert "Traceback" not in answer.output
    run("strategy", "activate", "mine", "--anyway", "--reason", "a trial on paper")

    last, *_ = json.loads(run("strategy", "show", "mine", "--history", "--json").stdout)
    assert last["what"] == "anyway a trial on paper, status active"
    assert last["by"]


def test_what_trades_from_the_start_says_that_it_was_not_checked(run: Callable[..., Result]) -> None:
    rows = json.loads(run("strategy", "show", "sma_crossover", "--history", "--json").stdout)
    assert [(row["by"], row["what"]) for row in rows] == [
        ("system", "anyway shipped for the demonstration, not checked, status active")
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (MINE.replace("sma", "smaa"), "entry: column 9: unknown function 'smaa'; did you mean sma?"),
        (MINE.replace("close >", "close.x >"), "a dot is not part of the language"),
        (MINE + "universe: [NONE]\n", "unknown symbol 'NONE'"),
        ("name: mine\nrule: {kind: plugin, plugin: nowhere}\n", "unknown strategy plug-in 'nowhere'"),
        ("name: [", "expected YAML"),
    ],
)
def test_a_definition_that_is_wrong_is_one_line_and_stores_nothing(
    text: str, words: str, run: Callable[..., Result], data: Data
) -> None:
    data.plant_sessions("AAPL", date(2012, 1, 3), date(2012, 1, 10))
    answer = run("strategy", "add", "-", given=text)
    assert answer.exit_code == 1
    assert words in " ".join(answer.output.split())
    assert "Traceback" not in answer.output
    assert data.rows("SELECT count(*) FROM strategy_engine.strategies WHERE name = 'mine'") == [(0,)]


def test_what_does_not_exist_is_said_in_one_line(run: Callable[..., Result]) -> None:
    assert "did you mean 'sma_crossover'" in run("strategy", "show", "sma_crosover").output
    assert "has one version only" in run("strategy", "diff", "pairs").output
    assert "unknown version of pairs" in " ".join(run("strategy", "show", "pairs", "--version", "zz").output.split())
    assert "there is no signal 7" in run("explain", "7").output


def test_a_signal_is_explained_with_its_figures(run: Callable[..., Result], data: Data) -> None:
    import pandas as pd

    from trading.calendar import bar_timestamp, sessions

    strategy = SHIPPED["sma_crossover"]
    days = sessions(date(2012, 1, 3), date(2012, 4, 30))
    close = [100.0 + at for at in range(len(days))]
    stamps = pd.DatetimeIndex([bar_timestamp(day) for day in days])
    frame = pd.DataFrame({"symbol": "AAPL", "ts": stamps, **dict.fromkeys(("open", "high", "low", "close"), close)})
    panel = to_panel(frame.assign(volume=1e6))
    signals, _ = decide(strategy, panel)
    shared = {"strategy_version": strategy.version, "timeframe": "1Day", "flow_run_id": None}
    bar = {"bar_ts": panel.last_timestamp}
    run_row: dict[str, object] = {**shared, **bar, "bars_sha256": panel.fingerprint(), "undecided": {}}
    with data.engine.begin() as connection:
        strategies.save(connection, strategy, by="test")
        nothing = Undecided("AAPL", "the bar is missing")
        strategies.record_run(connection, {**run_row, "undecided": {nothing.symbol: nothing.reason}}, [])
        assert not strategies.evaluated(connection, version=strategy.version, **bar)
        from dataclasses import asdict

        rows = [{**shared, "strategy": strategy.name, **asdict(signal)} for signal in signals]
        for new in (1, 0):
            assert strategies.record_run(connection, run_row, rows)[1] == new
        assert strategies.evaluated(connection, version=strategy.version, **bar)
    assert data.rows("SELECT undecided FROM strategy_engine.strategy_runs") == [({},)]
    identity = data.rows("SELECT id FROM strategy_engine.signals")[0][0]
    answer = run("explain", str(identity))
    assert signals[0].reason in " ".join(answer.output.split())
    assert f"sma_crossover {strategy.version}" in answer.output
    document = json.loads(run("explain", str(identity), "--json").stdout)
    assert document["values"]["fast"] == signals[0].values["fast"]  # noqa: PD011 - a signal's figures
