from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from tasks.data_ingestion.files.bad_rows import BadRows
from tasks.data_ingestion.files.file_format import FileFormat
from tasks.data_ingestion.files.importing import Wanted, import_files

if TYPE_CHECKING:
    from pathlib import Path

    from tests.deployments.data.conftest import Data

BARS = "SELECT symbol, ts, open, high, low, close, volume FROM data_ingestion.bars ORDER BY symbol, ts"
START, END = date(2012, 1, 3), date(2012, 12, 31)


@pytest.mark.parametrize("name", ["bars.csv", "bars.csv.gz", "bars.parquet"])
def test_what_is_exported_is_imported_as_it_was(data: Data, tmp_path: Path, name: str) -> None:
    data.plant_sessions("AAPL", START, END)
    data.plant("BRK.B", [date(2012, 1, 3), date(2012, 2, 29)], [78.123456, 0.0001])
    before = data.rows(BARS)

    answer = data.run("export", str(tmp_path / name))
    data.rows("DELETE FROM data_ingestion.bars RETURNING symbol")
    bad = BadRows()
    import_files(data.engine, Wanted(str(tmp_path / name), "1Day"), form=FileFormat(), bad=bad)

    assert "252 1Day bars of 2 symbols, 2012-01-03 to 2012-12-31, in" in answer.output
    assert bad.total == 0
    assert data.rows(BARS) == before
    assert [path.name for path in tmp_path.glob("bars*")] == [name], "nothing is left half-written"


def test_daily_bars_are_dated_by_session(data: Data, tmp_path: Path) -> None:
    data.plant_sessions("AAPL", date(2012, 3, 9), date(2012, 3, 12))

    data.run("export", str(tmp_path / "bars.csv"))

    assert pd.read_csv(tmp_path / "bars.csv")["date"].tolist() == ["2012-03-09", "2012-03-12"]


def test_a_file_that_is_there_is_replaced_only_when_asked(data: Data, tmp_path: Path) -> None:
    data.plant_sessions("AAPL", START, END)
    path = tmp_path / "bars.csv"
    path.write_text("precious")

    refused = data.run("export", str(path))

    assert refused.exit_code == 1
    assert refused.output == f"{path}: is there already; give --force to replace it\n"
    assert path.read_text() == "precious"
    assert data.json("export", str(path), "--force", "--symbols", "AAPL")["bars"] == 250


def test_quarantined_bars_stay_behind_unless_asked_for(data: Data, tmp_path: Path) -> None:
    data.plant_sessions("AAPL", START, END)
    data.rows("UPDATE data_ingestion.bars SET quality = 'quarantined' WHERE ts < '2012-01-05' RETURNING ts")

    assert data.json("export", str(tmp_path / "good.csv"))["bars"] == 248
    assert data.json("export", str(tmp_path / "all.csv"), "--quarantined")["bars"] == 250


def test_a_place_that_cannot_be_written_is_one_line(data: Data, tmp_path: Path) -> None:
    data.plant_sessions("AAPL", START, END)
    (tmp_path / "file").write_text("")

    answer = data.run("export", str(tmp_path / "file" / "bars.csv"))

    assert answer.exit_code == 1
    assert "cannot be written" in answer.output
    assert len(answer.output.splitlines()) == 1
