from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from simulator.minute_files import load_minutes
from trading.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "symbol,ts,open,high,low,close,volume\n"


def written(tmp_path: Path, *rows: str, header: str = HEADER) -> Path:
    path = tmp_path / "minutes.csv"
    path.write_text(header + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return path


def test_a_csv_and_a_parquet_file_give_the_same_minutes(tmp_path: Path) -> None:
    path = written(tmp_path, "IBM,2024-03-11T13:31:00Z,2,3,1,2.5,20", "ibm,2024-03-11T09:30:00-04:00,1,2,0.5,1.5,10")
    frame = pd.read_csv(path).assign(ts=lambda rows: pd.to_datetime(rows["ts"], utc=True))
    frame.to_parquet(tmp_path / "minutes.parquet", index=False)

    (minutes, packed) = (load_minutes(place, {"IBM"})["IBM"] for place in (path, tmp_path / "minutes.parquet"))

    first = int(datetime(2024, 3, 11, 13, 30, tzinfo=UTC).timestamp())
    assert minutes.starts.tolist() == packed.starts.tolist() == [first, first + 60]
    assert minutes.close.tolist() == packed.close.tolist() == [1.5, 2.5]
    assert minutes.volume.tolist() == [10, 20]


def test_rows_that_cannot_be_are_left_out_and_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = written(
        tmp_path,
        "IBM,2024-03-11T13:30:00Z,1,2,0.5,1.5,10",
        "IBM,2024-03-11T13:31:30Z,1,2,0.5,1.5,10",
        "IBM,2024-03-11T13:32:00Z,1,2,0,1.5,10",
        "IBM,2024-03-11T13:33:00Z,1,2,0.5,,10",
        "XYZ,2024-03-11T13:30:00Z,1,2,0.5,1.5,10",
    )
    with caplog.at_level(logging.WARNING):
        found = load_minutes(path, {"IBM"})

    assert {symbol: len(minutes.starts) for symbol, minutes in found.items()} == {"IBM": 1}
    assert "4 rows left out" in caplog.text


@pytest.mark.parametrize(
    ("rows", "header", "complaint"),
    [
        (["IBM,2024-03-11 13:30:00,1,2,0.5,1.5,10"], HEADER, "ts has no zone"),
        (["IBM,2024-03-11T13:30:00Z,1,2,0.5,1.5,10"] * 2, HEADER, "two rows for IBM at 2024-03-11T13:30"),
        (["IBM,1"], "symbol,open\n", "lacks the columns ts, high, low, close, volume"),
        (["XYZ,2024-03-11T13:30:00Z,1,2,0.5,1.5,10"], HEADER, "no usable minute bar"),
        (["IBM,soonZ,1,2,0.5,1.5,10"], HEADER, "no usable minute bar"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused_in_one_line(
    tmp_path: Path, rows: list[str], header: str, complaint: str
) -> None:
    with pytest.raises(DataError, match=complaint) as caught:
        load_minutes(written(tmp_path, *rows, header=header), {"IBM"})
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"absent\.csv does not exist; give --minutes"):
        load_minutes(tmp_path / "absent.csv", {"IBM"})
