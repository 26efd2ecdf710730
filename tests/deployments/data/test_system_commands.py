"""The commands that work through steps, on a whole system."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING

from trading.calendar import sessions

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stack import Stack


def file_of(path: Path, symbol: str, *, bad: str = "") -> str:
    days = sessions(date(2011, 1, 3), date(2011, 12, 30))
    rows = [f"{day},{symbol},10,12,9,{10 + at % 3},{1_000_000 + 1000 * (at % 7)}" for at, day in enumerate(days)]
    path.write_text("Date,Ticker,Open,High,Low,Last,Volume\n" + "\n".join(rows) + "\n" + bad)
    return str(path)


def test_an_import_is_checked_tracked_and_can_be_repeated(stack: Stack, tmp_path: Path) -> None:
    path = file_of(tmp_path / "bars.csv", "CMDIMP", bad="2011-13-45,CMDIMP,1,1,1,1,1\n")

    first = stack.trading("data", "import", path, "--map", "close=Last", "--track", "--json")
    again = stack.trading("data", "import", path, "--map", "close=Last", "--no-check", "--json")

    assert first.returncode == 0, first.stderr
    document = json.loads(first.stdout)
    assert document["import"]["figures"]["new or changed"] == 252
    assert document["import"]["rows"][0]["line"] == 254
    assert document["quality"]["figures"]["bars checked"] == 252
    assert document["tracked"] == ["CMDIMP"]
    assert json.loads(again.stdout)["import"]["figures"]["new or changed"] == 0
    assert stack.trading("data", "universe", "remove", "CMDIMP").returncode == 0
    unchecked = "SELECT count(*) FROM data_ingestion.bars WHERE symbol = 'CMDIMP' AND quality = 'unchecked'"
    assert stack.scalar(unchecked) == 0


def test_quality_prints_what_each_rule_finds(stack: Stack, tmp_path: Path) -> None:
    path = file_of(tmp_path / "bars.csv", "CMDBAD", bad="2012-01-03,CMDBAD,10,5,9,10,1000000\n")
    stack.trading("data", "import", path, "--map", "close=Last", "--no-check")

    answer = stack.trading("data", "quality", "--symbols", "CMDBAD")

    assert answer.returncode == 0, answer.stderr
    assert "bars checked" in answer.stdout
    assert "2012-01-03" in answer.stdout


def test_a_restore_without_archives_restores_nothing(stack: Stack) -> None:
    answer = stack.trading("data", "restore", "2030-01-01", "2030-12-31", "--json")

    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)["figures"]["files"] == 0


def test_an_absent_file_is_one_line(stack: Stack, tmp_path: Path) -> None:
    answer = stack.trading("data", "import", str(tmp_path / "absent.csv"))

    assert answer.returncode == 1
    assert answer.stderr.strip().endswith(
        "no such file; give the path of a CSV or Parquet file, or of a folder of them"
    )
    assert len(answer.stderr.strip().splitlines()) == 1
