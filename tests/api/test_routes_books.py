from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import httpx


def test_the_portfolio_is_the_account_seen_last(api: httpx.Client) -> None:
    portfolio = api.get("/api/portfolio").json()
    assert portfolio["account"] == "SIM0002"
    assert portfolio["trading_state"] == "ACTIVE"
    assert portfolio["equity"] == pytest.approx(portfolio["cash"] + portfolio["long_value"])
    assert portfolio["total_return"] == pytest.approx(portfolio["equity"] / 100_000 - 1)


def test_equity_is_the_capital_plus_what_the_trades_made(api: httpx.Client, seed: Any) -> None:
    cash, value = Decimal(100_000), Decimal(0)
    for session, _, symbol, side, shares in seed.TRADES:
        signed = shares if side == "buy" else -shares
        cash -= signed * seed.bars(symbol)[session].open
        value += signed * seed.bars(symbol)[-1].close
    assert api.get("/api/portfolio").json()["equity"] == pytest.approx(float(cash + value))


def test_the_day_return_compares_with_the_session_before(api: httpx.Client) -> None:
    points = api.get("/api/portfolio/equity").json()["points"]
    expected = points[-1]["equity"] / points[-2]["equity"] - 1
    assert api.get("/api/portfolio").json()["day_return"] == pytest.approx(expected)


def test_positions_weigh_what_their_value_is_of_the_equity(api: httpx.Client) -> None:
    portfolio = api.get("/api/portfolio").json()
    held = {(row["strategy"], row["symbol"]): row for row in portfolio["positions"]}
    assert set(held) == {("momentum_rotation", "AAPL"), ("sma_crossover", "MSFT"), ("sma_crossover", "IBM")}
    apple = held["momentum_rotation", "AAPL"]
    assert apple["weight"] == pytest.approx(40 * 533.25 / portfolio["equity"])
    assert sum(row["market_value"] for row in held.values()) == pytest.approx(portfolio["long_value"])


def test_closed_positions_show_when_asked_for(api: httpx.Client) -> None:
    now = api.get("/api/positions", params={"symbol": "goog"}).json()
    ever = api.get("/api/positions", params={"symbol": "goog", "closed": True}).json()
    assert now == []
    assert [(row["quantity"], row["realised_pnl"] != 0) for row in ever] == [(0, True)]


def test_an_account_without_snapshots_has_no_figures(api: httpx.Client) -> None:
    portfolio = api.get("/api/portfolio", params={"account": "SIM0001"}).json()
    assert portfolio["opening_equity"] == 50_000
    assert portfolio["equity"] is None
    assert portfolio["positions"] == []


def test_books_of_accounts_do_not_mix(api: httpx.Client) -> None:
    other = {"account": "SIM0001"}
    assert api.get("/api/orders", params=other).json()["items"] == []
    assert api.get("/api/fills", params=other).json()["items"] == []
    assert api.get("/api/trades", params=other).json() == []
    assert api.get("/api/risk", params=other).json()["snapshot"] is None


def test_an_equity_curve_can_be_narrowed(api: httpx.Client) -> None:
    points = api.get("/api/portfolio/equity", params={"start": "2012-12-03", "end": "2012-12-05"}).json()["points"]
    assert [point["session"] for point in points] == ["2012-12-03", "2012-12-04", "2012-12-05"]


def test_an_equity_curve_not_computed_yet_comes_from_the_snapshots(
    own_api: httpx.Client, execute_in_own: Any, api: httpx.Client
) -> None:
    execute_in_own("DELETE FROM analytics.equity_curve")
    computed, own = (client.get("/api/portfolio/equity").json()["points"] for client in (api, own_api))
    assert [point["equity"] for point in own] == [point["equity"] for point in computed]
    assert [point["drawdown"] for point in own] == pytest.approx([point["drawdown"] for point in computed])
    assert own[-1]["benchmark"] is None


