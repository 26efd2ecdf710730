"""alpaca-py's clients drive every endpoint they have for shares; each answer fits Alpaca's document."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest
from alpaca.common.exceptions import APIError
from alpaca.data.historical import StockHistoricalDataClient
from alpaca.data.historical.corporate_actions import CorporateActionsClient
from alpaca.data.requests import (
    CorporateActionsRequest,
    StockBarsRequest,
    StockLatestBarRequest,
    StockLatestQuoteRequest,
    StockLatestTradeRequest,
    StockQuotesRequest,
    StockSnapshotRequest,
    StockTradesRequest,
)
from alpaca.data.timeframe import TimeFrame
from alpaca.trading.enums import OrderClass, OrderSide, OrderStatus, TimeInForce
from alpaca.trading.requests import (
    ClosePositionRequest,
    CreateWatchlistRequest,
    GetAssetsRequest,
    GetCalendarRequest,
    GetOrderByIdRequest,
    GetOrdersRequest,
    LimitOrderRequest,
    MarketOrderRequest,
    ReplaceOrderRequest,
    StopLimitOrderRequest,
    StopLossRequest,
    StopOrderRequest,
    TakeProfitRequest,
    TrailingStopOrderRequest,
    UpdateWatchlistRequest,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx
    from alpaca.trading.client import TradingClient

    Check = Callable[[str, str, str, Any], Any]

NUMBER = r"[0-9a-f]{8}-[0-9a-f-]{27}"
TEMPLATES = [
    (rf"/v2/orders/{NUMBER}", "/v2/orders/{order_id}"),
    # of one type the document says oneOf two schemas, and every fill fits both
    (r"/v2/account/activities/.+", "/v2/account/activities"),
    (r"/v2/assets/.+", "/v2/assets/{symbol_or_asset_id}"),
    (r"/v2/positions/.+", "/v2/positions/{symbol_or_asset_id}"),
    (rf"/v2/watchlists/{NUMBER}/\w+", "/v2/watchlists/{watchlist_id}/{symbol}"),
    (rf"/v2/watchlists/{NUMBER}", "/v2/watchlists/{watchlist_id}"),
]


@pytest.fixture
def recorded(trading: TradingClient, server: str, check: Check) -> tuple[TradingClient, Any, Any, set[str]]:
    """Return alpaca-py's three clients, whose every successful answer is checked, and what they asked for."""
    stocks = StockHistoricalDataClient("test-key", "test-secret", url_override=server)
    actions = CorporateActionsClient("test-key", "test-secret", url_override=server)
    asked: set[str] = set()

    def agree(response: Any, *_: Any, **__: Any) -> None:
        path = response.request.path_url.split("?")[0]
        template = next((name for pattern, name in TEMPLATES if re.fullmatch(pattern, path)), path)
        document = "market-data" if path.startswith(("/v2/stocks", "/v1/")) else "trading"
        method = response.request.method.lower()
        if response.status_code < 400:
            check(document, method, template, response)
            asked.add(f"{method} {template}")

    for client in (trading, stocks, actions):
        client._session.hooks["response"].append(agree)
    return trading, stocks, actions, asked


def advance(api: httpx.Client, step: str = "session") -> None:
    api.post("/simulator/clock", json={"advance": step}).raise_for_status()


def test_the_trading_client(recorded: tuple[Any, Any, Any, set[str]], api: httpx.Client) -> None:
    client, _, _, asked = recorded
    day, gtc = TimeInForce.DAY, TimeInForce.GTC
    buy: dict[str, Any] = {"symbol": "AAPL", "qty": 4, "side": OrderSide.BUY, "time_in_force": gtc}
    assert client.get_account().status == "ACTIVE"
    assert client.get_clock().is_open is False
    assert len(client.get_calendar(GetCalendarRequest(start=date(2012, 12, 3), end=date(2012, 12, 4)))) == 2
    assert {asset.symbol for asset in client.get_all_assets(GetAssetsRequest())} >= {"AAPL", "IBM"}
    assert client.get_asset("AAPL").symbol == "AAPL"
    client.submit_order(MarketOrderRequest(**{**buy, "time_in_force": day}))
    client.submit_order(MarketOrderRequest(**{**buy, "symbol": "IBM", "qty": 2.5, "time_in_force": day}))
    client.submit_order(
        MarketOrderRequest(symbol="MSFT", notional=500, side=OrderSide.BUY, time_in_force=day, client_order_id="mine")
    )
    advance(api, "open")
    assert client.get_order_by_client_id("mine").status is OrderStatus.FILLED
    limit = client.submit_order(LimitOrderRequest(**buy, limit_price=500))
    replaced = client.replace_order_by_id(limit.id, ReplaceOrderRequest(qty=3, limit_price=501))
    assert (replaced.replaces, replaced.qty, replaced.limit_price) == (limit.id, "3", "501")
    assert client.get_order_by_id(limit.id).replaced_by == replaced.id
    client.submit_order(StopOrderRequest(**buy, stop_price=700))
    client.submit_order(StopLimitOrderRequest(**buy, stop_price=700, limit_price=701))
    client.submit_order(TrailingStopOrderRequest(**buy, trail_percent=5))
    exits = {
        "take_profit": TakeProfitRequest(limit_price=700),
        "stop_loss": StopLossRequest(stop_price=450, limit_price=449),
    }
    bracket = client.submit_order(LimitOrderRequest(**buy, limit_price=499, order_class=OrderClass.BRACKET, **exits))
    assert [leg.status for leg in bracket.legs] == [OrderStatus.HELD, OrderStatus.HELD]
    sell = {**buy, "side": OrderSide.SELL}
    oco = client.submit_order(LimitOrderRequest(**sell, order_class=OrderClass.OCO, **exits))
    assert client.get_order_by_id(oco.id, GetOrderByIdRequest(nested=True)).legs[0].stop_price == "450"
    nested = client.get_orders(GetOrdersRequest(nested=True))
    assert {order.id for order in nested if order.legs} == {bracket.id, oco.id}
    client.cancel_order_by_id(oco.id)
    assert len(client.cancel_orders()) == 7
    assert {position.symbol for position in client.get_all_positions()} == {"AAPL", "IBM", "MSFT"}
    assert client.get_open_position("IBM").qty == "2.5"
    assert client.close_position("AAPL", ClosePositionRequest(qty="1")).qty == "1"
    client.close_all_positions(cancel_orders=True)
    advance(api, "close")
    assert client.get_all_positions() == []
    assert client.get_portfolio_history().timeframe == "1D"
    assert len(client.get("/account/activities", {"page_size": 2})) == 2
    assert client.get("/account/activities/FILL")[0]["activity_type"] == "FILL"
    assert asked == {
        "get /v2/account",
        "get /v2/clock",
        "get /v2/calendar",
        "get /v2/assets",
        "get /v2/assets/{symbol_or_asset_id}",
        "get /v2/orders",
        "post /v2/orders",
        "delete /v2/orders",
        "get /v2/orders/{order_id}",
        "patch /v2/orders/{order_id}",
        "delete /v2/orders/{order_id}",
        "get /v2/orders:by_client_order_id",
        "get /v2/positions",
        "delete /v2/positions",
        "get /v2/positions/{symbol_or_asset_id}",
        "delete /v2/positions/{symbol_or_asset_id}",
        "get /v2/account/portfolio/history",
        "get /v2/account/activities",
    }


