from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tasks.data_ingestion.files import columns
from tasks.data_ingestion.files.file_format import FileFormat
from trading.errors import DataError, UnknownNameError

WHOLE = ["Date", "Symbol", "Open", "High", "Low", "Close", "Volume"]


def find(header: list[str], path: str = "bars.csv", symbol: str | None = None, **chosen: str) -> dict[str, str]:
    found = columns.find(header, path=path, chosen=chosen, symbol=symbol)
    return {**found.names, **({"=": found.symbol} if found.symbol else {})}


@pytest.mark.parametrize(
    "header",
    [
        ["ts", "symbol", "open", "high", "low", "close", "volume"],
        ["t", "sym", "o", "h", "l", "c", "v"],
        ["DateTime", "TICKER", " Open ", "HIGH", "Low", "Close", "Vol"],
        ["<DATE>", "<TICKER>", "<OPEN>", "<HIGH>", "<LOW>", "<CLOSE>", "<VOL>"],
        ["Date", "Name", "Open", "High", "Low", "Close", "Volume"],
        ["timestamp", "symbol", "open", "high", "low", "close", "volume"],
        ["time", "symbol", "open", "high", "low", "close", "volume"],
    ],
)
def test_usual_names_are_recognised(header: list[str]) -> None:
    assert set(find(header)) == {"ts", "symbol", "open", "high", "low", "close", "volume"}


def test_an_adjusted_close_is_taken_only_when_asked_for() -> None:
    header = [*WHOLE, "Adj Close"]

    assert find(header)["close"] == "Close"
    assert find(header, close="adj close")["close"] == "Adj Close"


def test_a_company_name_beside_a_ticker_is_not_the_symbol() -> None:
    assert find([*WHOLE, "Name"])["symbol"] == "Symbol"


def test_a_column_that_was_named_and_is_not_there_is_refused_with_a_suggestion() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'Close'"):
        find(WHOLE, close="Closer")


@pytest.mark.parametrize(
    ("path", "symbol"),
    [
        ("IBM.csv", "IBM"),
        ("data/AAPL_1Day.parquet", "AAPL"),
        ("data\\BRK.B.csv.gz", "BRK.B"),
        ("BF-B_daily.csv", "BF-B"),
        ("bars/symbol=BRK/part-0.parquet", "BRK"),
    ],
)
def test_a_file_without_a_symbol_column_is_named_after_its_symbol(path: str, symbol: str) -> None:
    assert find([name for name in WHOLE if name != "Symbol"], path)["="] == symbol


@pytest.mark.parametrize("path", ["prices.csv", "my data.csv", "SP500_HISTORY.csv"])
def test_a_name_that_is_no_symbol_is_not_taken_for_one(path: str) -> None:
    with pytest.raises(DataError, match=r"no column for symbol, and .* is not one; give --symbol"):
        find([name for name in WHOLE if name != "Symbol"], path)


def test_a_symbol_that_is_said_wins_over_column_and_file_name() -> None:
    found = find(WHOLE, "IBM.csv", symbol="MSFT")

    assert found["="] == "MSFT"
    assert "symbol" not in found


@given(st.permutations(WHOLE))
def test_the_order_of_columns_does_not_matter(header: list[str]) -> None:
    found = columns.find(header, path="x.csv", chosen={}, symbol=None)

    assert all(header[position] == found.names[field] for field, position in found.positions.items())


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ({"columns": {"closing": "Last"}}, "'closing' is not a field of a bar"),
        ({"timezone": "New York"}, "'New York' is not a time zone"),
        ({"symbol": "not a symbol"}, "should match pattern"),
    ],
)
def test_what_is_said_of_a_file_is_checked(said: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(complaint)):
        FileFormat.model_validate(said)


def test_times_may_be_called_as_people_call_them() -> None:
    assert FileFormat(columns={"Date": "Day"}).columns == {"ts": "Day"}
