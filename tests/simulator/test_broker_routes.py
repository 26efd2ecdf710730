from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from alpaca.trading.enums import OrderSide, PositionSide, TimeInForce
from alpaca.trading.requests import (
    ClosePositionRequest,
    GetAssetsRequest,
    GetCalendarRequest,
    GetPortfolioHistoryRequest,
    MarketOrderRequest,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx
    from alpaca.trading.client import TradingClient

    Check = Callable[[str, str, str, httpx.Response], Any]

NEW_YORK = ZoneInfo("America/New_York")


def buy(api: httpx.Client, symbol: str, qty: object, side: str = "buy") -> None:
    order = {"symbol": symbol, "side": side, "type": "market", "time_in_force": "day", "qty": qty}
    api.post("/v2/orders", json=order).raise_for_status()


def advance(api: httpx.Client, step: str = "session") -> None:
    api.post("/simulator/clock", json={"advance": step}).raise_for_status()


def test_the_account_agrees_with_alpacas_document(api: httpx.Client, check: Check) -> None:
    buy(api, "AAPL", 10)
    buy(api, "IBM", 5, "sell")
    advance(api)
    account = check("trading", "get", "/v2/account", api.get("/v2/account"))
    # AAPL 593.65 -> 586.19; IBM 190.76 -> 189.48
    assert account["cash"] == "95017.30"
    assert account["long_market_value"] == "5861.90"
    assert account["short_market_value"] == "-947.40"
    assert account["equity"] == "99931.80"
    assert account["last_equity"] == "100000.00"
    assert account["buying_power"] == f"{2 * 99931.80 - 5861.90 - 947.40:.2f}"
    assert account["initial_margin"] == f"{(5861.90 + 947.40) / 2:.2f}"


def test_alpaca_py_reads_the_account(trading: TradingClient) -> None:
    account: Any = trading.get_account()
    assert (account.status, account.multiplier, account.buying_power) == ("ACTIVE", "2", "200000.00")


def test_assets_are_those_listed(api: httpx.Client, trading: TradingClient, check: Check) -> None:
    assets = check("trading", "get", "/v2/assets", api.get("/v2/assets", params={"status": "active"}))
    assert [asset["symbol"] for asset in assets] == ["AAPL", "FB", "GOOG", "IBM", "MSFT"]
    nyse = api.get("/v2/assets", params={"exchange": "NYSE"}).json()
    assert [asset["symbol"] for asset in nyse] == ["IBM"]
    assert api.get("/v2/assets", params={"asset_class": "crypto"}).json() == []
    read: Any = trading.get_all_assets(GetAssetsRequest())
    assert all(asset.tradable and asset.shortable and asset.fractionable for asset in read)


def test_an_asset_is_found_by_symbol_and_by_id(api: httpx.Client, trading: TradingClient, check: Check) -> None:
    path = "/v2/assets/{symbol_or_asset_id}"
    asset = check("trading", "get", path, api.get("/v2/assets/aapl"))
    assert check("trading", "get", path, api.get(f"/v2/assets/{asset['id']}")) == asset
    read: Any = trading.get_asset("AAPL")
    assert str(read.id) == asset["id"]
    missing = api.get("/v2/assets/NOPE")
    assert (missing.status_code, missing.json()) == (404, {"code": 40410000, "message": "asset not found for NOPE"})


def test_facebook_is_not_there_before_it_is_listed(api: httpx.Client) -> None:
    api.post("/simulator/reset", json={"start": "2012-05-16"}).raise_for_status()
    assert api.get("/v2/assets/FB").status_code == 404
    assert "FB" not in [asset["symbol"] for asset in api.get("/v2/assets").json()]


def test_the_clock_says_what_alpacas_says(api: httpx.Client, trading: TradingClient, check: Check) -> None:
    clock = check("trading", "get", "/v2/clock", api.get("/v2/clock"))
    assert clock == {
        "timestamp": "2012-11-30T16:00:00-05:00",
        "is_open": False,
        "next_open": "2012-12-03T09:30:00-05:00",
        "next_close": "2012-12-03T16:00:00-05:00",
    }
    advance(api, "open")
    read: Any = trading.get_clock()
    assert read.is_open
    assert read.timestamp == datetime(2012, 12, 3, 9, 30, tzinfo=NEW_YORK)
    assert read.next_open == datetime(2012, 12, 4, 9, 30, tzinfo=NEW_YORK)


def test_the_calendar_has_early_closes_and_settlement(api: httpx.Client, trading: TradingClient, check: Check) -> None:
    days = check(
        "trading", "get", "/v2/calendar", api.get("/v2/calendar", params={"start": "2012-12-23", "end": "2012-12-26"})
    )
    assert days == [
        {
            "date": "2012-12-24",
            "open": "09:30",
            "close": "13:00",
            "session_open": "0400",
            "session_close": "2000",
            "settlement_date": "2012-12-28",
        },
        {
            "date": "2012-12-26",
            "open": "09:30",
            "close": "16:00",
            "session_open": "0400",
            "session_close": "2000",
            "settlement_date": "2012-12-31",
        },
    ]
    read: Any = trading.get_calendar(GetCalendarRequest(start=date(2012, 12, 24), end=date(2012, 12, 24)))
    assert read[0].close == datetime(2012, 12, 24, 13, 0)  # noqa: DTZ001 - alpaca-py's own reading
    assert api.get("/v2/calendar", params={"start": "soon"}).status_code == 422


def test_positions_agree_with_alpacas_document(api: httpx.Client, trading: TradingClient, check: Check) -> None:
    buy(api, "AAPL", 10)
    buy(api, "IBM", 5, "sell")
    advance(api)
    long, short = check("trading", "get", "/v2/positions", api.get("/v2/positions"))
    assert (long["qty"], long["side"], long["market_value"], long["cost_basis"]) == ("10", "long", "5861.90", "5936.50")
    assert (long["unrealized_pl"], long["unrealized_plpc"]) == ("-74.60", "-0.012566")
    assert (long["lastday_price"], long["change_today"]) == ("585.28", "0.001555")
    assert (short["qty"], short["side"], short["qty_available"]) == ("-5", "short", "-5")
    assert short["unrealized_pl"] == "6.40"
    one = check("trading", "get", "/v2/positions/{symbol_or_asset_id}", api.get("/v2/positions/AAPL"))
    assert one == long
    read: Any = trading.get_all_positions()
    assert [position.side for position in read] == [PositionSide.LONG, PositionSide.SHORT]
    missing = api.get("/v2/positions/MSFT")
    assert (missing.status_code, missing.json()["message"]) == (404, "position does not exist")


def test_alpaca_py_closes_positions(api: httpx.Client, trading: TradingClient, check: Check) -> None:
    buy(api, "AAPL", 10)
    buy(api, "MSFT", 10)
    advance(api)
    part: Any = trading.close_position("AAPL", ClosePositionRequest(qty="4"))
    assert (part.qty, part.side) == ("4", "sell")
    answers = check("trading", "delete", "/v2/positions", api.delete("/v2/positions", params={"cancel_orders": True}))
    assert [(answer["symbol"], answer["status"]) for answer in answers] == [("AAPL", 200), ("MSFT", 200)]
    advance(api)
    assert api.get("/v2/positions").json() == []
    assert api.delete("/v2/positions/AAPL").status_code == 404


def test_a_position_that_orders_hold_is_not_closed_twice(api: httpx.Client, trading: TradingClient) -> None:
    buy(api, "AAPL", 10)
    advance(api)
    trading.close_all_positions()
    answers: Any = trading.close_all_positions()
    assert (answers[0].status, answers[0].body.code) == (403, 40310000)


@pytest.mark.parametrize("query", ["qty=x", "percentage=0", "percentage=101", "qty=NaN", "qty=-1"])
def test_a_nonsensical_part_of_a_position_is_refused(api: httpx.Client, query: str) -> None:
    buy(api, "AAPL", 10)
    advance(api)
    assert api.delete(f"/v2/positions/AAPL?{query}").status_code == 422


def test_the_history_has_a_point_per_close(api: httpx.Client, trading: TradingClient, check: Check) -> None:
    order = MarketOrderRequest(symbol="AAPL", qty=10, side=OrderSide.BUY, time_in_force=TimeInForce.DAY)
    trading.submit_order(order)
    advance(api)
    advance(api)
    path = "/v2/account/portfolio/history"
    history = check("trading", "get", path, api.get(path))
    days = [datetime.fromtimestamp(second, NEW_YORK) for second in history["timestamp"]]
    assert days == [datetime(2012, month, day, tzinfo=NEW_YORK) for month, day in ((11, 30), (12, 3), (12, 4))]
    # AAPL: bought at 593.65, closes 586.19 and 575.8454
    assert history["equity"] == [100000.0, 99925.4, 99821.95]
    assert history["profit_loss"] == [0.0, -74.6, -178.05]
    assert history["profit_loss_pct"][-1] == pytest.approx(-0.00178046, abs=1e-8)
    read: Any = trading.get_portfolio_history(GetPortfolioHistoryRequest(period="1D", timeframe="1D"))
    assert read.equity == [99925.4, 99821.95]
    assert read.base_value == 100000.0


def test_a_history_between_two_days(api: httpx.Client) -> None:
    for _ in range(4):
        advance(api)
    asked = {"start": "2012-12-04", "end": "2012-12-05"}
    assert len(api.get("/v2/account/portfolio/history", params=asked).json()["timestamp"]) == 2
    asked = {"start": "2012-12-03T05:00:00Z", "period": "2D"}
    assert len(api.get("/v2/account/portfolio/history", params=asked).json()["timestamp"]) == 3


@pytest.mark.parametrize(
    "query",
    ["timeframe=1Min", "period=1X", "period=9999A", "start=yesterday", "period=1M&start=2012-01-01&end=2013-01-01"],
)
def test_an_unanswerable_history_is_refused(api: httpx.Client, query: str) -> None:
    refused = api.get(f"/v2/account/portfolio/history?{query}")
    assert (refused.status_code, refused.json()["code"]) == (422, 42210000)