def test_an_order_leads_back_to_the_bar_it_was_decided_on(api: httpx.Client) -> None:
    listed = api.get("/api/orders", params={"symbol": "MSFT"}).json()["items"]
    bought = next(order for order in listed if order["side"] == "buy")
    detail = api.get(f"/api/orders/{bought['id']}").json()
    lineage = detail["lineage"]
    assert detail["order"] == bought
    assert [event["event"] for event in detail["events"]] == ["accepted", "fill"]
    assert sum(fill["quantity"] for fill in detail["fills"]) == bought["filled_quantity"] == 300
    assert lineage["decision"]["sized_target_id"] == lineage["target"]["id"]
    assert lineage["target"]["signal_id"] == lineage["signal"]["id"]
    assert lineage["decision"]["checks"][0]["outcome"] == "pass"
    assert lineage["signal"]["bar_ts"] == lineage["bar_ts"] == bought["bar_ts"]
    assert lineage["strategy_version"]["definition"]["name"] == "sma_crossover"
    assert lineage["bar_ts"] < detail["fills"][0]["filled_at"]


def test_somebody_elses_order_has_no_lineage(api: httpx.Client) -> None:
    [order] = api.get("/api/orders", params={"strategy": "external"}).json()["items"]
    lineage = api.get(f"/api/orders/{order['id']}").json()["lineage"]
    assert set(lineage.values()) == {None}


def test_open_orders_are_those_not_closed(api: httpx.Client) -> None:
    items = api.get("/api/orders", params={"status": "open"}).json()["items"]
    assert [order["client_order_id"] for order in items] == ["by-hand"]
    rejected = api.get("/api/orders", params={"status": "rejected"}).json()["items"]
    assert [order["problem"] for order in rejected] == ["insufficient buying power (40310000)"]


@pytest.mark.parametrize("path", ["/api/orders", "/api/fills", "/api/signals", "/logs"])
def test_pages_walk_through_everything_once_newest_first(api: httpx.Client, path: str) -> None:
    whole = api.get(path, params={"limit": 1000}).json()
    walked, cursor = [], None
    for _ in range(100):
        page = api.get(path, params={"limit": 3, **({"cursor": cursor} if cursor else {})}).json()
        assert len(page["items"]) <= 3
        walked += page["items"]
        cursor = page["next"]
        if cursor is None:
            break
    assert walked == whole["items"]
    assert whole["next"] is None
    assert len({item["id"] for item in walked}) == len(walked) > 3


def test_a_page_is_not_moved_by_what_arrives_meanwhile(own_api: httpx.Client, execute_in_own: Any) -> None:
    first = own_api.get("/logs", params={"limit": 2}).json()
    execute_in_own(
        "INSERT INTO logging.log_entries (key, at, service, level, logger, message) "
        "VALUES ('late', now(), 'api', 'INFO', 'test', 'late')"
    )
    second = own_api.get("/logs", params={"limit": 2, "cursor": first["next"]}).json()
    assert [item["id"] for item in first["items"] + second["items"]] == [50, 49, 48, 47]


def test_signals_are_found_by_the_new_york_date_of_their_bar(api: httpx.Client, seed: Any) -> None:
    decided = seed.bars("IBM")[64].session.isoformat()
    items = api.get("/api/signals", params={"session": decided, "symbol": "IBM"}).json()["items"]
    assert [item["bar_ts"][:10] for item in items] == [decided]
    assert items[0]["values"] == {"sma_20": 101.5, "sma_50": 99.25}


def test_round_trips_come_newest_exit_first_with_their_return(api: httpx.Client) -> None:
    trips = api.get("/api/trades").json()
    assert [trip["symbol"] for trip in trips] == ["MSFT", "GOOG", "IBM"]
    for trip in trips:
        assert trip["return"] == pytest.approx(trip["exit_price"] / trip["entry_price"] - 1, abs=1e-6)
        assert trip["pnl"] == pytest.approx(trip["quantity"] * (trip["exit_price"] - trip["entry_price"]))


def test_a_breakdown_sums_to_the_round_trips(api: httpx.Client) -> None:
    rows = api.get("/api/trades/breakdown", params={"scope": "portfolio", "dimension": "symbol"}).json()
    assert {row["dimension"] for row in rows} == {"symbol"}
    assert sum(row["pnl"] for row in rows) == pytest.approx(sum(trip["pnl"] for trip in api.get("/api/trades").json()))
