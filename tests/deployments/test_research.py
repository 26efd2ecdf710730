"""`trading backtest` and `trading sweep`: their words here, their results on a whole system."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import typer

from deployments.research import parameters_of
from trading.calendar import sessions

if TYPE_CHECKING:
    from tests.stack import Stack


def test_values_are_ranges_or_lists() -> None:
    assert parameters_of(["--fast", "5:20:5", "--max-weight", "0.5,1"]) == {
        "fast": [5, 10, 15, 20],
        "max_weight": [0.5, 1],
    }
    assert parameters_of(["--target_volatility=0.1:0.3:0.1"]) == {"target_volatility": pytest.approx([0.1, 0.2, 0.3])}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "nothing to try"),
        (["--fast"], "give a parameter and its values"),
        (["fast", "5"], "is no option"),
        (["--fast", "a:b:c"], "first:last:step"),
        (["--fast", "5:50"], "first:last:step"),
        (["--fast", "50:5:5"], "last not below first"),
        (["--fast", "5:50:0"], "a step above zero"),
        (["--fast", "0:100000:1"], "at most 1000 values"),
    ],
)
def test_other_words_are_refused(words: list[str], said: str) -> None:
    with pytest.raises(typer.BadParameter, match=said):
        parameters_of(words)


@pytest.fixture
def bars(stack: Stack, tmp_path: Path) -> str:
    """Import a year of a symbol that rises and falls."""
    days = sessions(date(2010, 1, 4), date(2011, 12, 30))
    prices = [20 + (at % 80 if at % 160 < 80 else 80 - at % 80) / 8 for at in range(len(days))]
    rows = [
        f"{day},CMDRES,{price},{price + 1},{price - 1},{price},1000000" for day, price in zip(days, prices, strict=True)
    ]
    path = tmp_path / "bars.csv"
    path.write_text("date,symbol,open,high,low,close,volume\n" + "\n".join(rows) + "\n")
    answer = stack.trading("data", "import", str(path), "--no-check")
    assert answer.returncode == 0, answer.stderr
    return "CMDRES"


def test_a_backtest_gives_figures_trades_and_a_page(stack: Stack, bars: str) -> None:
    words = ("backtest", "sma_crossover", "--symbols", bars, "--start", "2011-01-03", "--end", "2011-12-30")
    answer = stack.trading(*words, "--commission-bps", "10", "--json")
    assert answer.returncode == 0, answer.stderr
    document = json.loads(answer.stdout)
    assert document["figures"]["trades"] == len(document["trades"]) > 0
    assert document["costs"]["commission"] > 0
    page = Path(document["figures"]["page"]).read_text(encoding="utf-8")
    assert "Backtest of sma_crossover" in page
    assert "plotly" in page
    stored = "SELECT count(*) FROM strategy_engine.backtests WHERE id = :id"
    assert stack.scalar(stored, id=document["figures"]["backtest"]) == 1
    shown = stack.trading(*words)
    assert "max_drawdown" in shown.stdout


def test_a_sweep_ranks_every_combination(stack: Stack, bars: str) -> None:
    words = ("sweep", "sma_crossover", "--symbols", bars, "--start", "2011-01-03", "--end", "2011-12-30")
    answer = stack.trading(*words, "--fast", "5:10:5", "--slow", "20,40", "--json")
    assert answer.returncode == 0, answer.stderr
    document = json.loads(answer.stdout)
    assert {(row["fast"], row["slow"]) for row in document["rows"]} == {(5, 20), (5, 40), (10, 20), (10, 40)}
    assert [row["sharpe"] for row in document["rows"]] == sorted(
        (row["sharpe"] for row in document["rows"]), reverse=True
    )


def test_strategies_are_compared_on_equal_terms(stack: Stack, bars: str) -> None:
    words = ("--symbols", bars, "--start", "2011-01-03", "--end", "2011-12-30", "--commission-bps", "10", "--json")
    answer = stack.trading("compare", "sma_crossover", "rsi_reversion", *words)
    assert answer.returncode == 0, answer.stderr
    document = json.loads(answer.stdout)
    rows = {row["strategy"]: row for row in document["rows"]}
    assert set(rows) == {"sma_crossover", "rsi_reversion", "bought and held"}
    alone = json.loads(stack.trading("backtest", "sma_crossover", *words).stdout)["figures"]
    assert rows["sma_crossover"]["sharpe"] == alone["sharpe"]
    assert "sma_crossover" in Path(document["figures"]["page"]).read_text(encoding="utf-8")


def test_what_cannot_be_run_is_one_line(stack: Stack) -> None:
    for words, said in (
        (("backtest", "sma_crosover"), "did you mean 'sma_crossover'"),
        (("backtest", "sma_crossover", "--symbols", "NOSUCH"), "no bars"),
        (("sweep", "sma_crossover", "--fats", "5:10:5"), "did you mean 'fast'"),
        (("compare", "sma_crossover", "sma_crossover"), "expected two or more, each once"),
    ):
        answer = stack.trading(*words)
        assert answer.returncode == 1
        assert said in answer.stderr
        assert len(answer.stderr.strip().splitlines()) == 1


def test_a_check_says_what_a_result_leans_on_and_ends_with_its_verdict(stack: Stack, bars: str) -> None:
    answer = stack.trading(
        "check", "sma_crossover", "--symbols", bars, "--start", "2011-01-03", "--end", "2011-12-30", "--json"
    )

    document = json.loads(answer.stdout)
    verdicts = {row["check"]: row["verdict"] for row in document["rows"]}
    assert verdicts["no look-ahead"] == "pass"
    assert verdicts["one symbol"] == "warn"
    assert answer.returncode == (1 if "fail" in verdicts.values() else 0)


def test_a_check_of_a_strategy_that_is_not_there_is_one_line(stack: Stack) -> None:
    answer = stack.trading("check", "sma_crosover")

    assert answer.returncode == 1
    assert "did you mean 'sma_crossover'?" in answer.stderr
