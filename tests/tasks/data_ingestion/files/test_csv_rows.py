from __future__ import annotations

import bz2
import gzip
import zipfile
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from tasks.data_ingestion.files import csv_rows
from trading.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.tasks.data_ingestion.files.conftest import Read

    Reading = Callable[..., Read]

HEADER = "Date,Open,High,Low,Close,Volume\n"
GOOD = "2012-08-13,10,12,9,11,100\n"
AFTER = "2012-08-14,11,13,10,12,200\n"


def test_a_plain_file_becomes_bars_of_the_symbol_in_its_name(read: Reading) -> None:
    bars = read(HEADER + GOOD + AFTER).bars

    assert list(bars.columns) == ["symbol", "ts", "open", "high", "low", "close", "volume"]
    assert bars["symbol"].tolist() == ["IBM", "IBM"]
    assert str(bars["ts"].dtype) == "datetime64[ns, UTC]"
    assert bars.iloc[1, 2:].tolist() == [11.0, 13.0, 10.0, 12.0, 200.0]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("2012-08-14,abc,13,10,12,200", "open 'abc' is not a number"),
        ("2012-08-14,11,13,10", "4 fields where the header has 6"),
        ("2012-08-14,11,13,10,12,200,7", "7 fields where the header has 6"),
        ("yesterday,11,13,10,12,200", "'yesterday' is not a date or time"),
        ("2013-02-29,11,13,10,12,200", "'2013-02-29' is not a date or time"),
        ("2012-08-14,11,inf,10,12,200", "high inf is too large to be stored"),
        ("2012-08-14,11,13,10,12,1e30", "volume 1e+30 is too large to be stored"),
        ("1962-01-02,11,13,10,12,200", "'1962-01-02' is outside 1990-01-01 to 2040-12-31"),
        ("2012-08-14,11,13,\xff\x00,12,200", f"low {chr(255) + chr(0)!r} is not a number"),
    ],
)
def test_a_bad_row_is_listed_with_its_line_and_the_good_ones_are_read(read: Reading, row: str, reason: str) -> None:
    found = read(HEADER + GOOD + row + "\n" + "2012-08-15,1,1,1,1,1\n" * 2)

    assert found.lines == [(3, reason)]
    assert len(found.bars) == 3


def test_lines_are_physical_lines_across_blocks_blank_lines_and_a_byte_order_mark(
    read: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_rows, "BLOCK", 64)
    rows = [f"2012-08-{day:02d},10,12,9,{'x' if day in {17, 30} else 11},100" for day in range(1, 32)]
    rows.insert(10, "")
    content = "\ufeff\r\n" + "\r\n".join([HEADER.strip(), *rows])

    found = read(content)

    text = content.split("\r\n")
    assert [line for line, _ in found.lines] == [3 + rows.index(row) for row in rows if ",x," in row]
    assert all(",x," in text[(line or 0) - 1] for line, _ in found.lines)
    assert len(found.bars) == 29
    assert found.batches > 10


def test_missing_figures_are_read_as_missing_for_the_quality_rules_to_judge(read: Reading) -> None:
    found = read(HEADER + "2012-08-13,,null,NaN,11,N/A\n2012-08-14,-1,0,9,11,-5\n")

    assert found.total == 0
    assert found.bars.iloc[0, 2:].isna().tolist() == [True, True, True, False, True]
    assert found.bars.iloc[1, 2:].tolist() == [-1.0, 0.0, 9.0, 11.0, -5.0]


def test_semicolons_decimal_commas_and_points_of_thousands_are_understood(read: Reading) -> None:
    found = read("Datum;Date;Open;High;Low;Close;Volume\n1;13.08.2012;1.010,5;1.012,25;1.009;1.011,75;1.234.567\n")

    assert found.bars.iloc[0, 2:].tolist() == [1010.5, 1012.25, 1009.0, 1011.75, 1234567.0]
    assert found.times == ["2012-08-13T04:00:00+00:00"]


def test_quoted_numbers_with_currency_and_thousands_are_understood(read: Reading) -> None:
    content = 'Date,Close/Last,Volume,Open,High,Low\n08/13/2012,"$1,234.50","1,860,798",$1230,$1240.1,$1229\n'

    found = read(content)

    assert found.bars.iloc[0, 2:].tolist() == [1230.0, 1240.1, 1229.0, 1234.5, 1860798.0]


def test_volumes_in_thousands_and_millions_are_understood(read: Reading) -> None:
    found = read("Date,Open,High,Low,Close,Vol.\n2012-08-13,1,1,1,1,1.86M\n2012-08-14,1,1,1,1,12K\n")

    assert found.bars["volume"].tolist() == [1_860_000.0, 12_000.0]


