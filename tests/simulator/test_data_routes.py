from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest
from alpaca.data.enums import Adjustment, CorporateActionsType, DataFeed
from alpaca.data.historical import StockHistoricalDataClient
from alpaca.data.historical.corporate_actions import CorporateActionsClient
from alpaca.data.requests import (
    CorporateActionsRequest,
    StockBarsRequest,
    StockLatestQuoteRequest,
    StockLatestTradeRequest,
    StockSnapshotRequest,
)
from alpaca.data.timeframe import TimeFrame

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from simulator.market import Market

    Check = Callable[[str, str, str, httpx.Response], Any]

BARS = "/v2/stocks/bars"
ALL = "AAPL,FB,GOOG,IBM,MSFT"


@pytest.fixture
def stocks(server: str) -> StockHistoricalDataClient:
    return StockHistoricalDataClient("test-key", "test-secret", url_override=server)


def test_bars_agree_with_alpacas_document(api: httpx.Client, check: Check) -> None:
    asked = {"symbols": ALL, "timeframe": "1Day", "start": "2012-11-28", "feed": "iex", "asof": "2012-11-30"}
    bars = check("market-data", "get", BARS, api.get(BARS, params=asked))["bars"]
    assert [(symbol, len(rows)) for symbol, rows in bars.items()] == [(s, 3) for s in ALL.split(",")]
    single = "/v2/stocks/{symbol}/bars"
    one = check("market-data", "get", single, api.get("/v2/stocks/IBM/bars", params=asked))
    assert (one["symbol"], one["bars"]) == ("IBM", bars["IBM"])


def test_both_ends_of_a_range_are_included(api: httpx.Client) -> None:
    def days(start: str, end: str) -> list[str]:
        asked = {"timeframe": "1Day", "start": start, "end": end}
        return [bar["t"] for bar in api.get("/v2/stocks/IBM/bars", params=asked).raise_for_status().json()["bars"]]

    both = ["2012-11-28T05:00:00Z", "2012-11-29T05:00:00Z"]
    assert days("2012-11-28", "2012-11-29") == both
    assert days("2012-11-28T05:00:00Z", "2012-11-29T05:00:00.000000000Z") == both
    assert days("2012-11-28T00:00:00-05:00", "2012-11-29T00:00:00-05:00") == both
    assert days("2012-11-28T05:00:01Z", "2012-11-29T04:59:59Z") == []


def test_by_default_bars_are_todays(api: httpx.Client) -> None:
    asked = {"symbols": "IBM", "timeframe": "1Day"}
    assert [bar["t"] for bar in api.get(BARS, params=asked).json()["bars"]["IBM"]] == ["2012-11-30T05:00:00Z"]
    api.post("/simulator/clock", json={"advance": "open"}).raise_for_status()
    assert api.get(BARS, params=asked).json() == {"bars": {}, "next_page_token": None}


def test_the_limit_counts_all_symbols_together(api: httpx.Client, check: Check) -> None:
    asked: dict[str, Any] = {"symbols": "MSFT,IBM", "timeframe": "1Day", "start": "2012-11-01", "limit": 15}
    pages = [check("market-data", "get", BARS, api.get(BARS, params=asked))]
    while token := pages[-1]["next_page_token"]:
        pages.append(check("market-data", "get", BARS, api.get(BARS, params={**asked, "page_token": token})))
    assert [sum(len(rows) for rows in page["bars"].values()) for page in pages] == [15, 15, 12]
    assert [list(page["bars"]) for page in pages] == [["IBM"], ["IBM", "MSFT"], ["MSFT"]]
    newest = api.get(BARS, params={**asked, "sort": "desc"}).json()["bars"]["IBM"][0]
    assert newest["t"] == "2012-11-30T05:00:00Z"


@pytest.mark.parametrize(
    "query",
    [
        "symbols=IBM",
        "timeframe=1Day",
        "symbols=&timeframe=1Day",
        "symbols=I%20M&timeframe=1Day",
        "symbols=IBM&timeframe=2Day",
        "symbols=IBM&timeframe=1Day&start=then",
        "symbols=IBM&timeframe=1Day&start=2012-02-30",
        "symbols=IBM&timeframe=1Day&start=2012-11-02&end=2012-11-01",
        "symbols=IBM&timeframe=1Day&limit=0",
        "symbols=IBM&timeframe=1Day&limit=10001",
        "symbols=IBM&timeframe=1Day&sort=up",
        "symbols=IBM&timeframe=1Day&adjustment=some",
        "symbols=IBM&timeframe=1Day&feed=cable",
        "symbols=IBM&timeframe=1Day&page_token=x",
    ],
)
def test_a_parameter_that_makes_no_sense_is_400_without_a_code(api: httpx.Client, query: str) -> None:
    refused = api.get(f"{BARS}?{query}")
    assert refused.status_code == 400
    assert list(refused.json()) == ["message"]


