from __future__ import annotations

import logging
from datetime import date
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from simulator.loading import load_market
from trading.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from simulator.market import Market

ROWS = "2012-12-03,10,11,9,10.5,100\n2012-12-04,10.5,12,10,11,200\n"
HEAD = "date,open,high,low,close,volume\n"


def written(folder: Path, text: str, name: str = "acme.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_built_in_market_is_five_symbols_to_march_2013(market: Market) -> None:
    assert list(market.histories) == ["AAPL", "FB", "GOOG", "IBM", "MSFT"]
    assert (market.first, market.last) == (date(2000, 3, 1), date(2013, 3, 1))
    assert sum(len(history.days) for history in market.histories.values()) == 12154


def test_a_file_without_symbols_is_named_after_itself(tmp_path: Path) -> None:
    market = load_market(written(tmp_path, HEAD + ROWS))
    assert list(market.histories) == ["ACME"]
    assert market.histories["ACME"].days == [date(2012, 12, 3), date(2012, 12, 4)]


def test_parquet_and_other_spellings_are_read(tmp_path: Path) -> None:
    columns = {"Ticker": ["A", "B"], "Date": pd.to_datetime(["2012-12-03", "2012-12-04"])}
    prices = {name: [1.0, 2.0] for name in ("Open", "High", "Low", "Close", "Adj Close")}
    pd.DataFrame({**columns, **prices, "Volume": [1, 2]}).to_parquet(tmp_path / "bars.parquet")
    assert list(load_market(tmp_path / "bars.parquet").histories) == ["A", "B"]


def test_symbols_are_read_in_capitals_and_rows_without_one_are_left_out(tmp_path: Path) -> None:
    rows = "".join(
        f"{symbol},2012-12-0{day},1,1,1,1,1\n"
        for symbol in ("brk.b", "NA", "NYSE:LMT", "", "two words")
        for day in (3, 4)
    )
    market = load_market(written(tmp_path, "symbol," + HEAD + rows))
    assert list(market.histories) == ["BRK.B", "NA", "NYSE:LMT"]


def test_incomplete_rows_and_days_without_session_are_left_out_aloud(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    extra = "2012-12-05,,,,11,100\n2012-12-08,10,11,9,10,100\n2012-12-06,10,11,0,10,100\n"
    with caplog.at_level(logging.WARNING):
        market = load_market(written(tmp_path, HEAD + ROWS + extra))
    assert market.histories["ACME"].days == [date(2012, 12, 3), date(2012, 12, 4)]
    assert "2 incomplete rows" in caplog.text
    assert "1 rows on days without a session" in caplog.text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("date,open,high,low,close\n", "lacks the columns volume"),
        (HEAD, "no usable daily bar"),
        (HEAD + "2012-12-08,10,11,9,10,100\n", "no usable daily bar"),
        (HEAD + ROWS + ROWS, "two rows for ACME on 2012-12-03"),
        ("", "cannot be read"),
    ],
)
def test_an_unusable_file_is_explained_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        load_market(written(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_a_broken_parquet_is_explained(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        load_market(written(tmp_path, "no parquet", "bars.parquet"))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"absent\.csv does not exist"):
        load_market(tmp_path / "absent.csv")


def test_other_prices_have_another_fingerprint(tmp_path: Path) -> None:
    one = load_market(written(tmp_path, HEAD + ROWS))
    same = load_market(written(tmp_path, HEAD + ROWS))
    other = load_market(written(tmp_path, HEAD + ROWS.replace("10.5,12", "10.5,13")))
    assert one.fingerprint == same.fingerprint != other.fingerprint