def test_a_quote_that_never_closes_costs_one_row(read: Reading) -> None:
    found = read(HEADER + GOOD + '2012-08-14,"1x1,13,10,12,200\n' + "2012-08-15,1,1,1,1,1\n" * 3)

    assert found.lines == [(3, "open '\"1x1' is not a number")]
    assert len(found.bars) == 4


def test_bytes_that_are_no_utf_8_cost_one_row(read: Reading) -> None:
    found = read((HEADER + GOOD).encode() + b"2012-08-14,11,\xff\xfe,10,12,200\n" + AFTER.encode())

    assert [line for line, _ in found.lines] == [3]
    assert len(found.bars) == 2


def test_line_ends_of_any_system_are_understood(read: Reading) -> None:
    for ending in ("\n", "\r\n", "\r"):
        found = read((HEADER + GOOD + "2012-08-14,x,1,1,1,1\n" + AFTER).replace("\n", ending))
        assert (len(found.bars), found.lines) == (2, [(3, "open 'x' is not a number")])


def test_packed_files_are_unpacked_whatever_they_are_called(read: Reading, tmp_path: Path) -> None:
    content = (HEADER + GOOD + AFTER).encode()
    with zipfile.ZipFile(tmp_path / "IBM.csv.zip", "w") as archive:
        archive.writestr("IBM.csv", content)

    assert len(read(gzip.compress(content)).bars) == 2
    assert len(read(gzip.compress(content), "IBM.csv.gz").bars) == 2
    assert len(read(bz2.compress(content), "IBM.csv.bz2").bars) == 2
    assert len(read(tmp_path / "IBM.csv.zip").bars) == 2
    assert len(read((HEADER + GOOD).encode("utf-16")).bars) == 1


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "the file is empty"),
        ("\n\n", "the file is empty"),
        ("<!DOCTYPE html><html><body>Not found</body></html>", "a web page"),
        ("\n <html lang='en'>", "a web page"),
        ('{"error": "limit"}', "JSON, not CSV"),
        (b"PAR1abc", "Parquet, not CSV; give --source parquet"),
        (b"\x7fELF\x00\x00", "binary data"),
        (b"\x1f\x8bnothing", "packed as gzip, but damaged"),
        ("Date,Close\n2012-08-13,1\n", "no column for open, high, low, volume; it has Date, Close; give --map open="),
        ("2012-08-13,1,1,1,1,1\n", "no column for date, open"),
        ("Date,Open,High,Low,Close,close,Volume\n", "'Close' and 'close' both may be the close; choose with --map"),
        (HEADER + "\x01" * 3_000_000, "line 2 has no end"),
    ],
)
def test_what_is_no_file_of_bars_is_refused_in_one_line(read: Reading, content: str | bytes, complaint: str) -> None:
    with pytest.raises(DataError, match=complaint) as refusal:
        read(content, source="csv")

    assert "\n" not in str(refusal.value)
    assert "IBM.csv" in str(refusal.value)


def test_a_download_that_was_cut_off_says_where(read: Reading) -> None:
    whole = gzip.compress((HEADER + GOOD * 50_000 + AFTER).encode())

    with pytest.raises(DataError, match="cut off or damaged after line"):
        read(whole[: len(whole) // 2])


def test_a_frame_written_and_read_again_is_the_same(read: Reading) -> None:
    days = pd.bdate_range("2012-01-02", periods=500)
    closes = [round(100 + 0.013 * row, 6) for row in range(500)]
    frame = pd.DataFrame({"ts": days, "symbol": "BRK.B", "o": closes, "h": closes, "l": closes, "c": closes, "v": 7})

    found = read(frame.to_csv(index=False))

    assert found.bars["close"].tolist() == closes
    assert found.bars["symbol"].unique().tolist() == ["BRK.B"]
    assert found.bars["ts"].dt.tz_convert("America/New_York").dt.tz_localize(None).tolist() == days.tolist()


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1e3", 1000.0),
        (" 12 ", 12.0),
        ("+7", 7.0),
        ("(5)", None),
        ("1.2.3", None),
        ("1,234", 1234.0),
        ("12 345", 12345.0),
    ],
)
def test_a_number_beside_a_bad_one_is_read_as_it_is_elsewhere(read: Reading, written: str, value: float | None) -> None:
    found = read(HEADER + f'2012-08-13,bad,1,1,1,1\n2012-08-14,"{written}",1,1,1,1\n')

    assert found.bars["open"].tolist() == ([value] if value is not None else [])
    assert found.total == (1 if value is not None else 2)