@pytest.mark.parametrize("start", ["0001-01-01", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00%2B23:00"])
@pytest.mark.parametrize("end", ["9999-12-31", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-23:00"])
def test_the_ends_of_time_are_allowed(api: httpx.Client, start: str, end: str) -> None:
    bars = api.get(f"/v2/stocks/FB/bars?timeframe=1Day&start={start}&end={end}").raise_for_status().json()["bars"]
    assert (bars[0]["t"], bars[-1]["t"]) == ("2012-05-18T04:00:00Z", "2012-11-30T05:00:00Z")


def test_unknown_symbols_have_no_bars(api: httpx.Client) -> None:
    asked = {"symbols": "NOPE,IBM", "timeframe": "1Day", "start": "2012-11-30"}
    assert list(api.get(BARS, params=asked).json()["bars"]) == ["IBM"]


@pytest.mark.parametrize("path", ["/v2/stocks/quotes/latest", "/v2/stocks/trades/latest", "/v2/stocks/snapshots"])
def test_latest_values_agree_with_alpacas_document(api: httpx.Client, check: Check, path: str) -> None:
    for _ in range(2):
        answer = check("market-data", "get", path, api.get(path, params={"symbols": f"{ALL},NOPE"}))
        assert sorted(next(iter(answer.values())) if len(answer) == 1 else answer) == ALL.split(",")
        api.post("/simulator/clock", json={"advance": "open"}).raise_for_status()


def test_alpaca_py_reads_bars(market: Market, stocks: StockHistoricalDataClient) -> None:
    asked = StockBarsRequest(
        symbol_or_symbols=["AAPL", "MSFT"],
        timeframe=TimeFrame.Day,
        start=datetime(2000, 1, 1, tzinfo=UTC),
        adjustment=Adjustment.RAW,
        feed=DataFeed.IEX,
    )
    read: Any = stocks.get_stock_bars(asked)
    sessions = market.sessions.between(date(2000, 3, 1), date(2012, 11, 30))
    assert [len(read.data[symbol]) for symbol in ("AAPL", "MSFT")] == [len(sessions)] * 2
    assert read.data["AAPL"][-1].close == 585.28
    minutes: Any = stocks.get_stock_bars(StockBarsRequest(symbol_or_symbols="AAPL", timeframe=TimeFrame.Minute))
    assert minutes.data == {}


def test_alpaca_py_reads_latest_values(stocks: StockHistoricalDataClient) -> None:
    quote: Any = stocks.get_stock_latest_quote(StockLatestQuoteRequest(symbol_or_symbols="AAPL"))
    trade: Any = stocks.get_stock_latest_trade(StockLatestTradeRequest(symbol_or_symbols="AAPL"))
    snapshot: Any = stocks.get_stock_snapshot(StockSnapshotRequest(symbol_or_symbols="AAPL"))
    assert quote["AAPL"].bid_price == quote["AAPL"].ask_price == trade["AAPL"].price == 585.28
    assert snapshot["AAPL"].daily_bar.timestamp == datetime(2012, 11, 30, 5, tzinfo=UTC)
    assert snapshot["AAPL"].previous_daily_bar.timestamp == datetime(2012, 11, 29, 5, tzinfo=UTC)


def test_corporate_actions_agree_with_alpacas_document(api: httpx.Client, check: Check) -> None:
    path = "/v1/corporate-actions"
    asked: dict[str, Any] = {"symbols": "AAPL,MSFT", "start": "2000-01-01", "end": "2014-01-01"}
    whole = check("market-data", "get", path, api.get(path, params={**asked, "limit": 1000}))
    actions = whole["corporate_actions"]
    assert [(one["symbol"], one["ex_date"]) for one in actions["forward_splits"]] == [
        ("AAPL", "2000-06-21"),
        ("MSFT", "2003-02-18"),
        ("AAPL", "2005-02-28"),
    ]
    assert actions["cash_dividends"][-1]["ex_date"] == "2012-11-13"
    paged: list[str] = []
    token = None
    while True:
        page = check("market-data", "get", path, api.get(path, params={**asked, "limit": 7, "page_token": token or ""}))
        paged += [one["id"] for group in page["corporate_actions"].values() for one in group]
        token = page["next_page_token"]
        if token is None:
            break
    assert sorted(paged) == sorted(one["id"] for group in actions.values() for one in group)
    one = api.get(path, params={"ids": paged[0]}).json()["corporate_actions"]
    assert [row["id"] for group in one.values() for row in group] == [paged[0]]


def test_a_dividend_is_not_known_before_its_ex_date(api: httpx.Client, server: str) -> None:
    client = CorporateActionsClient("test-key", "test-secret", url_override=server)
    asked = CorporateActionsRequest(
        symbols=["AAPL"],
        types=[CorporateActionsType.CASH_DIVIDEND],
        start=date(2013, 1, 1),
        end=date(2013, 12, 31),
    )
    api.post("/simulator/clock", json={"to": "2013-02-07T04:59:59Z"}).raise_for_status()
    before: Any = client.get_corporate_actions(asked)
    api.post("/simulator/clock", json={"to": "2013-02-07T05:00:00Z"}).raise_for_status()
    after: Any = client.get_corporate_actions(asked)
    assert before.data == {}
    assert [(one.ex_date, one.rate) for one in after.data["cash_dividends"]] == [(date(2013, 2, 7), 2.65)]


def test_without_days_corporate_actions_are_todays(api: httpx.Client) -> None:
    assert api.get("/v1/corporate-actions").json() == {"corporate_actions": {}, "next_page_token": None}
    for bad in ("start=x", "limit=0", "page_token=none"):
        assert api.get(f"/v1/corporate-actions?{bad}").status_code == 400
