from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

from tasks.data_ingestion.files import parquet_rows
from tasks.data_ingestion.files.bad_rows import KEPT, BadRows
from tasks.data_ingestion.files.batches import read_bars
from tasks.data_ingestion.files.file_format import FileFormat
from trading.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.tasks.data_ingestion.files.conftest import Read

    Reading = Callable[..., Read]

HEADER = "Date,Symbol,Open,High,Low,Close,Volume\n"


def frame(count: int = 3, **columns: object) -> pd.DataFrame:
    days = pd.bdate_range("2012-08-13", periods=count)
    prices = dict.fromkeys(("open", "high", "low", "close"), [10.0] * count)
    return pd.DataFrame({"date": days, "symbol": "IBM", **prices, "volume": 100, **columns})


def test_symbols_with_dots_and_slashes_are_kept_and_the_exchange_before_them_is_not(read: Reading) -> None:
    names = ["BRK.B", "BRK/B", "BF-B", "NYSE:LMT", " ibm ", "NA", "NAN", "TRUE", "null"]
    found = read(HEADER + "".join(f"2012-08-13,{name},1,1,1,1,1\n" for name in names))

    assert found.bars["symbol"].tolist() == ["BRK.B", "BRK/B", "BF-B", "LMT", "IBM", "NA", "NAN", "TRUE", "NULL"]


def test_a_row_whose_symbol_is_none_is_a_bad_row(read: Reading) -> None:
    found = read(HEADER + "2012-08-13,,1,1,1,1,1\n2012-08-13,Apple Inc,1,1,1,1,1\n2012-08-13,IBM,1,1,1,1,1\n")

    assert found.lines == [(2, "'' is not a symbol"), (3, "'Apple Inc' is not a symbol")]
    assert found.bars["symbol"].tolist() == ["IBM"]


@pytest.mark.parametrize(
    "dates",
    [
        pd.bdate_range("2012-08-13", periods=3),
        pd.bdate_range("2012-08-13", periods=3, tz="America/New_York"),
        ["2012-08-13", "2012-08-14", "2012-08-15"],
        [20120813, 20120814, 20120815],
        pd.bdate_range("2012-08-13", periods=3).date,
        pd.Categorical(["2012-08-13", "2012-08-14", "2012-08-15"]),
    ],
)
def test_parquet_dates_of_any_type_are_read(read: Reading, tmp_path: Path, dates: object) -> None:
    frame(date=dates).to_parquet(tmp_path / "IBM.parquet", index=False)

    found = read(tmp_path / "IBM.parquet")

    assert found.times == [f"2012-08-{day}T04:00:00+00:00" for day in (13, 14, 15)]


def test_a_parquet_file_with_its_time_in_the_index_is_read(read: Reading, tmp_path: Path) -> None:
    frame().set_index("date").rename_axis(None).to_parquet(tmp_path / "IBM.parquet")

    assert len(read(tmp_path / "IBM.parquet").bars) == 3


def test_bad_rows_of_parquet_are_listed_by_row_across_batches(
    read: Reading, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet_rows, "ROWS", 4)
    closes = [float("inf") if row in {2, 9} else 1.0 for row in range(12)]
    frame(12, close=closes, symbol=pd.Categorical(["IBM"] * 12)).to_parquet(tmp_path / "x.parquet", index=False)

    found = read(tmp_path / "x.parquet")

    assert [line for line, _ in found.lines] == [3, 10]
    assert (len(found.bars), found.batches) == (10, 3)


@pytest.mark.parametrize("content", [b"", b"<html></html>", b"PAR1" + b"\x00" * 50 + b"PAR1"])
def test_what_is_no_parquet_is_refused_in_one_line(read: Reading, content: bytes) -> None:
    with pytest.raises(DataError, match="not readable as Parquet") as refusal:
        read(content, "IBM.parquet")

    assert "\n" not in str(refusal.value)


def test_a_parquet_file_cut_off_in_the_middle_is_refused(read: Reading, tmp_path: Path) -> None:
    frame(5000).to_parquet(tmp_path / "whole.parquet")
    content = (tmp_path / "whole.parquet").read_bytes()

    with pytest.raises(DataError, match="not readable as Parquet"):
        read(content[: len(content) // 2], "IBM.parquet")


def test_a_format_is_recognised_by_its_content_when_the_name_does_not_say(read: Reading, tmp_path: Path) -> None:
    frame().to_parquet(tmp_path / "export", index=False)

    assert len(read(tmp_path / "export").bars) == 3
    assert len(read(HEADER + "2012-08-13,IBM,1,1,1,1,1\n", "bars.dat").bars) == 1


def test_a_folder_is_read_file_by_file_and_a_bad_file_does_not_stop_the_others(read: Reading, tmp_path: Path) -> None:
    folder = tmp_path / "bars"
    (folder / "deep").mkdir(parents=True)
    frame().to_parquet(folder / "AAPL.parquet", index=False)
    (folder / "deep" / "MSFT_1Day.csv").write_text("date,o,h,l,c,v\n2012-08-13,1,1,1,1,1\n")
    (folder / "GONE.csv").write_text("<html>Not found</html>")
    (folder / "_SUCCESS.csv").write_text("")
    (folder / "README.md").write_text("about")

    found = read(folder)

    assert sorted(found.bars["symbol"].unique()) == ["IBM", "MSFT"]
    assert found.total == 1
    assert found.bad[0].path.endswith("GONE.csv")
    assert found.bad[0].reason.startswith("a web page")


def test_a_folder_without_files_of_bars_and_a_path_without_anything_are_refused(read: Reading, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("about")

    with pytest.raises(DataError, match=r"no CSV or Parquet file in this folder \(1 other files\)"):
        read(tmp_path)
    with pytest.raises(DataError, match="no such file"):
        read(tmp_path / "absent.csv")


def test_an_unknown_protocol_is_refused_in_one_line() -> None:
    bad = BadRows()

    with pytest.raises(DataError, match=r"nowhere://x/IBM\.csv: cannot be reached"):
        list(read_bars("nowhere://x/IBM.csv", source=None, timeframe="1Day", form=FileFormat(), bad=bad))


def test_bars_are_read_from_an_fsspec_url() -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    with memory.open("/bars/IBM.csv", "wb") as file:
        file.write(b"date,o,h,l,c,v\n2012-08-13,1,1,1,1,1\n")

    batches = list(read_bars("memory://bars/IBM.csv", source=None, timeframe="1Day", form=FileFormat(), bad=BadRows()))

    assert batches[0].frame["symbol"].tolist() == ["IBM"]
    assert batches[0].done == 1.0


def test_many_bad_rows_are_counted_and_listed_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "IBM.csv"
    path.write_text("date,o,h,l,c,v\n" + "2012-08-13,x,1,1,1,1\n" * 50)

    with BadRows(tmp_path / "imports" / "bad.csv") as bad:
        (batch,) = read_bars(str(path), source=None, timeframe="1Day", form=FileFormat(), bad=bad)
        assert batch.frame.empty
        assert (bad.total, len(bad.first)) == (50, KEPT)
        listed = bad.listed

    assert listed is not None
    table = pd.read_csv(listed)
    assert table["line"].tolist() == list(range(2, 52))
    assert table["reason"].unique().tolist() == ["open 'x' is not a number"]


def test_few_bad_rows_leave_no_file(tmp_path: Path) -> None:
    with BadRows(tmp_path / "bad.csv") as bad:
        bad.add_file("IBM.csv", "damaged")

    assert bad.listed is None
    assert not (tmp_path / "bad.csv").exists()
    assert str(bad.first[0]) == "IBM.csv: damaged"
