"""Corporate actions from files into the real table."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from bokeh_sampledata import stocks

from tasks.data_ingestion.actions import import_actions
from trading.errors import DataError, InvalidValueError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stack import Stack

STORED = (
    "SELECT symbol, kind, ex_date, ratio::float8, cash::float8 FROM data_ingestion.corporate_actions "
    "WHERE symbol LIKE 'ACT%' ORDER BY 1, 3, 2"
)


def test_a_file_of_actions_is_stored_and_can_be_imported_again(inside: Stack, tmp_path: Path) -> None:
    path = tmp_path / "actions.csv"
    path.write_text(
        "Ticker,Ex Date,kind,ratio,cash,share\n"
        "ACTA,2012-02-29,split,0.1,,\nACTA,2012-05-01,dividend,,0.25,\nACTB,2012-06-01,spin_off,,,0.2\n"
    )
    first = import_actions.fn(str(path))
    import_actions.fn(str(path))

    assert first.figures["actions"] == 3
    assert inside.rows(STORED) == [
        ("ACTA", "split", date(2012, 2, 29), 0.1, None),
        ("ACTA", "dividend", date(2012, 5, 1), None, 0.25),
        ("ACTB", "spin_off", date(2012, 6, 1), 0.2, None),
    ]


def test_the_actions_of_a_pair_of_closes_are_worked_out(inside: Stack, tmp_path: Path) -> None:
    path = tmp_path / "AAPL.csv"
    apple = pd.DataFrame(stocks.AAPL)[["date", "close", "adj_close"]]
    apple.rename(columns={"adj_close": "Adj Close"}).to_csv(path, index=False)

    import_actions.fn(str(path), derived=True, symbol="ACTAAPL")

    splits = [row[2:4] for row in inside.rows(STORED) if row[:2] == ("ACTAAPL", "split")]
    assert splits == [(date(2000, 6, 21), 2.0), (date(2005, 2, 28), 2.0)]  # Apple's own investor relations page


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("symbol,ex_date,kind,ratio\nACTC,2012-02-30,split,2\n", "a date cannot be read"),
        ("symbol,kind,ratio\nACTC,split,2\n", "no column for ex_date"),
        ("symbol,ex_date,kind,ratio\nACTC,2012-02-29,merger,2\n", "unknown kind 'merger'"),
        ("symbol,ex_date,kind,ratio\nACTC,2012-02-29,split,0\n", "split ratio of ACTC on 2012-02-29 is 0"),
        ("symbol,ex_date,kind,ratio\n", "no corporate action in 0 rows"),
        ("", "not readable as csv"),
    ],
)
def test_a_bad_file_of_actions_is_one_line_and_nothing_is_stored(
    inside: Stack, tmp_path: Path, content: str, complaint: str
) -> None:
    path = tmp_path / "actions.csv"
    path.write_text(content)

    with pytest.raises((DataError, InvalidValueError), match=complaint) as caught:
        import_actions.fn(str(path))

    assert "\n" not in str(caught.value)
    assert inside.scalar("SELECT count(*) FROM data_ingestion.corporate_actions WHERE symbol = 'ACTC'") == 0