def test_settings_and_watchlists(recorded: tuple[Any, Any, Any, set[str]]) -> None:
    client, _, _, asked = recorded
    settings = client.get_account_configurations()
    assert (settings.no_shorting, settings.max_margin_multiplier) == (False, "2")
    settings.no_shorting = True
    assert client.set_account_configurations(settings).no_shorting is True
    with pytest.raises(APIError, match="not allowed to short"):
        client.submit_order(MarketOrderRequest(symbol="IBM", qty=1, side=OrderSide.SELL, time_in_force=TimeInForce.DAY))
    made = client.create_watchlist(CreateWatchlistRequest(name="mine", symbols=["AAPL", "IBM"]))
    assert [asset.symbol for asset in made.assets] == ["AAPL", "IBM"]
    assert [found.name for found in client.get_watchlists()] == ["mine"]
    assert client.add_asset_to_watchlist_by_id(made.id, "MSFT").assets[-1].symbol == "MSFT"
    assert len(client.remove_asset_from_watchlist_by_id(made.id, "IBM").assets) == 2
    assert client.update_watchlist_by_id(made.id, UpdateWatchlistRequest(name="ours")).name == "ours"
    assert len(client.get_watchlist_by_id(made.id).assets) == 2
    client.delete_watchlist_by_id(made.id)
    assert client.get_watchlists() == []
    assert {"post /v2/watchlists/{watchlist_id}", "delete /v2/watchlists/{watchlist_id}/{symbol}"} <= asked


def test_the_corporate_actions_client(recorded: tuple[Any, Any, Any, set[str]], api: httpx.Client) -> None:
    _, _, actions, asked = recorded
    api.post("/simulator/clock", json={"to": "2013-02-28T21:00:00Z"}).raise_for_status()
    span = {"start": date(2013, 2, 1), "end": date(2013, 2, 20)}
    paid = actions.get_corporate_actions(CorporateActionsRequest(symbols=["AAPL"], **span))
    assert [action.rate for action in paid.data["cash_dividends"]] == [2.65]
    assert asked == {"get /v1/corporate-actions"}


def test_the_data_client(recorded: tuple[Any, Any, Any, set[str]]) -> None:
    _, client, _, asked = recorded
    span: dict[str, Any] = {
        "symbol_or_symbols": ["AAPL", "IBM"],
        "start": datetime(2012, 11, 28, tzinfo=UTC),
        "end": datetime(2012, 12, 1, tzinfo=UTC),
    }
    assert len(client.get_stock_bars(StockBarsRequest(**span, timeframe=TimeFrame.Day))["AAPL"]) == 3
    quotes = client.get_stock_quotes(StockQuotesRequest(**span))["AAPL"]
    assert [quote.timestamp for quote in quotes[:2]] == [
        datetime(2012, 11, 28, 14, 30, tzinfo=UTC),
        datetime(2012, 11, 28, 21, tzinfo=UTC),
    ]
    # 2012-11-30: open 586.79, close 585.28
    trades = client.get_stock_trades(StockTradesRequest(**span))["AAPL"]
    assert [trade.price for trade in trades[-2:]] == [586.79, 585.28]
    one = {"symbol_or_symbols": "AAPL"}
    assert client.get_stock_latest_bar(StockLatestBarRequest(**one))["AAPL"].close == 585.28
    assert client.get_stock_latest_quote(StockLatestQuoteRequest(**one))["AAPL"].ask_price == 585.28
    assert client.get_stock_latest_trade(StockLatestTradeRequest(**one))["AAPL"].price == 585.28
    assert client.get_stock_snapshot(StockSnapshotRequest(**one))["AAPL"].daily_bar.close == 585.28
    assert len(asked) == 7
